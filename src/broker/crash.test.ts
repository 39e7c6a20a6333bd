import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqliteStore } from '../adapters/stores/sqlite/index.ts'
import { callerFixture, requestFixture, type TestBroker } from '../testing/broker.ts'
import { createTestClock } from '../testing/clock.ts'
import { createFakeProvider, type FakeProvider } from '../testing/fake-provider.ts'
import { fails, openBroker, refused, unreachable } from './broker.fixture.ts'
import { brokerLimits } from './limits.ts'
import { inParallel } from './parallel.ts'
import type { Ledger, Provider } from './ports/index.ts'

/** Lets so many operations on the world happen, and then nothing more ever: the process is dead. */
function createDoom(operations: number) {
  let left = operations
  const never = () => new Promise<never>(() => undefined)
  const step = <Output>(work: () => Promise<Output>): Promise<Output> => {
    if (left <= 0) return never()
    left -= 1
    // What was begun is done, also when this process never hears of it.
    return work().then(
      (output) => (left <= 0 ? never() : output),
      (thrown: unknown) => (left <= 0 ? never() : Promise.reject(thrown)),
    )
  }
  return {
    survived: () => left > 0,
    ledger: (log: Ledger): Ledger => ({
      writable: () => log.writable(),
      record: (change) => step(() => log.record(change)),
    }),
    around: (fake: FakeProvider): Provider => ({
      ...fake,
      mint: (order, signal) => step(() => fake.mint(order, signal)),
      revoke: (reference, signal) => step(() => fake.revoke(reference, signal)),
      probe: (reference, credential, signal) => step(() => fake.probe(reference, credential, signal)),
    }),
  }
}

const idle = async () => {
  for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Every credential at the provider is explained by a lease that is live. */
async function assertExplained({ provider, leases }: TestBroker): Promise<void> {
  for (const leaseId of provider.live.keys()) assert.equal((await leases.find(leaseId))?.state, 'live')
}

const lives: Readonly<Record<string, (broker: TestBroker) => Promise<unknown>>> = {
  issuing: ({ broker }) =>
    broker.issue(
      { caller: callerFixture(), requestId: 'r', request: requestFixture },
      new AbortController().signal,
    ),
  'issuing and revoking': async ({ broker }) => {
    const call = { caller: callerFixture(), requestId: 'r' }
    const { answer } = await broker.issue(
      { ...call, request: requestFixture, idempotencyKey: 'k' },
      new AbortController().signal,
    )
    if (answer.kind === 'issued') await broker.revoke({ ...call, id: answer.lease.id })
  },
  'issuing with an answer that is lost, and a refusal': ({ broker, provider }) => {
    provider.enqueue({
      mint: [
        { kind: 'drop', failure: unreachable },
        { kind: 'fail', failure: refused },
      ],
    })
    const call = { caller: callerFixture(), requestId: 'r', request: requestFixture }
    return broker.issue(call, new AbortController().signal).catch(() => undefined)
  },
}

for (const [life, live] of Object.entries(lives))
  for (const endsByItself of [true, false])
    test(`a crash after any step of ${life} leaves nothing unrecorded one turn later (${
      endsByItself ? 'ends by itself' : 'ended by the broker'
    })`, async (context) => {
      let [crashes, over] = [0, false]
      for (let operations = 0; !over; operations += 1) {
        assert.ok(operations < 50, 'a life has an end')
        const clock = createTestClock()
        const provider = createFakeProvider({ clock, capabilities: { endsByItself } })
        const doom = createDoom(operations)
        const doomed = await openBroker({ clock, provider, ledger: doom.ledger, around: doom.around })
        let finished = false
        live(doomed).then(
          () => {
            finished = true
          },
          () => {
            finished = true
          },
        )
        for (let wait = 0; wait < 20 && !finished; wait += 1) {
          await idle()
          if (!finished && doom.survived() && clock.nextWake !== undefined)
            await clock.advance(clock.nextWake - clock.now())
        }
        await idle()
        over = doom.survived()
        if (!over) crashes += 1
        const next = await doomed.restart({ ledger: (log) => log, around: (fake) => fake })
        await next.turn('listing')
        await assertExplained(next)
        const { intended, ending } = await next.leases.count()
        assert.deepEqual([intended, ending], [0, 0], `after ${operations} operations`)
        await clock.advance(3_600_000)
        await next.turn('listing')
        assert.equal((await provider.planted(new AbortController().signal)).length, 0)
      }
      context.diagnostic(`${crashes} crashes; credentials left without a record: none`)
    })

test('a ledger that throws after any number of writes never lets a live credential go unexplained', async (context) => {
  for (let writes = 0; writes < 8; writes += 1) {
    let left = writes
    const failing = await openBroker({
      ledger: (log) => ({
        writable: () => left > 0,
        async record(change) {
          left -= 1
          if (left < 0) throw unreachable
          return log.record(change)
        },
      }),
    })
    for (let round = 0; round < 3; round += 1) {
      const answer = await failing.ask().catch(() => undefined)
      if (answer?.answer.kind === 'issued')
        await failing.revoke(answer.answer.lease.id).catch(() => undefined)
    }
    const next = await failing.restart({ ledger: (log) => log })
    await next.turn('listing')
    await assertExplained(next)
  }
  context.diagnostic('8 ledgers broken')
})

test('orphans that are planted at a provider are killed by a listing turn, and each one is recorded', async () => {
  const opened = await openBroker()
  const { lease } = await opened.issue()
  const orphans = ['0', '1', '2'].map((last) => `lse_0000000000000000000000000${last}`)
  await plant(opened.provider, orphans)
  assert.equal((await opened.turn()).orphans, 0)
  const turn = await opened.turn('listing')
  assert.deepEqual([turn.orphans, turn.unasked], [3, []])
  assert.deepEqual([...opened.provider.live.keys()], [lease.id])
  const found = (await opened.entries()).filter(({ event }) => event === 'orphan_found')
  assert.deepEqual(found.map(({ lease_id }) => lease_id).sort(), orphans)
  assert.ok(found.every(({ outcome, provider }) => outcome === 'killed' && provider === 'fake'))
})

async function plant(provider: FakeProvider, leaseIds: readonly string[]): Promise<void> {
  const [seen] = provider.orders
  assert.ok(seen)
  for (const leaseId of leaseIds) await provider.mint({ ...seen, leaseId }, new AbortController().signal)
}

test('the credential of a lease that is over, and of one that failed, is an orphan too', async () => {
  const opened = await openBroker()
  const { lease } = await opened.issue()
  await opened.revoke(lease.id)
  await plant(opened.provider, [lease.id])
  assert.equal((await opened.turn('listing')).orphans, 1)
  assert.equal(opened.provider.live.size, 0)
})

test('what is planted under a name that is no lease id of a broker is left alone', async () => {
  const opened = await openBroker()
  await opened.issue()
  const others = [
    'app_owner',
    'lse_',
    'lse_UPPERCASE0000000000000000',
    'lse_0000000000000000000000000',
    'other_00000000000000000000000000',
  ]
  await plant(opened.provider, others)
  assert.equal((await opened.turn('listing')).orphans, 0)
  assert.equal(opened.provider.live.size, 1 + others.length)
})

test('a mint that is under way is not taken for an orphan, however often the reconciler comes by', async () => {
  const { broker, provider, clock, turn } = await openBroker()
  provider.enqueue({ mint: [{ kind: 'wait', milliseconds: 4_000 }] })
  const asked = broker.issue(
    { caller: callerFixture(), requestId: 'r', request: requestFixture },
    new AbortController().signal,
  )
  while (provider.mints === 0) await new Promise((resolve) => setImmediate(resolve))
  for (let seconds = 0; seconds < 3; seconds += 1) {
    assert.equal((await broker.reconcile({ requestId: 't', sweep: true })).orphans, 0)
    await clock.advance(1_000)
  }
  await clock.advance(1_000)
  assert.equal((await asked).answer.kind, 'issued')
  assert.equal((await turn('listing')).orphans, 0)
  assert.equal(provider.live.size, 1)
})

test('a lease that is sealed while the reconciler reads what is due is not taken for an orphan', async () => {
  const { storage, leases } = openSqliteStore({ path: ':memory:' })
  const gate = Promise.withResolvers<void>()
  const opened: TestBroker = await openBroker({
    around: (fake) => ({
      ...fake,
      mint: (order, signal) => gate.promise.then(() => fake.mint(order, signal)),
    }),
    store: {
      storage,
      leases: {
        ...leases,
        async due(now, limit) {
          const due = await leases.due(now, limit)
          assert.deepEqual(
            due.map(({ state }) => state),
            ['intended'],
          )
          gate.resolve()
          await asked
          return due
        },
      },
    },
  })
  const asked = opened.broker.issue(
    { caller: callerFixture(), requestId: 'r', request: requestFixture },
    new AbortController().signal,
  )
  while ((await leases.count()).intended === 0) await new Promise((resolve) => setImmediate(resolve))
  const turn = await opened.turn()
  assert.deepEqual([turn.orphans, turn.ended, (await asked).answer.kind], [0, 0, 'issued'])
  assert.deepEqual([opened.provider.live.size, (await leases.count()).live], [1, 1])
})

test('a provider that cannot be asked is named, and the others are asked all the same', async () => {
  const opened = await openBroker({
    around: (fake) => ({
      ...fake,
      planted: async () => {
        throw unreachable
      },
    }),
  })
  await opened.issue({ request: { durationSeconds: 60 } })
  await opened.clock.advance(60_000)
  const turn = await opened.turn('listing')
  assert.deepEqual([turn.unasked, turn.ended], [['fake'], 1])
})

test('a listing that was on its way while a lease ended is not believed', async () => {
  let lists = 0
  let meanwhile = async (): Promise<unknown> => undefined
  const { issue, revoke, turn, entries } = await openBroker({
    around: (fake) => ({
      ...fake,
      async planted(signal) {
        lists += 1
        const ids = await fake.planted(signal)
        if (lists === 1) await meanwhile()
        return ids
      },
    }),
  })
  const { lease } = await issue()
  meanwhile = () => revoke(lease.id)
  assert.deepEqual([(await turn('listing')).orphans, lists], [0, 2])
  assert.equal(
    (await entries()).some(({ event }) => event === 'orphan_found'),
    false,
  )
})

test('the reconciler turns each second, lists each minute, survives failing turns, and stops when told', async () => {
  const { broker, clock } = await openBroker({
    around: (fake) => ({
      ...fake,
      async planted(signal) {
        listings.push(clock.now())
        return fake.planted(signal)
      },
    }),
  })
  const listings: number[] = []
  const stop = new AbortController()
  const began = clock.now()
  let turns = 0
  const failures: string[] = []
  const running = broker.run({
    signal: stop.signal,
    newRequestId: () => {
      turns += 1
      return `turn-${turns}`
    },
    onFailure: ({ code }) => failures.push(code),
  })
  for (let seconds = 0; seconds < 121; seconds += 1) await clock.advance(1_000)
  stop.abort()
  await running
  assert.deepEqual(
    listings.map((time) => time - began),
    [0, brokerLimits.plantedSweepMs, 2 * brokerLimits.plantedSweepMs],
  )
  assert.ok(turns >= 121 && turns <= 123, `${turns} turns`)
  assert.deepEqual(failures, [])
})

test('a turn that fails is told, and the next one comes', async () => {
  let broken = true
  const { broker, clock, issue, leases } = await openBroker({
    ledger: (log) => ({
      writable: () => !broken,
      async record(change) {
        if (
          broken &&
          change.entry.event !== 'credential_intended' &&
          change.entry.event !== 'credential_issued'
        )
          throw unreachable
        return log.record(change)
      },
    }),
  })
  await issue({ request: { durationSeconds: 1 } })
  await clock.advance(1_000)
  const stop = new AbortController()
  const failures: string[] = []
  const running = broker.run({
    signal: stop.signal,
    newRequestId: () => 'r',
    onFailure: ({ code }) => failures.push(code),
  })
  await clock.advance(3_000)
  assert.ok(failures.length >= 3 && failures.every((code) => code === 'provider_unreachable'))
  broken = false
  await clock.advance(2_000)
  assert.equal((await leases.count()).ended, 1)
  stop.abort()
  await running
})

test('more than one turn takes is done in the next one at once', { timeout: 20_000 }, async () => {
  const { broker, clock, turn, leases } = await openBroker()
  const call = { caller: callerFixture(), requestId: 'r', request: { ...requestFixture, durationSeconds: 1 } }
  const signal = new AbortController().signal
  const calls = Array.from({ length: brokerLimits.turnLeasesMax + 1 }, () => call)
  await inParallel(calls, brokerLimits.mintsEach.mints, async (one) => void (await broker.issue(one, signal)))
  await clock.advance(1_000)
  const first = await turn()
  assert.deepEqual([first.ended, first.more], [brokerLimits.turnLeasesMax, true])
  const second = await turn()
  assert.deepEqual([second.ended, second.more], [1, false])
  assert.equal((await leases.count()).live, 0)
})

test('a provider that hangs is asked some times in a turn, and then its leases are put off without it', async () => {
  const clock = createTestClock()
  const provider = createFakeProvider({ clock, capabilities: { endsByItself: false } })
  const { issue, turn, leases } = await openBroker({ clock, provider })
  for (let nth = 0; nth < 60; nth += 1) await issue({ request: { durationSeconds: 60 } })
  provider.enqueue({ revoke: Array.from({ length: 60 }, () => ({ kind: 'hang' })) })
  await clock.advance(60_000)
  const began = clock.now()
  assert.equal((await turn()).pending, 60)
  const asked = provider.revokes
  assert.ok(
    asked >= brokerLimits.breakerFailures && asked <= 2 * brokerLimits.turnConcurrency,
    `${asked} calls`,
  )
  assert.ok(clock.now() - began <= 2 * brokerLimits.endAttemptMs)
  const tried = (await leases.list({ states: ['ending'] }, { limit: 100 })).leases
  assert.equal(tried.filter(({ endAttempts }) => endAttempts === 1).length, 60)
  for (let hours = 0; hours < 5; hours += 1) {
    await clock.advance(3_600_000)
    await turn()
  }
  assert.deepEqual([(await leases.count()).ended, provider.live.size], [60, 0])
})

test('a zombie that wakes after its successor began cannot write any more', async () => {
  const zombie = await openBroker()
  const { lease } = await zombie.issue()
  const next = await zombie.restart()
  await next.revoke(lease.id)
  await assert.rejects(zombie.ask(), fails('log_unwritable'))
  await next.turn('listing')
  await assertExplained(next)
})
