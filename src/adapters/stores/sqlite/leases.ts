import type { DatabaseSync } from 'node:sqlite'
import type { Lease, LeaseFilter, LeaseState, LeaseStore } from '../../../broker/index.ts'
import { Failure } from '../../../primitives/index.ts'
import { leaseStates, toLease } from './lease-row.ts'
import { readRow } from './row.ts'
import type { WriteAheadLog } from './write-ahead-log.ts'

/** Leases that one call reads at most. */
const pageLeasesMax = 1_000

/**
 * The broker's lease store in an open database. Ids are time-ordered, so the newest lease has the largest. Nobody is told what a power cut could still
 * take back: a read waits for the flush that is under way.
 */
export function createLeaseStore(
  database: DatabaseSync,
  { settled }: Pick<WriteAheadLog, 'settled'>,
): LeaseStore {
  const sql = prepare(database)

  // One state at a time, so that each read walks its index backwards and stops after `limit`; sorting all would not.
  const newest = (state: LeaseState, filter: LeaseFilter, page: { before: string; limit: number }) => {
    const { tenant, agent } = filter
    const rest = [filter.service ?? null, filter.mode ?? null, page.limit] as const
    if (tenant === undefined) return sql.byState.all(state, page.before, agent ?? null, ...rest)
    if (agent === undefined) return sql.byTenant.all(tenant, state, page.before, ...rest)
    return sql.byAgent.all(tenant, agent, state, page.before, ...rest)
  }

  return {
    async find(id) {
      await settled()
      const row = sql.find.get(id)
      return row && toLease(row)
    },
    async findByIdempotencyKey({ tenant, agent, keyDigest }) {
      await settled()
      const row = sql.findByKey.get(tenant, agent, keyDigest)
      return row && toLease(row)
    },
    async list(filter, { after, limit }) {
      demandLimit(limit)
      await settled()
      const states = [...new Set(filter.states ?? leaseStates)]
      const page = { before: after ?? afterEveryId, limit: limit + 1 }
      const found = states.flatMap((state) => newest(state, filter, page)).map(toLease)
      const leases = found.sort(newestFirst).slice(0, limit)
      const last = leases.at(-1)
      return found.length > limit && last ? { leases, next: last.id } : { leases }
    },
    async due(now, limit) {
      demandLimit(limit)
      await settled()
      return sql.due.all(now, limit).map(toLease)
    },
    async count() {
      await settled()
      const counts = { intended: 0, live: 0, ending: 0, ended: 0, failed: 0 }
      for (const row of sql.count.all().map(readRow)) {
        const state = leaseStates.find((name) => name === row.text('state'))
        if (state) counts[state] = row.integer('leases')
      }
      return counts
    },
  }
}

/** Sorts after every id, which are ASCII. */
const afterEveryId = '\u{10ffff}'

function prepare(database: DatabaseSync) {
  const select = 'SELECT * FROM lease'
  const page = (first: number) =>
    `(?${first} IS NULL OR service = ?${first}) AND (?${first + 1} IS NULL OR mode = ?${first + 1})
     ORDER BY id DESC LIMIT ?${first + 2}`
  return {
    find: database.prepare(`${select} WHERE id = ?`),
    findByKey: database.prepare(`${select} WHERE tenant = ? AND agent = ? AND idempotency_key_digest = ?`),
    byState: database.prepare(
      `${select} WHERE state = ?1 AND id < ?2 AND (?3 IS NULL OR agent = ?3) AND ${page(4)}`,
    ),
    byTenant: database.prepare(`${select} WHERE tenant = ?1 AND state = ?2 AND id < ?3 AND ${page(4)}`),
    byAgent: database.prepare(
      `${select} WHERE tenant = ?1 AND agent = ?2 AND state = ?3 AND id < ?4 AND ${page(5)}`,
    ),
    due: database.prepare(`${select} WHERE next_action_at <= ? ORDER BY next_action_at, id LIMIT ?`),
    count: database.prepare('SELECT state, leases FROM lease_count'),
  }
}

function newestFirst(left: Lease, right: Lease): number {
  return left.id < right.id ? 1 : -1
}

function demandLimit(limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= pageLeasesMax) return
  throw new Failure('request_invalid', `A page has 1 to ${pageLeasesMax} leases.`)
}
