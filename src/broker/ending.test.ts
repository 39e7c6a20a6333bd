import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Failure } from '../primitives/index.ts'
import { callerFixture, inTime, requestFixture, type TestBroker } from '../testing/broker.ts'
import { createTestClock } from '../testing/clock.ts'
import { createFakeProvider, type FakeProvider, type FakeStep } from '../testing/fake-provider.ts'
import {
  constantChance,
  createJournal,
  fails,
  openBreakableStore,
  openBroker,
  unreachable,
} from './broker.fixture.ts'
import { brokerLimits } from './limits.ts'
import type { Capabilities, Provider } from './ports/index.ts'

function openWith(capabilities: Partial<Capabilities>, options = {}) {
  const clock = createTestClock()
  return openBroker({ clock, provider: createFakeProvider({ clock, capabilities }), ...options })
}

const failing = (times: number): FakeStep[] =>
  Array.from({ length: times }, () => ({ kind: 'fail', failure: unreachable }))

async function outcomes({ entries }: TestBroker, event: string) {
  return (await entries()).filter((entry) => entry.event === event)
}

test('that a lease is to end is durable before the provider is told, and its end after the dead credential was tried', async () => {
  const journal = createJournal()
  const { issue, revoke } = await openBroker({ ledger: journal.ledger, around: journal.around })
  const { lease } = await issue()
  journal.lines.length = 0
  await revoke(lease.id)
  assert.deepEqual(journal.lines, ['durable lease_ending', 'revoke', 'probe', 'durable lease_ended'])
})

test('a revoked credential is refused, and the lease says since when', async () => {
  const opened = await openBroker()
  const { issue, revoke, provider, clock, leases } = opened
  const { lease, credential } = await issue()
  await clock.advance(1_000)
  const ended = await revoke(lease.id)
  assert.equal(ended.proof, 'refused')
  assert.equal(provider.use(credential, { action: 'read-table', resource: 'public.orders' }), 'refused')
  const stored = await leases.find(lease.id)
  assert.deepEqual(
    [stored?.state, stored?.endReason, stored?.endedAt, stored?.refusedAt, stored?.nextActionAt],
    ['ended', 'revoked', clock.now(), clock.now(), undefined],
  )
  const [entry] = await outcomes(opened, 'lease_ended')
  assert.deepEqual(
    [entry?.outcome, entry?.detail?.['proof'], entry?.detail?.['by'], entry?.detail?.['attempts']],
    ['revoked', 'refused', 'agent-7', 1],
  )
})

test('the very credential that was issued is tried when it is dead', async () => {
  const tried: unknown[] = []
  const { issue, revoke } = await openBroker({
    around: (fake) => ({
      ...fake,
      async probe(reference, credential, signal) {
        tried.push(credential)
        return fake.probe(reference, credential, signal)
      },
    }),
  })
  const { lease, credential } = await issue()
  await revoke(lease.id)
  assert.deepEqual(tried, [credential])
})

test('revoking again succeeds, calls nobody and writes nothing', async () => {
  const { issue, revoke, provider, entries } = await openBroker()
  const { lease } = await issue()
  const first = await revoke(lease.id)
  const size = (await entries()).length
  assert.deepEqual(await revoke(lease.id), first)
  assert.deepEqual([provider.revokes, (await entries()).length], [1, size])
})

test('a hundred revocations at once are one', async () => {
  const { issue, broker, provider, entries, clock } = await openBroker()
  const { lease } = await issue()
  provider.enqueue({ revoke: [{ kind: 'wait', milliseconds: 100 }] })
  const calls = Array.from({ length: 100 }, (_, at) =>
    broker.revoke({ caller: callerFixture(), requestId: `r${at}`, id: lease.id }),
  )
  const ended = await inTime(clock, Promise.all(calls))
  assert.ok(ended.every(({ proof, lease: { state } }) => proof === 'refused' && state === 'ended'))
  assert.deepEqual([provider.revokes, (await entries()).length], [1, 4])
})

test('a revocation and the expiry that come together end the lease once', async () => {
  const { issue, broker, provider, clock, entries } = await openWith({ endsByItself: false })
  const { lease } = await issue({ request: { durationSeconds: 60 } })
  await clock.advance(60_000)
  await inTime(
    clock,
    Promise.all([
      broker.reconcile({ requestId: 'r', sweep: false }),
      broker.revoke({ caller: callerFixture(), requestId: 's', id: lease.id }),
    ]),
  )
  assert.equal(provider.revokes, 1)
  assert.equal((await entries()).filter(({ event }) => event === 'lease_ended').length, 1)
})

for (const [chance, share] of [
  [0, 0.75],
  [255, 1],
] as const)
  test(`an ending that fails is tried again for ever, slower and slower (${share} of each step)`, async () => {
    const opened = await openWith({ endsByItself: false }, { random: constantChance(chance) })
    const { issue, revoke, provider, clock, leases, turn, alerter } = opened
    const { lease } = await issue()
    provider.enqueue({ revoke: failing(20) })
    assert.equal((await revoke(lease.id)).proof, 'pending')
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      const stuck = await leases.find(lease.id)
      const step = Math.min(1_000 * 2 ** (attempt - 1), 3_600_000)
      const pause = (stuck?.nextActionAt ?? 0) - clock.now()
      assert.ok(Math.abs(pause - step * share) <= step / 65_536 + 1, `${attempt}: ${pause}`)
      assert.deepEqual(
        [stuck?.state, stuck?.endAttempts, stuck?.lastError],
        ['ending', attempt, unreachable.code],
      )
      assert.equal((await outcomes(opened, 'lease_end_failed')).length, attempt)
      assert.equal(alerter.alerts.length, Math.max(0, attempt - brokerLimits.endFailuresBeforeAlert + 1))
      await clock.advance(pause - 1)
      await turn()
      assert.equal(provider.revokes, attempt)
      await clock.advance(1)
      await turn()
      assert.equal(provider.revokes, attempt + 1)
    }
    assert.deepEqual([(await leases.find(lease.id))?.state, provider.live.size], ['ended', 0])
  })

test('a person is called for an ending that failed three times, with what finds the cause', async () => {
  const { issue, revoke, provider, alerter } = await openBroker()
  const { lease } = await issue()
  provider.enqueue({ revoke: failing(3) })
  for (let attempt = 1; attempt <= 3; attempt += 1) await revoke(lease.id)
  const [alert, ...others] = alerter.alerts
  assert.deepEqual(
    [alert?.name, alert?.severity, alert?.labels, others.length],
    [
      'Revocation Failing',
      'critical',
      { provider: 'fake', service: 'orders-db', tenant: 'acme', mode: 'LOCAL' },
      0,
    ],
  )
  assert.match(alert?.summary ?? '', new RegExp(`${lease.id} could not be ended in 3 tries`))
})

test('a revocation that hangs is given up after its timeout and tried again', async () => {
  const { issue, revoke, provider, turn, clock, leases } = await openBroker()
  const { lease } = await issue()
  provider.enqueue({ revoke: [{ kind: 'hang' }] })
  const began = clock.now()
  assert.equal((await revoke(lease.id)).lease.lastError, 'provider_timeout')
  assert.equal(clock.now() - began, brokerLimits.endAttemptMs)
  await clock.advance(1_000)
  await turn()
  assert.equal((await leases.find(lease.id))?.state, 'ended')
})

/** Says that it revoked, and still accepts the credential so many times. */
function forgetful(times: number) {
  let left = times
  return (fake: FakeProvider): Provider => ({
    ...fake,
    async probe(reference, credential, signal) {
      if (left <= 0) return fake.probe(reference, credential, signal)
      left -= 1
      return 'accepted'
    },
  })
}

test('a credential that is still accepted after its revocation is revoked until it is refused, and since when stands in its lease', async () => {
  const { issue, revoke, turn, clock, leases, alerter, provider } = await openBroker({
    around: forgetful(4),
  })
  const { lease } = await issue()
  await revoke(lease.id)
  for (let seconds = 0; seconds < 30; seconds += 1) {
    await clock.advance(1_000)
    await turn()
  }
  const ended = await leases.find(lease.id)
  assert.equal(ended?.state, 'ended')
  assert.ok(ended.refusedAt && ended.refusedAt - lease.createdAt >= 11_000)
  assert.deepEqual([provider.revokes, alerter.alerts.length], [5, 2])
})

test('where a revocation takes minutes, nobody is called while it is expected to take them', async () => {
  const { issue, revoke, turn, clock, alerter } = await openWith(
    { revocation: 'eventual' },
    { around: forgetful(7) },
  )
  const { lease } = await issue()
  await revoke(lease.id)
  for (let seconds = 0; seconds < 300; seconds += 1) {
    await clock.advance(1_000)
    await turn()
  }
  assert.equal(alerter.alerts.length, 0)
})

test('what cannot be revoked is over for the broker, and its entry says until when it can be used', async () => {
  const opened = await openWith({ revocation: 'none', endsByItself: true })
  const { lease } = await opened.issue()
  assert.equal((await opened.revoke(lease.id)).proof, 'unproven')
  const [entry] = await outcomes(opened, 'lease_ended')
  assert.equal(entry?.detail?.['usable_until'], new Date(lease.expiresAt).toISOString())
})

test('what can be revoked by nobody and never ends by itself says so even when its time is over', async () => {
  const opened = await openWith({ revocation: 'none', endsByItself: false, providerTtlSecondsMin: 86_400 })
  const { lease } = await opened.issue()
  await opened.clock.advance(900_000)
  await opened.turn()
  const [entry] = await outcomes(opened, 'lease_ended')
  assert.equal(entry?.detail?.['usable_until'], new Date(lease.providerExpiresAt).toISOString())
})

test('a lease whose credential ends by itself expires without the provider being called', async () => {
  const { issue, turn, clock, provider, leases } = await openBroker()
  const { lease } = await issue({ request: { durationSeconds: 60 } })
  await clock.advance(59_999)
  assert.equal((await turn()).ended, 0)
  assert.equal((await leases.find(lease.id))?.state, 'live')
  await clock.advance(1)
  assert.equal((await turn()).ended, 1)
  const ended = await leases.find(lease.id)
  assert.deepEqual([ended?.state, ended?.endReason], ['ended', 'expired'])
  assert.deepEqual([provider.revokes, provider.probes], [0, 0])
})

test('a lease whose credential does not end by itself is ended at its time', async () => {
  const { issue, turn, clock, provider, leases } = await openWith({ endsByItself: false })
  const { lease, credential } = await issue({ request: { durationSeconds: 60 } })
  const scope = { action: 'read-table', resource: 'public.orders' }
  await clock.advance(60_000)
  assert.equal(provider.use(credential, scope), 'accepted')
  assert.equal((await turn()).ended, 1)
  assert.equal(provider.use(credential, scope), 'refused')
  assert.equal((await leases.find(lease.id))?.endReason, 'expired')
})

test('what could not be revoked in time, and is over by itself, is let go', async () => {
  const { issue, revoke, turn, clock, provider, leases } = await openBroker()
  const { lease } = await issue({ request: { durationSeconds: 60 } })
  provider.enqueue({ revoke: failing(100) })
  await revoke(lease.id)
  await clock.advance(120_000)
  await turn()
  const ended = await leases.find(lease.id)
  assert.deepEqual([ended?.state, ended?.endReason, provider.revokes], ['ended', 'revoked', 1])
})

test('a lease whose provider left the contract is kept, visibly, and ended when it is back', async () => {
  const opened = await openBroker()
  const { lease } = await opened.issue()
  const without = await opened.restart({ providerName: 'another' })
  for (let round = 0; round < 3; round += 1) assert.equal((await without.revoke(lease.id)).proof, 'pending')
  assert.equal(without.alerter.alerts[0]?.name, 'Revocation Failing')
  const again = await opened.restart()
  await again.clock.advance(4_000)
  await again.turn()
  assert.deepEqual([(await again.leases.find(lease.id))?.state, again.provider.live.size], ['ended', 0])
})

test('while the log is down, what is over is killed all the same, once, and recorded when it is back', async () => {
  const { disk, store } = openBreakableStore()
  const clock = createTestClock()
  const provider = createFakeProvider({ clock, capabilities: { endsByItself: false } })
  const { issue, turn, leases } = await openBroker({ store, clock, provider })
  const { lease } = await issue({ request: { durationSeconds: 60 } })
  disk.broken = true
  await clock.advance(60_000)
  for (let round = 0; round < 5; round += 1) await assert.rejects(turn(), fails('log_unwritable'))
  assert.deepEqual([provider.live.size, provider.revokes], [0, 1])
  assert.equal((await leases.find(lease.id))?.state, 'live')
  disk.broken = false
  await turn()
  assert.equal((await leases.find(lease.id))?.state, 'ended')
})

test('a revocation that cannot be recorded is refused as such, and the credential is dead', async () => {
  const { disk, store } = openBreakableStore()
  const { issue, revoke, provider } = await openBroker({ store })
  const { lease } = await issue()
  disk.broken = true
  await assert.rejects(revoke(lease.id), fails('log_unwritable'))
  assert.equal(provider.live.size, 0)
})

test('a lease that is revoked while it is being minted is stopped, ended and never released', async () => {
  for (const step of [
    { kind: 'hang' },
    { kind: 'drop-and-hang' },
    { kind: 'wait', milliseconds: 1_000 },
  ] as const) {
    const { broker, provider, clock, leases, alerter } = await openBroker()
    provider.enqueue({ mint: [step] })
    const call = { caller: callerFixture(), requestId: 'r' }
    const asked = broker.issue({ ...call, request: requestFixture }, new AbortController().signal)
    const rejected = assert.rejects(asked, fails('lease_revoked'))
    while (provider.mints === 0) await new Promise((resolve) => setImmediate(resolve))
    const [lease] = (await broker.listLeases(call.caller, {}, { limit: 1 })).leases
    const began = clock.now()
    const ended = await inTime(clock, broker.revoke({ ...call, id: lease?.id ?? '' }))
    await rejected
    assert.equal(clock.now(), began, 'nobody waited for the provider')
    assert.deepEqual([ended.lease.state, ended.lease.endReason], ['ended', 'revoked'])
    assert.deepEqual([provider.live.size, (await leases.count()).live, alerter.alerts.length], [0, 0, 0])
  }
})

test('a revocation that comes while the seal is being written keeps the credential from being released', async () => {
  const sealing = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const { broker, provider, clock, leases } = await openBroker({
    ledger: (log) => ({
      writable: () => log.writable(),
      async record(change) {
        if (change.entry.event !== 'credential_issued') return log.record(change)
        sealing.resolve()
        await goOn.promise
        return log.record(change)
      },
    }),
  })
  const call = { caller: callerFixture(), requestId: 'r' }
  const asked = broker.issue({ ...call, request: requestFixture }, new AbortController().signal)
  const rejected = assert.rejects(asked, fails('lease_revoked'))
  await sealing.promise
  const [lease] = (await broker.listLeases(call.caller, {}, { limit: 1 })).leases
  const revoked = broker.revoke({ ...call, id: lease?.id ?? '' })
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  goOn.resolve()
  assert.equal((await inTime(clock, revoked)).proof, 'refused')
  await rejected
  assert.deepEqual([provider.live.size, (await leases.count()).ended], [0, 1])
})

test('a revocation at any moment of an issuing wins or comes after it: never both a release and a live lease', async () => {
  let cases = 0
  for (let delay = 0; delay < 40; delay += 1) {
    const { broker, provider, clock, leases } = await openBroker()
    const call = { caller: callerFixture(), requestId: 'r' }
    const asked = broker.issue({ ...call, request: requestFixture }, new AbortController().signal).then(
      () => 'issued',
      (thrown: Failure) => thrown.code,
    )
    for (let turn = 0; turn < delay; turn += 1)
      await (delay % 2 ? Promise.resolve() : new Promise(setImmediate))
    let revoked: Promise<unknown> | undefined
    while (!revoked) {
      const [lease] = (await broker.listLeases(call.caller, {}, { limit: 1 })).leases
      if (lease) revoked = broker.revoke({ ...call, id: lease.id })
      else await new Promise(setImmediate)
    }
    await inTime(clock, Promise.all([asked, revoked]))
    assert.ok(['issued', 'lease_revoked'].includes(await asked))
    assert.deepEqual([provider.live.size, (await leases.count()).live], [0, 0])
    cases += 1
  }
  assert.equal(cases, 40)
})
