import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerFixture } from '../testing/broker.ts'
import { createTestClock } from '../testing/clock.ts'
import { createFakeProvider } from '../testing/fake-provider.ts'
import { createJournal, fails, openBreakableStore, openBroker, refused } from './broker.fixture.ts'
import { policyUnavailable } from './policy-answer.ts'
import type { Capabilities, Minted } from './ports/index.ts'

test('the intent is durable before the provider is called, the seal before the credential is released', async () => {
  const journal = createJournal()
  const { issue } = await openBroker({ ledger: journal.ledger, around: journal.around })
  await issue()
  assert.deepEqual(journal.lines, ['durable credential_intended', 'mint', 'durable credential_issued'])
})

test('an issued credential works for what was asked, and its lease and entries say so', async () => {
  const { issue, provider, leases, entries, contract } = await openBroker()
  const issued = await issue({ request: { durationSeconds: 60, purpose: 'monthly report' } })
  assert.equal(
    provider.use(issued.credential, { action: 'read-table', resource: 'public.orders' }),
    'accepted',
  )
  assert.equal(provider.use(issued.credential, { action: 'read-table', resource: 'public.users' }), 'refused')
  assert.deepEqual(await leases.find(issued.lease.id), issued.lease)
  assert.equal(issued.lease.expiresAt - issued.lease.createdAt, 60_000)
  const [intended, sealed] = await entries()
  assert.deepEqual(
    [intended?.event, intended?.lease_id, intended?.detail?.['purpose'], intended?.contract],
    ['credential_intended', issued.lease.id, 'monthly report', contract.digest],
  )
  assert.deepEqual(
    [sealed?.event, sealed?.lease_id, sealed?.index, sealed?.decision, sealed?.rule],
    ['credential_issued', issued.lease.id, issued.receipt.index, 'allow', 'acme-reads'],
  )
})

test('a purpose is cut at its bound', async () => {
  const { issue, entries } = await openBroker()
  await issue({ request: { purpose: 'p'.repeat(257) } })
  assert.equal((await entries())[0]?.detail?.['purpose'], 'p'.repeat(256))
})

test('an intent that cannot be written calls no provider and calls a person', async () => {
  const { disk, store } = openBreakableStore()
  const { ask, provider, alerter } = await openBroker({ store })
  disk.broken = true
  await assert.rejects(ask(), fails('log_unwritable'))
  assert.equal(provider.mints, 0)
  assert.deepEqual(
    alerter.alerts.map(({ name, labels }) => [name, labels]),
    [['Audit Log Unwritable', { mode: 'LOCAL' }]],
  )
})

test('a seal that cannot be written revokes the credential, releases nothing and calls a person', async () => {
  const { disk, store } = openBreakableStore()
  const { ask, provider, alerter, leases } = await openBroker({
    store,
    around: (fake) => ({
      ...fake,
      async mint(order, signal) {
        const minted = await fake.mint(order, signal)
        disk.broken = true
        return minted
      },
    }),
  })
  await assert.rejects(ask(), fails('log_unwritable'))
  assert.deepEqual([provider.mints, provider.revokes, provider.live.size], [1, 1, 0])
  assert.equal(alerter.alerts[0]?.name, 'Audit Log Unwritable')
  assert.equal((await leases.count()).intended, 1)
})

test('when the log comes back issuing resumes by itself, and the next turn ends what was left and tells of the outage', async () => {
  const { disk, store } = openBreakableStore()
  let breakAfterMint = true
  const { ask, issue, turn, leases, provider, entries, broker } = await openBroker({
    store,
    around: (fake) => ({
      ...fake,
      async mint(order, signal) {
        const minted = await fake.mint(order, signal)
        disk.broken = breakAfterMint
        return minted
      },
    }),
  })
  await assert.rejects(ask(), fails('log_unwritable'))
  await assert.rejects(ask(), fails('log_unwritable'))
  await assert.rejects(turn(), fails('log_unwritable'))
  disk.broken = false
  breakAfterMint = false
  await issue()
  await turn()
  assert.deepEqual(await leases.count(), { intended: 0, live: 1, ending: 0, ended: 1, failed: 0 })
  assert.equal(provider.live.size, 1)
  const restored = (await entries()).filter(({ event }) => event === 'log_writable_again')
  assert.equal(restored.length, 1)
  assert.equal((await broker.health()).writable, true)
})

test('a log that nobody writes to is found to work again by the next turn', async () => {
  const { disk, store } = openBreakableStore()
  const { ask, turn, broker } = await openBroker({ store })
  disk.broken = true
  await assert.rejects(ask(), fails('log_unwritable'))
  assert.equal((await broker.health()).writable, false)
  disk.broken = false
  await turn()
  assert.equal((await broker.health()).writable, true)
})

test('a restart ends the lease that a broken seal left behind', async () => {
  const { disk, store } = openBreakableStore()
  const first = await openBroker({
    store,
    around: (fake) => ({
      ...fake,
      revoke: async () => {
        throw refused
      },
      async mint(order, signal) {
        const minted = await fake.mint(order, signal)
        disk.broken = true
        return minted
      },
    }),
  })
  await assert.rejects(first.ask(), fails('log_unwritable'))
  assert.equal(first.provider.live.size, 1)
  disk.broken = false
  const second = await first.restart({ around: (fake) => fake })
  assert.equal((await second.turn()).orphans, 1)
  assert.equal(first.provider.live.size, 0)
  assert.deepEqual(
    (await second.leases.list({}, { limit: 9 })).leases.map(({ state, endReason }) => [state, endReason]),
    [['ended', 'orphaned']],
  )
})

test('a denial mints nothing, is recorded, and answers with its receipt', async () => {
  const { ask, provider, entries } = await openBroker()
  const { answer } = await ask({ request: { resource: 'private.orders' } })
  assert.ok(answer.kind === 'denied')
  assert.deepEqual([answer.rule, answer.receipt.index, provider.mints], ['resource', 0, 0])
  const [entry] = await entries()
  assert.deepEqual(
    [entry?.event, entry?.decision, entry?.rule, entry?.scope],
    ['request_denied', 'deny', 'resource', 'orders-db read-table private.orders'],
  )
})

test('a denial that cannot be recorded is not answered', async () => {
  const { disk, store } = openBreakableStore()
  const { ask } = await openBroker({ store })
  disk.broken = true
  await assert.rejects(ask({ request: { resource: 'private.orders' } }), fails('log_unwritable'))
})

test('policy that cannot decide mints nothing, and that stands in the log', async () => {
  const { ask, provider, entries } = await openBroker({
    policy: () => ({
      revision: 'broken',
      decide: async () => {
        throw policyUnavailable('gone')
      },
    }),
  })
  await assert.rejects(ask(), fails('policy_unavailable'))
  const [entry] = await entries()
  assert.deepEqual([provider.mints, entry?.event, entry?.rule], [0, 'request_denied', 'policy_unavailable'])
})

test('explain decides by the same engine, mints nothing, opens no lease and is recorded', async () => {
  const { broker, provider, entries, leases } = await openBroker()
  const signal = new AbortController().signal
  for (const [resource, kind, decision] of [
    ['public.orders', 'allowed', 'allow'],
    ['private.orders', 'denied', 'deny'],
  ] as const) {
    const request = { service: 'orders-db', action: 'read-table', resource }
    const explained = await broker.explain({ caller: callerFixture(), requestId: 'r', request }, signal)
    const entry = (await entries())[explained.receipt.index]
    assert.deepEqual([explained.kind, entry?.event, entry?.decision], [kind, 'request_explained', decision])
  }
  assert.equal(provider.mints, 0)
  assert.deepEqual(await leases.count(), { intended: 0, live: 0, ending: 0, ended: 0, failed: 0 })
})

test('what was refused before anything was decided stands in the log without what was shown', async () => {
  const { broker, entries } = await openBroker()
  await broker.recordRefusal(
    { code: 'token_expired', subject: 'issuer#sub' },
    { requestId: 'r', plane: 'machine', scope: 'POST /v1/credentials' },
  )
  const [entry] = await entries()
  assert.deepEqual(
    [entry?.event, entry?.rule, entry?.plane, entry?.agent_id],
    ['identity_refused', 'token_expired', 'machine', ''],
  )
})

const lies: Readonly<Record<string, (minted: Minted) => Partial<Minted>>> = {
  'lives longer than ordered': ({ notAfter }) => ({ notAfter: notAfter + 1, providerNotAfter: notAfter + 1 }),
  'is forgotten before it ends': ({ notAfter }) => ({ providerNotAfter: notAfter - 1 }),
  'is over already': () => ({ notAfter: 1 }),
  'ends at no time': () => ({ notAfter: Number.NaN }),
  'never ends at its provider': () => ({ providerNotAfter: Number.POSITIVE_INFINITY }),
  'ends at half a millisecond': ({ notAfter }) => ({ notAfter: notAfter - 0.5 }),
  'may do nothing': () => ({ effective: { actions: [], resources: ['public.orders'] } }),
  'is for nothing': () => ({ effective: { actions: ['read'], resources: [] } }),
  'may do everything': () => ({ effective: { actions: ['*'], resources: ['public.orders'] } }),
  'may do everything of a kind': () => ({ effective: { actions: ['s3:*'], resources: ['public.orders'] } }),
}
for (const [what, lie] of Object.entries(lies))
  test(`a minted credential that ${what} is refused, revoked and alerted`, async () => {
    const { ask, provider, alerter, leases, turn } = await openBroker({
      mode: 'PROD',
      around: (fake) => ({
        ...fake,
        async mint(order, signal) {
          const minted = await fake.mint(order, signal)
          return { ...minted, ...lie(minted) }
        },
      }),
    })
    await assert.rejects(ask(), fails('provider_answer_invalid'))
    await turn()
    assert.deepEqual([provider.mints, provider.live.size], [1, 0])
    assert.equal(alerter.alerts[0]?.name, 'Credential Minting Failure')
    assert.equal((await leases.count()).ended, 1)
  })

test('a provider that cannot narrow says so, and may only where nobody relies on it', async () => {
  const { issue } = await openBroker({
    mode: 'LOCAL',
    around: (fake) => ({
      ...fake,
      mint: async (order, signal) => ({
        ...(await fake.mint(order, signal)),
        effective: { actions: ['*'], resources: ['*'] },
      }),
    }),
  })
  assert.equal((await issue()).lease.scope, '* on *')
})

const bounded = (maxResidualSeconds: number) => ({
  modes: [{ name: 'LOCAL', class: 'production', maxResidualSeconds }] as const,
})

function openWith(capabilities: Partial<Capabilities>, contract = {}) {
  const clock = createTestClock()
  return openBroker({ clock, contract, provider: createFakeProvider({ clock, capabilities }) })
}

test('the answer says how long the provider keeps it, and a residual at the bound of the mode is issued', async () => {
  const { issue } = await openWith({ providerTtlSecondsMin: 900 }, bounded(900))
  const issued = await issue({ request: { durationSeconds: 300 } })
  assert.equal(issued.residualSeconds, 900)
  assert.equal(issued.providerNotAfter - issued.effective.notAfter, 900_000)
})

test('a residual over the bound of the mode is denied, naming the nearest duration that has less', async () => {
  const { ask, provider } = await openWith({ providerTtlSecondsMin: 900 }, bounded(600))
  const { answer } = await ask({ request: { durationSeconds: 299 } })
  assert.ok(answer.kind === 'denied')
  assert.deepEqual([answer.rule, answer.nearest?.durationSeconds, provider.mints], ['residual', 300, 0])
  assert.equal(answer.next, 'sallyport request orders-db read-table public.orders --duration 5m')
})

test('a nearest duration that policy would deny is not named', async () => {
  const grants = [{ id: 'short', maxDurationSeconds: 60 }]
  const { ask } = await openWith({ providerTtlSecondsMin: 900 }, { ...bounded(600), grants })
  const { answer } = await ask({ request: { durationSeconds: 60 } })
  assert.ok(answer.kind === 'denied')
  assert.deepEqual([answer.rule, answer.nearest], ['residual', undefined])
  assert.match(answer.next, /^sallyport explain /)
})

test('a provider that keeps it for longer than it declared is refused past the bound and its slack', async () => {
  for (const [overMs, outcome] of [
    [60_000, 'issued'],
    [60_001, 'provider_answer_invalid'],
  ] as const) {
    const { ask, provider, turn } = await openBroker({
      contract: bounded(0),
      around: (fake) => ({
        ...fake,
        async mint(order, signal) {
          const minted = await fake.mint(order, signal)
          return { ...minted, providerNotAfter: minted.notAfter + overMs }
        },
      }),
    })
    const asked = ask()
    if (outcome === 'issued') assert.equal((await asked).answer.kind, 'issued')
    else await assert.rejects(asked, fails(outcome))
    await turn()
    assert.equal(provider.live.size, outcome === 'issued' ? 1 : 0)
  }
})

test('a duration over what the provider gives is denied with the longest it gives', async () => {
  const { ask, issue } = await openWith({ ttlSecondsMax: 600 })
  const { answer } = await ask({ request: { durationSeconds: 601 } })
  assert.ok(answer.kind === 'denied')
  assert.deepEqual([answer.rule, answer.nearest?.durationSeconds], ['provider_ceiling', 600])
  await issue({ request: { durationSeconds: 600 } })
})

test('a caller that leaves while the provider works leaves nothing behind, and nobody is called', async () => {
  const { broker, provider, alerter, turn, leases } = await openBroker()
  const leaving = new AbortController()
  provider.enqueue({ mint: [{ kind: 'drop-and-hang' }] })
  const asked = broker.issue(
    {
      caller: callerFixture(),
      requestId: 'r',
      request: { service: 'orders-db', action: 'read-table', resource: 'public.orders' },
    },
    leaving.signal,
  )
  while (provider.live.size === 0) await new Promise((resolve) => setImmediate(resolve))
  leaving.abort(refused)
  await assert.rejects(asked, fails('provider_refused'))
  await turn()
  assert.deepEqual([provider.mints, provider.live.size, alerter.alerts.length], [1, 0, 0])
  assert.equal((await leases.count()).ended, 1)
})
