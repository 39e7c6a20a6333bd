import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerFixture } from '../testing/broker.ts'
import type { FakeProvider } from '../testing/fake-provider.ts'
import { createJournal, fails, openBreakableStore, openBroker, refused } from './broker.fixture.ts'
import { brokerLimits } from './limits.ts'
import type { Provider } from './ports/index.ts'

/** The fake, saying of itself that it reaches nothing outside. */
function localWith(provider: Provider): Provider {
  return { ...provider, capabilities: { ...provider.capabilities, mintsLocally: true } }
}

const around = (fake: FakeProvider) => localWith(fake)

test('a credential that is made in this process is recorded once, before it is released', async () => {
  const journal = createJournal()
  const { issue, entries, leases } = await openBroker({
    ledger: journal.ledger,
    around: (fake) => localWith(journal.around(fake)),
  })
  const issued = await issue({ request: { purpose: 'monthly report' } })
  assert.deepEqual(journal.lines, ['mint', 'durable credential_issued'])
  assert.deepEqual(await leases.find(issued.lease.id), issued.lease)
  const [entry, ...others] = await entries()
  assert.deepEqual(others, [])
  assert.equal(entry?.lease_id, issued.lease.id)
  assert.deepEqual(
    [entry?.detail?.['purpose'], entry?.detail?.['identified_by'], typeof entry?.detail?.['subject']],
    ['monthly report', 'certificate', 'string'],
  )
})

test('when its entry cannot be written nothing is released, and no lease is left', async () => {
  const { disk, store } = openBreakableStore()
  const { ask, leases, alerter } = await openBroker({ around, store })
  disk.broken = true
  await assert.rejects(ask(), fails('log_unwritable'))
  disk.broken = false
  assert.deepEqual(await leases.count(), { intended: 0, live: 0, ending: 0, ended: 0, failed: 0 })
  assert.equal(alerter.alerts[0]?.name, 'Audit Log Unwritable')
})

test('what the provider refuses stands in the log with its intent', async () => {
  const { ask, entries, leases, provider } = await openBroker({ around })
  provider.enqueue({ mint: [{ kind: 'fail', failure: refused }] })
  await assert.rejects(ask(), fails('provider_refused'))
  assert.deepEqual(
    (await entries()).map(({ event, outcome }) => [event, outcome]),
    [
      ['credential_intended', 'intended'],
      ['credential_failed', 'provider_refused'],
    ],
  )
  assert.equal((await leases.count()).failed, 1)
})

test('nothing is made for a caller who has gone', async () => {
  const { ask, provider, entries } = await openBroker({ around })
  await assert.rejects(ask({ signal: AbortSignal.abort(refused) }), fails('provider_refused'))
  assert.equal(provider.mints, 0)
  assert.ok((await entries()).every(({ event }) => event !== 'credential_issued'))
})

test('one that does not come to its end is given up, and nothing is released', async () => {
  const opened = await openBroker({
    around: (fake) => localWith({ ...fake, mint: () => new Promise(() => undefined) }),
  })
  const began = opened.clock.now()
  await assert.rejects(opened.ask(), fails('credential_minting_failure', /provider_timeout/))
  const waited = opened.clock.now() - began
  assert.ok(waited >= brokerLimits.localMintMs && waited <= 2 * brokerLimits.localMintMs, `${waited} ms`)
  assert.equal((await opened.leases.count()).failed, 1)
  // The next one is not given up with it.
  const { issue } = await openBroker({ around, clock: opened.clock })
  await issue()
})

test('its lease is revoked with one entry and without its provider', async () => {
  const journal = createJournal()
  const { issue, revoke, leases } = await openBroker({
    ledger: journal.ledger,
    around: (fake) => localWith(journal.around(fake)),
  })
  const issued = await issue()
  assert.equal((await revoke(issued.lease.id)).proof, 'unproven')
  assert.equal((await leases.find(issued.lease.id))?.state, 'ended')
  assert.deepEqual(journal.lines, ['mint', 'durable credential_issued', 'durable lease_ended'])
})

test('more leases than are recorded at once are revoked all the same', async () => {
  const { issue, broker, leases, provider } = await openBroker({ around })
  const count = brokerLimits.endsRecordedAtOnce + 1
  for (let nth = 0; nth < count; nth += 1) await issue()
  const caller = callerFixture('boss', { roles: ['operator'] })
  const tally = await broker.revokeWhere({ caller, requestId: 'a'.repeat(32), filter: {} })
  assert.deepEqual(tally, { refused: 0, unproven: count, pending: 0 })
  assert.equal((await leases.count()).ended, count)
  assert.equal(provider.revokes, 0)
})
