import type { DatabaseSync } from 'node:sqlite'
import type { LogBatch, LogStorage } from '../../../audit/index.ts'
import type { Lease, LeaseState } from '../../../broker/index.ts'
import { Failure } from '../../../primitives/index.ts'
import { leaseStates, leaseValues, writeLeaseSql } from './lease-row.ts'
import { type Row, readRow } from './row.ts'
import type { WriteAheadLog } from './write-ahead-log.ts'

/** The log's storage in an open database, whose commits are durable once its write-ahead log is flushed. */
export function createLogStorage(
  database: DatabaseSync,
  writeAheadLog: Pick<WriteAheadLog, 'flush'>,
): LogStorage {
  const sql = prepare(database)
  // The log asks how a batch's leases stand and then commits it, with no other write between: what was read once is not read again.
  const asked = new Map<string, LeaseState | undefined>()
  const stateOf = (id: string) => (asked.has(id) ? asked.get(id) : readState(sql.leaseState.get(id)))

  // Measured on ext4: what is written after an I/O error may be called durable by fsync and be gone when it is mounted anew.
  let brokenDisk: Failure | undefined

  const write = (batch: LogBatch) => {
    if (storedSize(sql.head.get()) !== batch.from) throw moved()
    for (const [at, entry] of batch.entries.entries()) sql.addEntry.run(batch.from + at, entry)
    writeLeases(batch.leases)
    for (const tile of batch.tiles) sql.addTile.run(tile.level, tile.index, tile.hashes)
    sql.writeHead.run(batch.head.size, batch.head.checkpoint)
    if (batch.keepCheckpoint) sql.keepCheckpoint.run(batch.head.size, batch.head.checkpoint)
  }

  // Counted once for a batch: a trigger would write the counts for every lease.
  const writeLeases = (leases: readonly Lease[]) => {
    const change = new Map<LeaseState, number>()
    const count = (state: LeaseState, by: number) => change.set(state, (change.get(state) ?? 0) + by)
    for (const lease of leases) {
      const before = stateOf(lease.id)
      if (before) count(before, -1)
      count(lease.state, 1)
      sql.writeLease.run(...leaseValues(lease))
      asked.set(lease.id, lease.state)
    }
    for (const [state, by] of change) sql.addToCount.run(by, state)
  }

  return {
    async head() {
      const row = sql.head.get()
      return row && { size: readRow(row).integer('size'), checkpoint: readRow(row).text('checkpoint') }
    },
    async standings(leases) {
      asked.clear()
      return leases.map((lease) => {
        const state = stateOf(lease.id)
        asked.set(lease.id, state)
        const { tenant, agent, idempotencyKeyDigest: key } = lease
        const holder = key === undefined ? undefined : sql.keyHolder.get(tenant, agent, key)
        return { ...(state && { state }), ...(holder && { keyHolder: readRow(holder).text('id') }) }
      })
    },
    async commit(batch) {
      if (brokenDisk) throw brokenDisk
      sql.begin.run()
      try {
        write(batch)
        sql.commit.run()
      } catch (thrown) {
        // SQLite has rolled back by itself when the disk was full.
        if (database.isTransaction) sql.rollback.run()
        if (isIoError(thrown)) brokenDisk = diskFailed(thrown)
        throw brokenDisk ?? thrown
      } finally {
        asked.clear()
      }
      await writeAheadLog.flush().catch((thrown: unknown) => {
        brokenDisk = diskFailed(thrown)
        throw brokenDisk
      })
    },
    entries: async (from, count) =>
      sql.entries.all(from, from + count).map((row) => readRow(row).bytes('body')),
    async tile(level, index) {
      const row = sql.tile.get(level, index)
      return row && readRow(row).bytes('hashes')
    },
    async checkpoints(above, count) {
      const rows = sql.checkpoints.all(above, count).map(readRow)
      return rows.map(({ integer, text }) => ({ size: integer('size'), checkpoint: text('note') }))
    },
  }
}

function prepare(database: DatabaseSync) {
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    head: database.prepare('SELECT size, checkpoint FROM head'),
    writeHead: database.prepare(
      'INSERT INTO head VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint',
    ),
    addEntry: database.prepare('INSERT INTO entry VALUES (?, ?)'),
    entries: database.prepare(
      'SELECT body FROM entry WHERE position >= ? AND position < ? ORDER BY position',
    ),
    addTile: database.prepare('INSERT INTO tile VALUES (?, ?, ?)'),
    tile: database.prepare('SELECT hashes FROM tile WHERE level = ? AND position = ?'),
    keepCheckpoint: database.prepare('INSERT INTO checkpoint VALUES (?, ?)'),
    checkpoints: database.prepare('SELECT size, note FROM checkpoint WHERE size > ? ORDER BY size LIMIT ?'),
    writeLease: database.prepare(writeLeaseSql),
    addToCount: database.prepare('UPDATE lease_count SET leases = leases + ? WHERE state = ?'),
    leaseState: database.prepare('SELECT state FROM lease WHERE id = ?'),
    keyHolder: database.prepare(
      'SELECT id FROM lease WHERE tenant = ? AND agent = ? AND idempotency_key_digest = ?',
    ),
  }
}

function storedSize(head: Row | undefined): number {
  return head ? readRow(head).integer('size') : 0
}

function readState(row: Row | undefined) {
  return row && leaseStates.find((state) => state === row.state)
}

/** `SQLITE_IOERR`, whichever; the kind stands in the higher bits. */
function isIoError(thrown: unknown): boolean {
  return thrown instanceof Error && 'errcode' in thrown && (Number(thrown.errcode) & 0xff) === 10
}

function diskFailed(cause: unknown): Failure {
  return new Failure('store_invalid', 'The disk of the store failed while it was written.', {
    internal: cause instanceof Error ? cause.message : '',
    cause,
    next: 'stop the broker, check the file system, mount it anew, and start again',
  })
}

function moved(): Failure {
  return new Failure('store_invalid', 'The stored log is not where this process left it.')
}
