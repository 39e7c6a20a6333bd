import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Failure, type FailureCode } from '../primitives/index.ts'
import { callerFixture, inTime, requestFixture, type TestBroker } from '../testing/broker.ts'
import type { FakeProvider, FakeStep } from '../testing/fake-provider.ts'
import type { BreakerState } from './breaker.ts'
import { constantChance, fails, openBroker, refused, throttled, unreachable } from './broker.fixture.ts'
import { brokerLimits } from './limits.ts'
import type { Provider } from './ports/index.ts'

const failing = (failure: Failure, times: number): FakeStep[] =>
  Array.from({ length: times }, () => ({ kind: 'fail', failure }))

/** Notes at what time the provider was asked. */
function timed(times: number[], clock: { now(): number }) {
  return (fake: FakeProvider): Provider => ({
    ...fake,
    mint(order, signal) {
      times.push(clock.now())
      return fake.mint(order, signal)
    },
  })
}

const gaps = (times: readonly number[]) =>
  times.slice(1).map((time, at) => Math.round(time - (times[at] ?? time)))

for (const [chance, expected] of [
  [0, [100, 200, 400]],
  [255, [200, 400, 800]],
] as const)
  test(`a passing failure is tried again three times, after ${expected.join(', ')} ms`, async () => {
    const times: number[] = []
    const { clock } = await openBroker()
    const { ask, provider } = await openBroker({
      clock,
      random: constantChance(chance),
      around: timed(times, clock),
    })
    provider.enqueue({ mint: failing(unreachable, 9) })
    await assert.rejects(ask(), fails('credential_minting_failure', /provider_unreachable after 4 tries/))
    assert.deepEqual(gaps(times), expected)
  })

test('the pauses stay within half and the whole of each exponential step, and are not all the same', async () => {
  const all: number[][] = []
  for (let run = 0; run < 20; run += 1) {
    const times: number[] = []
    const { clock } = await openBroker()
    const { ask, provider } = await openBroker({ clock, around: timed(times, clock) })
    provider.enqueue({ mint: failing(throttled, 3) })
    await ask()
    all.push(gaps(times))
  }
  for (const [at, step] of [200, 400, 800].entries()) {
    const pauses = all.map((one) => one[at] ?? 0)
    assert.ok(
      pauses.every((pause) => pause >= step / 2 && pause <= step),
      `${pauses}`,
    )
    assert.ok(new Set(pauses).size > 1)
  }
})

test('the third retry that works is issued, and the entry says how many tries it took', async () => {
  const { issue, provider, entries, alerter } = await openBroker()
  provider.enqueue({ mint: failing(unreachable, 3) })
  await issue()
  const sealed = (await entries()).find(({ event }) => event === 'credential_issued')
  assert.deepEqual([provider.mints, sealed?.detail?.['attempts'], alerter.alerts.length], [4, 4, 0])
})

test('what is tried again is one lease, so the provider can tell that it is the same order', async () => {
  const { issue, provider } = await openBroker()
  provider.enqueue({ mint: failing(unreachable, 2) })
  const { lease } = await issue()
  assert.deepEqual(
    provider.orders.map(({ leaseId }) => leaseId),
    [lease.id, lease.id, lease.id],
  )
})

for (const code of ['provider_refused', 'provider_answer_invalid', 'provider_policy_too_large'] as const)
  test(`${code} is an answer and is not tried again`, async () => {
    const { ask, provider } = await openBroker()
    provider.enqueue({ mint: failing(new Failure(code, 'No.'), 1) })
    await assert.rejects(ask(), fails(code))
    assert.equal(provider.mints, 1)
  })

test('what nobody foresaw is not tried again and tells the caller nothing', async () => {
  const { ask } = await openBroker({
    around: (fake) => ({
      ...fake,
      mint: async () => {
        throw new TypeError('password=hunter2')
      },
    }),
  })
  await assert.rejects(ask(), (thrown) => {
    assert.ok(thrown instanceof Failure)
    assert.doesNotMatch(thrown.message, /hunter2/)
    return thrown.code === 'internal'
  })
})

test('retries end before the deadline of the caller', async () => {
  const times: number[] = []
  const { clock } = await openBroker()
  const { ask, provider } = await openBroker({
    clock,
    random: constantChance(255),
    around: timed(times, clock),
  })
  provider.enqueue({ mint: failing(unreachable, 9) })
  const deadline = clock.now() + 650
  await assert.rejects(ask({ deadline }), fails('credential_minting_failure', /after 3 tries/))
  assert.deepEqual(gaps(times), [200, 400])
  assert.ok(clock.now() < deadline)
})

test('a try ends at the deadline of the caller when that comes before its own timeout', async () => {
  const { ask, provider, clock, turn } = await openBroker()
  provider.enqueue({ mint: [{ kind: 'hang' }] })
  const deadline = clock.now() + 1_000
  await assert.rejects(ask({ deadline }), fails('credential_minting_failure', /provider_timeout after 1 try/))
  assert.equal(clock.now(), deadline)
  await turn()
})

test('when no time is left the provider is not asked', async () => {
  const { ask, provider, clock, leases } = await openBroker()
  await assert.rejects(ask({ deadline: clock.now() }), fails('credential_minting_failure'))
  assert.equal(provider.mints, 0)
  assert.equal((await leases.count()).failed, 1)
})

test('a provider that does not listen is given up after its timeout', async () => {
  const { clock } = await openBroker()
  const { ask } = await openBroker({ clock, around: deaf })
  const began = clock.now()
  await assert.rejects(
    ask({ deadline: began + 60_000 }),
    fails('credential_minting_failure', /after 4 tries/),
  )
  const waited = clock.now() - began
  assert.ok(
    waited >= 4 * brokerLimits.mintAttemptMs + 700 && waited <= 4 * brokerLimits.mintAttemptMs + 1_400,
  )
})

/** Never answers, whatever is done to it. */
function deaf(fake: FakeProvider): Provider {
  return { ...fake, mint: () => new Promise(() => undefined) }
}

test('a failed mint calls a person by name, with what finds the cause', async () => {
  const { ask, provider, alerter, entries } = await openBroker()
  provider.enqueue({ mint: failing(unreachable, 4) })
  await assert.rejects(ask(), fails('credential_minting_failure'))
  assert.deepEqual(
    alerter.alerts.map(({ startsAt: _, ...alert }) => alert),
    [
      {
        name: 'Credential Minting Failure',
        severity: 'critical',
        summary:
          'fake did not mint for orders-db read-table: provider_unreachable after 4 tries. Failed closed.',
        labels: {
          provider: 'fake',
          service: 'orders-db',
          tenant: 'acme',
          mode: 'LOCAL',
          code: 'provider_unreachable',
        },
      },
    ],
  )
  const failed = (await entries()).find(({ event }) => event === 'credential_failed')
  assert.deepEqual(
    [failed?.outcome, failed?.detail?.['attempts'], failed?.detail?.['uncertain'], failed?.decision],
    ['credential_minting_failure', 4, true, null],
  )
})

test('a certain failure leaves the key free: the same request is minted when the provider is well again', async () => {
  const { ask, provider, leases } = await openBroker()
  provider.enqueue({ mint: failing(throttled, 4) })
  const again = { idempotencyKey: 'k' }
  await assert.rejects(ask(again), (thrown) => {
    assert.ok(thrown instanceof Failure)
    return thrown.next === 'try again later with the same Idempotency-Key'
  })
  assert.equal((await leases.count()).failed, 1)
  const { answer, replayed } = await ask(again)
  assert.deepEqual([answer.kind, replayed], ['issued', false])
})

test('what was never sent leaves nothing to look for, unless an earlier try was', async () => {
  const unsent = new Failure('provider_unreachable', 'Nobody listens.', { unsent: true })
  for (const [first, expected] of [
    [unsent, { failed: 1, ended: 0, revokes: 0 }],
    [unreachable, { failed: 0, ended: 1, revokes: 1 }],
  ] as const) {
    const broker = await openBroker()
    broker.provider.enqueue({ mint: [...failing(first, 1), ...failing(unsent, 3)] })
    await assert.rejects(broker.ask(), fails('credential_minting_failure'))
    await settleEndings(broker)
    const { failed, ended } = await broker.leases.count()
    assert.deepEqual({ failed, ended, revokes: broker.provider.revokes }, expected)
  }
})

test('a provider that names its time is left alone until then, and its time is told when nobody can wait for it', async () => {
  const times: number[] = []
  const { clock } = await openBroker()
  const { ask, provider } = await openBroker({ clock, around: timed(times, clock) })
  const busy = (seconds: number) =>
    new Failure('provider_throttled', 'Later.', { retryAfterSeconds: seconds })
  provider.enqueue({ mint: [...failing(busy(3), 1), ...failing(busy(60), 1)] })
  await assert.rejects(
    ask(),
    (thrown) => fails('credential_minting_failure')(thrown) && Object(thrown).retryAfterSeconds === 60,
  )
  assert.deepEqual(gaps(times), [3_000])
})

test('an uncertain failure keeps the key, and the answer says to take a new one', async () => {
  const { ask, provider } = await openBroker()
  provider.enqueue({ mint: failing(unreachable, 4) })
  await assert.rejects(ask({ idempotencyKey: 'k' }), (thrown) => {
    assert.ok(thrown instanceof Failure)
    return thrown.next === 'try again later with a new Idempotency-Key'
  })
  await assert.rejects(ask({ idempotencyKey: 'k' }), fails('idempotency_replayed'))
  await ask({ idempotencyKey: 'l' })
})

/** What the provider does in the four tries, and how many credentials may live when the answer is there. */
const storms: Readonly<Record<string, readonly FakeStep[]>> = {
  'an answer is lost once': [{ kind: 'drop', failure: unreachable }],
  'an answer is lost at every try': Array.from({ length: 4 }, () => ({ kind: 'drop', failure: unreachable })),
  'an answer hangs after the work': [{ kind: 'drop-and-hang' }],
  'every answer hangs after the work': Array.from({ length: 4 }, () => ({ kind: 'drop-and-hang' })),
  'it works too late': [{ kind: 'wait', milliseconds: 5_001 }],
  'it works just in time': [{ kind: 'wait', milliseconds: 4_999 }],
  'an answer is lost and then it refuses': [
    { kind: 'drop', failure: unreachable },
    { kind: 'fail', failure: refused },
  ],
  'an answer is lost and then it is throttled for good': [
    { kind: 'drop', failure: unreachable },
    ...failing(throttled, 3),
  ],
}
for (const [what, mint] of Object.entries(storms))
  test(`no two credentials ever live when ${what}, and none in the end`, async () => {
    let most = 0
    const broker = await openBroker({
      around: (fake) => ({
        ...fake,
        async mint(order, signal) {
          try {
            return await fake.mint(order, signal)
          } finally {
            most = Math.max(most, fake.live.size)
          }
        },
      }),
    })
    const { ask, provider, clock, turn, leases } = broker
    provider.enqueue({ mint })
    const outcome = await ask({ deadline: clock.now() + 60_000 }).then(
      ({ answer }) => answer.kind,
      () => 'failed',
    )
    await settleEndings(broker)
    assert.equal(provider.live.size, outcome === 'issued' ? 1 : 0)
    assert.ok(most <= 1)
    await clock.advance(900_000)
    await turn('listing')
    assert.equal((await leases.count()).live, 0)
    assert.deepEqual(await provider.planted(new AbortController().signal), [])
  })

async function settleEndings({ clock, leases, turn }: TestBroker): Promise<void> {
  for (let tries = 0; tries < 5 && (await leases.count()).ending > 0; tries += 1) {
    await clock.advance(1_000)
    await turn()
  }
}

test('an answer that comes after everybody has given up is killed as soon as it is there', async () => {
  const broker = await openBroker({ around: lateBy(30_000) })
  const { ask, provider, clock, leases, entries } = broker
  await assert.rejects(ask(), fails('credential_minting_failure'))
  await settleEndings(broker)
  assert.equal((await leases.count()).ended, 1)
  assert.equal(provider.live.size, 0)
  await clock.advance(60_000)
  assert.equal(provider.live.size, 0)
  const orphans = (await entries()).filter(({ event }) => event === 'orphan_found')
  assert.ok(orphans.length > 0 && orphans.every(({ outcome }) => outcome === 'killed'))
})

test('a late answer whose lease was minted by a later try is left alone', async () => {
  let first = true
  const { issue, provider, clock, entries } = await openBroker({
    around: (fake) => ({
      ...fake,
      mint(order, signal) {
        const late = first
        first = false
        return late ? lateBy(6_000)(fake).mint(order, signal) : fake.mint(order, signal)
      },
    }),
  })
  await issue()
  await clock.advance(10_000)
  assert.equal(provider.live.size, 1)
  assert.equal(
    (await entries()).some(({ event }) => event === 'orphan_found'),
    false,
  )
})

/** A provider whose work goes on after nobody listens any more. */
function lateBy(milliseconds: number) {
  return (fake: FakeProvider): Provider => ({
    ...fake,
    mint(order) {
      fake.enqueue({ mint: [{ kind: 'wait', milliseconds }] })
      return fake.mint(order, new AbortController().signal)
    },
  })
}

test('after five failures in a row the provider is left alone, then one call tries it, and its success opens the way', async () => {
  const { ask, issue, provider, clock, broker } = await openBroker()
  provider.enqueue({ mint: failing(unreachable, 5) })
  await assert.rejects(ask(), fails('credential_minting_failure'))
  await assert.rejects(ask(), fails('credential_minting_failure'))
  assert.equal(provider.mints, 5)
  for (let call = 0; call < 50; call += 1) await assert.rejects(ask(), fails('provider_circuit_open'))
  assert.equal(provider.mints, 5)
  assert.deepEqual((await broker.health()).breakers, { fake: 'open' })
  await clock.advance(brokerLimits.breakerOpenMs)
  assert.deepEqual((await broker.health()).breakers, { fake: 'trying' })
  await issue()
  assert.deepEqual((await broker.health()).breakers, { fake: 'closed' })
  await issue()
})

for (const [what, failure, key] of [
  ['may have minted is told to take a new key', unreachable, 'a new'],
  ['certainly did not mint may keep its key', throttled, 'the same'],
] as const)
  test(`a request whose try closed the way is told of that try, and who ${what}`, async () => {
    const { ask, provider, clock, entries } = await openBroker()
    provider.enqueue({ mint: failing(failure, 5) })
    await assert.rejects(ask())
    const keyed = { idempotencyKey: 'k' }
    await assert.rejects(ask(keyed), (thrown) => {
      fails('credential_minting_failure', new RegExp(`${failure.code} after 1 try`))(thrown)
      assert.equal(Object(thrown).next, `try again later with ${key} Idempotency-Key`)
      return true
    })
    assert.equal(provider.mints, 5)
    const failed = (await entries()).filter(({ event }) => event === 'credential_failed').at(-1)
    assert.deepEqual([failed?.outcome, failed?.detail?.['attempts']], ['credential_minting_failure', 1])
    await clock.advance(brokerLimits.breakerOpenMs)
    if (failure === throttled) assert.equal((await ask(keyed)).answer.kind, 'issued')
    else await assert.rejects(ask(keyed), fails('idempotency_replayed'))
  })

test('a caller who waits for a moment does not close the provider to others, and who waits a second does', async () => {
  const { ask, provider, clock, broker } = await openBroker()
  const attempts = async (waitMs: number, times: number) => {
    for (let call = 0; call < times; call += 1) {
      provider.enqueue({ mint: [{ kind: 'wait', milliseconds: waitMs + 1 }] })
      await assert.rejects(ask({ deadline: clock.now() + waitMs }), fails('credential_minting_failure'))
    }
    return (await broker.health()).breakers['fake']
  }
  const { breakerFailures, tellingAttemptMs } = brokerLimits
  assert.equal(await attempts(tellingAttemptMs - 1, 3 * breakerFailures), 'closed')
  assert.equal(await attempts(tellingAttemptMs, breakerFailures), 'open')
})

test('a provider that stays down is asked five times at first and then once for each rest', async () => {
  const { ask, provider, clock } = await openBroker()
  provider.enqueue({ mint: failing(unreachable, 1_000) })
  for (let round = 0; round < 100; round += 1) {
    await ask().catch(() => undefined)
    await clock.advance(1_000)
  }
  const rests = Math.ceil(100_000 / brokerLimits.breakerOpenMs)
  assert.ok(provider.mints >= 5 && provider.mints <= 5 + rests + 1, `${provider.mints} calls`)
})

test('while one call tries the provider the others are turned away', async () => {
  const { ask, provider, clock, broker } = await openBroker()
  provider.enqueue({ mint: [...failing(unreachable, 5), { kind: 'wait', milliseconds: 1_000 }] })
  await assert.rejects(ask())
  await assert.rejects(ask())
  await clock.advance(brokerLimits.breakerOpenMs)
  const caller = callerFixture()
  const calls = ['a', 'b', 'c'].map((requestId) =>
    broker.issue({ caller, requestId, request: requestFixture }, new AbortController().signal),
  )
  const [first, ...others] = await inTime(clock, Promise.allSettled(calls))
  assert.equal(first?.status, 'fulfilled')
  for (const other of others)
    assert.ok(other.status === 'rejected' && fails('provider_circuit_open')(other.reason))
  assert.equal(provider.mints, 6)
})

type Expected = {
  readonly step: FakeStep
  readonly state: BreakerState
  readonly next: FailureCode | 'issued'
}
const verdicts: Readonly<Record<string, Expected>> = {
  'a refusal of the trial shows that the provider is there': {
    step: { kind: 'fail', failure: refused },
    state: 'closed',
    next: 'issued',
  },
  'a trial that fails in a way nobody foresaw gives way to another': {
    step: { kind: 'fail', failure: new Failure('internal', 'x') },
    state: 'trying',
    next: 'issued',
  },
  'a trial that fails rests the provider again': {
    step: { kind: 'fail', failure: unreachable },
    state: 'open',
    next: 'provider_circuit_open',
  },
}
for (const [sentence, { step, state, next }] of Object.entries(verdicts))
  test(sentence, async () => {
    const { ask, provider, clock, broker } = await openBroker()
    provider.enqueue({ mint: [...failing(unreachable, 5), step] })
    await assert.rejects(ask())
    await assert.rejects(ask())
    await clock.advance(brokerLimits.breakerOpenMs)
    await assert.rejects(ask())
    assert.deepEqual((await broker.health()).breakers, { fake: state })
    const outcome = await ask().then(
      ({ answer }) => answer.kind,
      (thrown: unknown) => thrown instanceof Failure && thrown.code,
    )
    assert.equal(outcome, next)
  })

test('a caller that leaves during the trial does not shut the provider out for ever', async () => {
  const { ask, issue, provider, clock, broker } = await openBroker()
  provider.enqueue({ mint: [...failing(unreachable, 5), { kind: 'hang' }] })
  await assert.rejects(ask())
  await assert.rejects(ask())
  await clock.advance(brokerLimits.breakerOpenMs)
  const leaving = new AbortController()
  const asked = broker.issue(
    { caller: callerFixture(), requestId: 'r', request: requestFixture },
    leaving.signal,
  )
  while (provider.mints < 6) await new Promise((resolve) => setImmediate(resolve))
  leaving.abort(new Failure('shutting_down', 'The caller went away.'))
  await assert.rejects(asked, fails('shutting_down'))
  await issue()
})

test('so many mints are at one provider at once, more wait, and one more is refused without an alert', async () => {
  const { mints, waitingEach } = brokerLimits.mintsEach
  let [now, most] = [0, 0]
  const { broker, clock, alerter, entries } = await openBroker({
    around: (fake) => ({
      ...fake,
      async mint(order, signal) {
        now += 1
        most = Math.max(most, now)
        fake.enqueue({ mint: [{ kind: 'wait', milliseconds: 100 }] })
        return fake.mint(order, signal).finally(() => {
          now -= 1
        })
      },
    }),
  })
  const call = { caller: callerFixture(), requestId: 'r', request: requestFixture }
  const calls = Array.from({ length: mints + waitingEach + 1 }, () =>
    broker.issue(call, new AbortController().signal).then(
      ({ answer }) => answer.kind,
      (thrown: unknown) => thrown instanceof Failure && thrown.code,
    ),
  )
  const came = await inTime(clock, Promise.all(calls))
  assert.equal(most, mints)
  assert.deepEqual(
    came.filter((one) => one !== 'issued'),
    ['overloaded'],
  )
  assert.deepEqual(alerter.alerts, [])
  assert.ok((await entries()).some(({ outcome }) => outcome === 'overloaded'))
})

test('who waits for a place until its deadline is told so, and its lease is over', async () => {
  const { broker, clock, provider, leases } = await openBroker()
  const { mints } = brokerLimits.mintsEach
  provider.enqueue({ mint: Array.from({ length: mints }, () => ({ kind: 'wait', milliseconds: 3_000 })) })
  const call = { caller: callerFixture(), requestId: 'r', request: requestFixture }
  const ask = (waitMs: number) =>
    broker.issue({ ...call, deadline: clock.now() + waitMs }, new AbortController().signal)
  const first = Array.from({ length: mints }, () => ask(10_000))
  const late = ask(1_000)
  const [, second] = await inTime(clock, Promise.all([Promise.all(first), Promise.allSettled([late])]))
  assert.ok(second[0].status === 'rejected' && fails('overloaded')(second[0].reason))
  assert.deepEqual([(await leases.count()).failed, provider.mints], [1, mints])
})

test('with so many others under way at its provider an entry is without hurry, and with one fewer it is not', async () => {
  const { siblingsMin } = brokerLimits
  const unhurried = new Set<string>()
  const { broker, clock, provider } = await openBroker({
    ledger: (log) => ({
      writable: () => log.writable(),
      record(change) {
        if (change.unhurried) unhurried.add(change.entry.event)
        return log.record(change)
      },
    }),
  })
  const call = { caller: callerFixture(), requestId: 'r', request: requestFixture }
  /** The last one comes when the provider has been asked for all before it, and none is done before it was asked for all. */
  const issue = async (count: number) => {
    const mint = Array.from(
      { length: count },
      (_, nth): FakeStep => ({ kind: 'wait', milliseconds: 100 + nth }),
    )
    provider.enqueue({ mint })
    const asked = provider.mints
    const ask = () => broker.issue(call, new AbortController().signal)
    const calls = Array.from({ length: count - 1 }, ask)
    while (provider.mints < asked + count - 1) await turn()
    calls.push(ask())
    while (provider.mints < asked + count) await turn()
    await inTime(clock, Promise.all(calls))
  }
  await issue(siblingsMin)
  assert.equal(unhurried.size, 0)
  await issue(siblingsMin + 1)
  assert.deepEqual([...unhurried], ['credential_intended', 'credential_issued'])
})
