import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Claim, MigrationDatabase, SeenDatabase } from '../migration/index.ts'

/** What the suite needs: an empty database, opened twice, and ways to change it behind the port's back. */
export type MigrationDatabaseSubject = {
  readonly database: MigrationDatabase
  /** The same database by another connection. */
  readonly other: MigrationDatabase
  readonly createTable: (name: string) => Promise<void>
  /** As if the holder had died long ago. */
  readonly endLease: () => Promise<void>
  close(): Promise<void>
}

/** The compulsory suite of the MigrationDatabase port. */
export function migrationDatabaseConformance(
  name: string,
  make: () => Promise<MigrationDatabaseSubject>,
  options: { readonly skip?: string | false } = {},
) {
  describe(`${name} keeps the migration database port's promises`, { timeout: 60_000, ...options }, () => {
    for (const [sentence, promise] of Object.entries(promises)) {
      test(sentence, async () => {
        const subject = await make()
        try {
          await promise(subject)
        } finally {
          await subject.close()
        }
      })
    }
  })
}

const signal = () => AbortSignal.timeout(20_000)

const open: Claim = {
  role: 'staging',
  holder: 'a test',
  leaseSeconds: 60,
  tables: [],
  judge: ({ lease }) =>
    lease && lease.secondsLeft > 0 ? { kind: 'busy', message: lease.holder, next: 'wait' } : { kind: 'free' },
}

/** A claim that only looks. */
async function look(database: MigrationDatabase, tables: readonly string[] = []): Promise<SeenDatabase> {
  let seen: SeenDatabase | undefined
  const judge = (given: SeenDatabase) => {
    seen = given
    return { kind: 'refused', message: 'looked', next: 'none' } as const
  }
  assert.equal((await database.claim({ ...open, tables, judge }, signal())).kind, 'refused')
  assert.ok(seen)
  return seen
}

async function fenceOf(database: MigrationDatabase, claim: Claim = open): Promise<number> {
  const claimed = await database.claim(claim, signal())
  assert.equal(claimed.kind, 'claimed')
  return claimed.kind === 'claimed' ? claimed.fence : -1
}

const promises: Readonly<Record<string, (subject: MigrationDatabaseSubject) => Promise<void>>> = {
  async 'a refusal writes nothing'({ database }) {
    await look(database)
    assert.equal((await look(database)).stamp, undefined)
  },
  async 'the first role stays, whatever later claims say'({ database, other }) {
    const first = await database.claim(open, signal())
    assert.deepEqual(first.kind === 'claimed' && first.stamped, true)
    if (first.kind === 'claimed') await database.release(first.fence, signal())
    const second = await other.claim({ ...open, role: 'prod' }, signal())
    assert.deepEqual(second.kind === 'claimed' && second.stamped, false)
    assert.equal((await look(database)).stamp?.role, 'staging')
  },
  async 'of eight at once one is claimed'({ database, other }) {
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, at) => (at % 2 ? database : other).claim(open, signal())),
    )
    assert.deepEqual(all.map(({ kind }) => kind).sort(), [
      ...Array.from({ length: 7 }, () => 'busy'),
      'claimed',
    ])
  },
  async 'a renewed lease is held, a released one is free and not renewed'({ database, other }) {
    const fence = await fenceOf(database)
    assert.equal(await database.renew(fence, 60, signal()), 'held')
    assert.equal((await other.claim(open, signal())).kind, 'busy')
    await database.release(fence, signal())
    await database.release(fence, signal())
    assert.equal(await database.renew(fence, 60, signal()), 'lost')
    assert.ok((await fenceOf(other)) > fence)
  },
  async 'a lease that is over is taken, and its holder is fenced out'({ database, other, endLease }) {
    const fence = await fenceOf(database)
    await endLease()
    const later = await fenceOf(other)
    assert.ok(later > fence)
    assert.equal(await database.renew(fence, 60, signal()), 'lost')
    await database.release(fence, signal())
    assert.equal(await other.renew(later, 60, signal()), 'held')
  },
  async 'missing tables are told, in any schema'({ database, createTable }) {
    await createTable('runs')
    assert.deepEqual((await look(database, ['runs', 'tenants'])).missingTables, ['tenants'])
    assert.deepEqual((await look(database, ['public.runs', 'other.runs'])).missingTables, ['other.runs'])
  },
  async 'an aborted call is no answer'({ database }) {
    await assert.rejects(database.claim(open, AbortSignal.abort()))
  },
}
