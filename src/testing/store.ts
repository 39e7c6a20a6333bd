import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Lease, LeaseFilter, LeaseState, LeaseStore, Ledger } from '../broker/index.ts'
import { newId } from '../primitives/index.ts'
import { entryFixture } from './ledger.ts'

/** What the suite needs of a store: an empty one each time, and the ledger that writes to it. */
export type LeaseStoreSubject = {
  readonly leases: LeaseStore
  readonly ledger: Ledger
  close(): Promise<void>
}

/** The compulsory suite of the LeaseStore port. */
export function leaseStoreConformance(name: string, make: () => Promise<LeaseStoreSubject>) {
  describe(`${name} keeps the lease store port's promises`, { timeout: 60_000 }, () => {
    for (const [sentence, promise] of Object.entries(promises)) {
      test(sentence, async (context) => {
        const subject = await make()
        try {
          await promise(subject, (message) => context.diagnostic(message))
        } finally {
          await subject.close()
        }
      })
    }
  })
}

/** A lease of agent-7 of acme that is just opened; every one has another id, later ones sort after earlier ones. */
export function leaseFixture(change: Partial<Lease> = {}): Lease {
  serial += 1
  const createdAt = epoch + serial
  return {
    id: newId({ prefix: 'lse', now: createdAt, random: (size) => new Uint8Array(size) }),
    tenant: 'acme',
    agent: 'agent-7',
    plane: 'machine',
    mode: 'LOCAL',
    service: 'orders-db',
    action: 'read-table',
    resource: 'public.orders',
    provider: 'orders-db',
    scope: 'SELECT on public.orders',
    grant: 'agent-7-reads-orders',
    requestId: '4bf92f3577b34da6a3ce929d0e0e4736',
    state: 'intended',
    createdAt,
    expiresAt: createdAt + 900_000,
    providerExpiresAt: createdAt + 3_600_000,
    handle: '',
    requestDigest: 'd'.repeat(64),
    endAttempts: 0,
    ...change,
  }
}

/** Writes a lease by way of the states that lead to its own. */
export async function putLease(ledger: Ledger, lease: Lease): Promise<void> {
  const states = [...waysTo[lease.state], lease.state]
  for (const state of states) await ledger.record({ entry: entryFixture(), lease: { ...lease, state } })
}

const epoch = Date.UTC(2030, 0, 1)
let serial = 0

const waysTo: Readonly<Record<LeaseState, readonly LeaseState[]>> = {
  intended: [],
  failed: ['intended'],
  live: ['intended'],
  ending: ['intended', 'live'],
  ended: ['intended', 'live', 'ending'],
}
const states: readonly LeaseState[] = ['intended', 'live', 'ending', 'ended', 'failed']

type StorePromise = (subject: LeaseStoreSubject, say: (message: string) => void) => Promise<void>

const promises: Readonly<Record<string, StorePromise>> = {
  async 'a lease is read back as it was written, whether its optional fields are there or not'({
    leases,
    ledger,
  }) {
    const bare = leaseFixture()
    const full = leaseFixture({
      state: 'ended',
      plane: 'human',
      handle: 'role_7',
      idempotencyKeyDigest: 'e'.repeat(64),
      endReason: 'revoked',
      endedAt: epoch + 5,
      refusedAt: epoch + 6,
      endAttempts: 3,
      nextActionAt: epoch + 7,
      lastError: 'provider_timeout',
    })
    for (const lease of [bare, full]) {
      await putLease(ledger, lease)
      assert.deepEqual(await leases.find(lease.id), lease)
    }
  },

  async 'a field that is gone from the lease is gone from the store'({ leases, ledger }) {
    const { nextActionAt: _, ...rest } = leaseFixture({ nextActionAt: epoch })
    await putLease(ledger, { ...rest, nextActionAt: epoch })
    const live: Lease = { ...rest, state: 'live' }
    await ledger.record({ entry: entryFixture(), lease: live })
    assert.deepEqual(await leases.find(live.id), live)
    assert.deepEqual(await leases.due(epoch, 10), [])
  },

  async 'an id that nobody has finds nothing'({ leases }) {
    assert.equal(await leases.find('lse_00000000000000000000000000'), undefined)
    assert.equal(await leases.find("' OR 1=1 --"), undefined)
  },

  async 'an idempotency key finds its lease for its own tenant and agent alone'({ leases, ledger }) {
    const keyDigest = 'a'.repeat(64)
    const owners = [
      { tenant: 'acme', agent: 'agent-7' },
      { tenant: 'acme', agent: 'agent-8' },
      { tenant: 'globex', agent: 'agent-7' },
    ]
    for (const owner of owners) {
      assert.equal(await leases.findByIdempotencyKey({ ...owner, keyDigest }), undefined)
      const lease = leaseFixture({ ...owner, idempotencyKeyDigest: keyDigest, state: 'failed' })
      await putLease(ledger, lease)
      assert.deepEqual(await leases.findByIdempotencyKey({ ...owner, keyDigest }), lease)
    }
  },

  async 'a page has 1 to 1000 leases'({ leases, ledger }) {
    await putLease(ledger, leaseFixture())
    for (const limit of [0, -1, 1.5, 1001, Number.NaN]) {
      await assert.rejects(leases.list({}, { limit }), { code: 'request_invalid' })
      await assert.rejects(leases.due(epoch, limit), { code: 'request_invalid' })
    }
    for (const limit of [1, 1000]) assert.equal((await leases.list({}, { limit })).leases.length, 1)
  },

  async 'pages are the newest first, complete, and only a page that has more after it says so'({
    leases,
    ledger,
  }) {
    const all = Array.from({ length: 7 }, (_, at) => leaseFixture({ state: states[at % 5] ?? 'live' }))
    for (const lease of all) await putLease(ledger, lease)
    const newest = all.toReversed()
    const first = await leases.list({}, { limit: 3 })
    assert.deepEqual(first, { leases: newest.slice(0, 3), next: newest[2]?.id })
    const second = await leases.list({}, { limit: 4, after: first.next ?? '' })
    assert.deepEqual(second, { leases: newest.slice(3) })
  },

  async 'a list has exactly what every given filter matches'({ leases, ledger }, say) {
    const all: Lease[] = []
    const word = <Word>(...words: Word[]) => fc.constantFrom(...words)
    const facts = {
      tenant: word('acme', 'globex'),
      agent: word('agent-7', 'agent-8'),
      service: word('orders-db', 'orders-api'),
      mode: word('LOCAL', 'PROD'),
    }
    const leaseFacts = fc.record({ ...facts, state: word(...states) })
    for (const fact of fc.sample(leaseFacts, { numRuns: 40, seed: 7 })) {
      const lease = leaseFixture(fact)
      all.push(lease)
      await putLease(ledger, lease)
    }
    const filters = fc.record({ ...facts, states: fc.subarray([...states]) }, { requiredKeys: [] })
    let cases = 0
    await fc.assert(
      fc.asyncProperty(filters, fc.integer({ min: 1, max: 9 }), async (filter, limit) => {
        cases += 1
        const expected = all.filter((lease) => matches(lease, filter)).toReversed()
        assert.deepEqual(await listAll(leases, filter, limit), expected)
      }),
      { numRuns: 150 },
    )
    say(`${cases} filters compared with a plain filter over ${all.length} leases`)
  },

  async 'due leases come the most overdue first, up to and including that time'({ leases, ledger }) {
    const times = [30, 10, 20, undefined, 40]
    const made = times.map((time) => leaseFixture(time === undefined ? {} : { nextActionAt: epoch + time }))
    for (const lease of made) await putLease(ledger, lease)
    const dueAt = async (time: number, limit: number) =>
      (await leases.due(epoch + time, limit)).map((lease) => (lease.nextActionAt ?? 0) - epoch)
    assert.deepEqual(await dueAt(9, 10), [])
    assert.deepEqual(await dueAt(30, 10), [10, 20, 30])
    assert.deepEqual(await dueAt(40, 2), [10, 20])
  },

  async 'leases are counted by their state, all five named'({ leases, ledger }) {
    const none = { intended: 0, live: 0, ending: 0, ended: 0, failed: 0 }
    assert.deepEqual(await leases.count(), none)
    for (const state of states) await putLease(ledger, leaseFixture({ state }))
    await putLease(ledger, leaseFixture({ state: 'live' }))
    assert.deepEqual(await leases.count(), { intended: 1, live: 2, ending: 1, ended: 1, failed: 1 })
  },
}

function matches(lease: Lease, filter: LeaseFilter): boolean {
  const { states: wanted, ...equal } = filter
  if (wanted && !wanted.includes(lease.state)) return false
  const facts: Readonly<Record<string, unknown>> = { ...lease }
  return Object.entries(equal).every(([name, value]) => value === undefined || facts[name] === value)
}

async function listAll(leases: LeaseStore, filter: LeaseFilter, limit: number): Promise<readonly Lease[]> {
  const all: Lease[] = []
  let after: string | undefined
  do {
    const page = await leases.list(filter, after === undefined ? { limit } : { after, limit })
    assert.ok(page.leases.length <= limit)
    all.push(...page.leases)
    after = page.next
  } while (after !== undefined)
  return all
}
