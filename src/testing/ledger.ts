import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { entryBytesMax, leafHash, openCheckpoint, parseEntry, parseVerifier } from '../audit/index.ts'
import {
  type EntryDraft,
  type EntryReceipt,
  type Lease,
  type LeaseState,
  type LeaseStore,
  type Ledger,
  leaseBeginnings,
  leaseMoves,
} from '../broker/index.ts'
import { leaseFixture, putLease } from './store.ts'

/** What the suite needs of a ledger: an empty one each time, and a hand on its disk. */
export type LedgerSubject = {
  readonly ledger: Ledger
  readonly leases: LeaseStore
  /** The public key of its checkpoints. */
  readonly vkey: string
  /** The exact bytes of an entry. */
  entry(index: number): Promise<Uint8Array | undefined>
  /** From now on nothing can be written. */
  breakDisk(): void
  healDisk(): void
  /** Lets go of everything in memory, and opens what is stored again. */
  reopen(): Promise<LedgerSubject>
  close(): Promise<void>
}

/** The compulsory suite of the Ledger port. */
export function ledgerConformance(name: string, make: () => Promise<LedgerSubject>) {
  describe(`${name} keeps the ledger port's promises`, { timeout: 60_000 }, () => {
    for (const [sentence, promise] of Object.entries(promises)) {
      test(sentence, async () => {
        const subject = await make()
        await promise(subject)
        await subject.close()
      })
    }
  })
}

/** An entry as the broker drafts it. */
export function entryFixture(change: Partial<EntryDraft> = {}): EntryDraft {
  return {
    event: 'credential_intended',
    timestamp: '2030-01-01T00:00:00.000Z',
    agent_id: 'agent-7',
    tenant: 'acme',
    plane: 'machine',
    mode: 'LOCAL',
    scope: 'SELECT on public.orders',
    expiry: '2030-01-01T00:15:00.000Z',
    request_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    decision: 'allow',
    rule: 'agent-7-reads-orders',
    lease_id: null,
    provider: 'orders-db',
    contract: `sha256:${'0'.repeat(64)}`,
    outcome: 'intended',
    ...change,
  }
}

const promises: Readonly<Record<string, (subject: LedgerSubject) => Promise<void>>> = {
  async 'entries stand in the order of calls, without a gap, in one turn and over many'(subject) {
    const outcomes: string[] = []
    for (const round of [1, 40, 3]) {
      const names = Array.from({ length: round }, (_, at) => `${round}-${at}`)
      const receipts = await Promise.all(names.map((outcome) => append(subject, { outcome })))
      assert.deepEqual(
        receipts.map(({ index }) => index),
        names.map((_, at) => outcomes.length + at),
      )
      outcomes.push(...names)
    }
    for (const [index, outcome] of outcomes.entries()) {
      assert.equal((await readEntry(subject, index))?.outcome, outcome)
    }
    assert.equal(await subject.entry(outcomes.length), undefined)
  },

  async 'a receipt has the leaf hash of the stored bytes and a signed checkpoint that covers it'(subject) {
    const receipts = await Promise.all([append(subject), append(subject)])
    for (const { index, leafHash: hash, checkpoint } of receipts) {
      assert.equal(leafHash((await subject.entry(index)) ?? Buffer.of()).toString('hex'), hash)
      const opened = openCheckpoint(checkpoint, [parseVerifier(subject.vkey)])
      assert.ok(opened.kind === 'opened' && opened.checkpoint.size > index)
    }
  },

  async 'a lease is there as soon as its entry is'({ ledger, leases }) {
    const lease = leaseFixture()
    const live: Lease = { ...lease, state: 'live', handle: 'role_7' }
    await ledger.record({ entry: entryFixture(), lease })
    assert.deepEqual(await leases.find(lease.id), lease)
    await ledger.record({ entry: entryFixture(), lease: live })
    assert.deepEqual(await leases.find(lease.id), live)
  },

  async 'every move that leaseMoves allows is made, and every other one is store_invalid without an entry'(
    subject,
  ) {
    for (const from of states) {
      for (const to of states) {
        const lease = leaseFixture({ state: from })
        await putLease(subject.ledger, lease)
        const move = append(subject, {}, { ...lease, state: to })
        if (leaseMoves[from].includes(to)) await move
        else await assert.rejects(move, { code: 'store_invalid' })
        const expected = leaseMoves[from].includes(to) ? to : from
        assert.equal((await subject.leases.find(lease.id))?.state, expected)
      }
    }
  },

  async 'a lease opens as intended, or live at once, and as nothing else'(subject) {
    for (const state of states.filter((one) => !leaseBeginnings.includes(one))) {
      await assert.rejects(append(subject, {}, leaseFixture({ state })), { code: 'store_invalid' })
    }
    for (const [index, state] of leaseBeginnings.entries()) {
      const lease = leaseFixture({ state })
      assert.equal((await append(subject, {}, lease)).index, index)
      assert.deepEqual(await subject.leases.find(lease.id), lease)
    }
  },

  async 'a change that is refused fails alone: those of the same turn are written'(subject) {
    const lease = leaseFixture()
    const settled = await Promise.allSettled([
      append(subject, { outcome: 'a' }, lease),
      append(subject, { outcome: 'b' }, { ...lease, state: 'ended' }),
      append(subject, { outcome: 'c' }, { ...lease, state: 'live' }),
      append(subject, { outcome: 'd' }, lease),
      append(subject, { outcome: 'e' }),
    ])
    assert.deepEqual(settled.map(indexOrCode), [0, 'store_invalid', 1, 'store_invalid', 2])
    assert.equal((await subject.leases.find(lease.id))?.state, 'live')
    assert.equal((await readEntry(subject, 1))?.outcome, 'c')
    assert.equal(subject.ledger.writable(), true)
  },

  async 'a lease with a number that is not whole fails alone'(subject) {
    const settled = await Promise.allSettled([
      append(subject, {}, leaseFixture({ expiresAt: 1.5 })),
      append(subject, {}, leaseFixture({ nextActionAt: Number.NaN })),
      append(subject, {}, leaseFixture({ providerExpiresAt: Number.POSITIVE_INFINITY })),
      append(subject, {}, leaseFixture()),
    ])
    assert.deepEqual(settled.map(indexOrCode), ['store_invalid', 'store_invalid', 'store_invalid', 0])
  },

  async 'one idempotency key opens one lease, also when two come in one turn'(subject) {
    const key = { idempotencyKeyDigest: 'a'.repeat(64) }
    const settled = await Promise.allSettled([
      append(subject, {}, leaseFixture(key)),
      append(subject, {}, leaseFixture(key)),
      append(subject, {}, leaseFixture({ ...key, agent: 'agent-8' })),
    ])
    assert.deepEqual(settled.map(indexOrCode), [0, 'idempotency_conflict', 1])
    await assert.rejects(append(subject, {}, leaseFixture(key)), { code: 'idempotency_conflict' })
  },

  async 'a lease that lets go of its key leaves it to another'(subject) {
    const idempotencyKeyDigest = 'b'.repeat(64)
    const lease = leaseFixture()
    await append(subject, {}, { ...lease, idempotencyKeyDigest })
    await append(subject, {}, { ...lease, state: 'failed' })
    const owner = { tenant: lease.tenant, agent: lease.agent, keyDigest: idempotencyKeyDigest }
    assert.equal(await subject.leases.findByIdempotencyKey(owner), undefined)
    await append(subject, {}, leaseFixture({ idempotencyKeyDigest }))
  },

  async 'what cannot be written is log_unwritable for every caller, leaves nothing, and resumes by itself'(
    subject,
  ) {
    await append(subject)
    const lease = leaseFixture()
    subject.breakDisk()
    for (const round of [2, 1]) {
      const calls = Array.from({ length: round }, () => append(subject, {}, lease))
      const settled = await Promise.allSettled(calls)
      assert.deepEqual(
        settled.map(indexOrCode),
        calls.map(() => 'log_unwritable'),
      )
      assert.equal(subject.ledger.writable(), false)
    }
    subject.healDisk()
    assert.equal(await subject.leases.find(lease.id), undefined)
    assert.equal(await subject.entry(1), undefined)
    assert.equal((await append(subject, { outcome: 'after' }, lease)).index, 1)
    assert.equal(subject.ledger.writable(), true)
    assert.equal((await readEntry(subject, 1))?.outcome, 'after')
  },

  async 'what was acknowledged is there after everything in memory is lost'(subject) {
    const lease = leaseFixture()
    const receipt = await append(subject, { outcome: 'before' }, lease)
    const again = await subject.reopen()
    assert.deepEqual(await again.leases.find(lease.id), lease)
    assert.equal((await readEntry(again, receipt.index))?.outcome, 'before')
    assert.equal((await append(again)).index, receipt.index + 1)
    await again.close()
  },

  async 'a text of any length is cut, never refused'(subject) {
    const { index } = await append(subject, {
      scope: '\u0007'.repeat(200_000),
      detail: { purpose: '"'.repeat(200_000) },
    })
    assert.ok(((await subject.entry(index)) ?? Buffer.of()).length <= entryBytesMax)
    assert.ok(await readEntry(subject, index))
  },
}

const states: readonly LeaseState[] = ['intended', 'live', 'ending', 'ended', 'failed']

function append(
  subject: LedgerSubject,
  draft: Partial<EntryDraft> = {},
  lease?: Lease,
): Promise<EntryReceipt> {
  return subject.ledger.record({ entry: entryFixture(draft), ...(lease ? { lease } : {}) })
}

async function readEntry(subject: LedgerSubject, index: number) {
  return parseEntry((await subject.entry(index)) ?? Buffer.of())
}

function indexOrCode(settled: PromiseSettledResult<EntryReceipt>): unknown {
  return settled.status === 'fulfilled' ? settled.value.index : settled.reason.code
}
