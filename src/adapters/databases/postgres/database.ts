import type { Client } from 'pg'
import {
  type Claim,
  type Claimed,
  type MigrationDatabase,
  type SeenDatabase,
  sessionName,
} from '../../../migration/index.ts'
import { Failure, type Secret } from '../../../primitives/index.ts'
import { errorCode, inTransaction } from './session.ts'
import { readTarget } from './target.ts'

/**
 * A PostgreSQL database with one row of its own, `sallyport.migration`: the role it was stamped with, and a lease with a fence. Every
 * call is one transaction with a lock that ends with it, so a pooler in transaction mode changes nothing. Throws `migration_refused` for a
 * connection string that is none.
 */
export function openPostgresDatabase(connection: Secret): MigrationDatabase {
  const { target, url } = readTarget(connection)
  return {
    target,
    claim: (claim, signal) => inTransaction(url, signal, (client) => claimIn(client, claim)),
    renew: (fence, leaseSeconds, signal) =>
      inTransaction(url, signal, async (client) => {
        const renewed = await knownTo(client.query(renewing, [fence, leaseSeconds]))
        return { result: renewed === 1 ? 'held' : 'lost', keep: true }
      }),
    release: (fence, signal) =>
      inTransaction(url, signal, async (client) => {
        await knownTo(client.query(releasing, [fence]))
        return { result: undefined, keep: true }
      }),
  }
}

const renewing = `update sallyport.migration set lease_until = clock_timestamp() + make_interval(secs => $2)
  where fence = $1 and holder is not null`
const releasing = 'update sallyport.migration set holder = null, lease_until = null where fence = $1'

/** How many rows it changed; none where the migration itself has dropped the table. */
async function knownTo(query: Promise<{ rowCount: number | null }>): Promise<number> {
  try {
    return (await query).rowCount ?? 0
  } catch (thrown) {
    if (errorCode(thrown) === '42P01' || errorCode(thrown) === '3F000') return 0
    throw thrown
  }
}

async function claimIn(client: Client, claim: Claim): Promise<{ result: Claimed; keep: boolean }> {
  await client.query(`select pg_advisory_xact_lock(hashtext('sallyport.migration'))`)
  const { seen, exists } = await look(client, claim.tables)
  const judgement = claim.judge(seen)
  if (judgement.kind !== 'free') return { result: judgement, keep: false }
  if (!exists) for (const statement of making) await client.query(statement)
  await client.query('insert into sallyport.migration (role) values ($1) on conflict do nothing', [
    claim.role,
  ])
  const { rows } = await client.query<{ fence: string }>(claiming, [claim.holder, claim.leaseSeconds])
  const [row] = rows
  if (!row) throw new Failure('internal', 'The database was not claimed.')
  return { result: { kind: 'claimed', fence: Number(row.fence), stamped: !seen.stamp }, keep: true }
}

const making = [
  'create schema if not exists sallyport',
  `create table sallyport.migration (
    the_only boolean primary key default true check (the_only),
    role text not null, stamped_at timestamptz not null default now(),
    fence bigint not null default 0, holder text, lease_until timestamptz)`,
]

const claiming = `update sallyport.migration set fence = fence + 1, holder = $1,
  lease_until = clock_timestamp() + make_interval(secs => $2) returning fence`

async function look(
  client: Client,
  tables: readonly string[],
): Promise<{ readonly seen: SeenDatabase; readonly exists: boolean }> {
  const { rows } = await client.query<{ exists: boolean; read_only: boolean; missing: string[] }>(looking, [
    tables,
  ])
  const [state] = rows
  const unstamped = {
    missingTables: state?.missing ?? tables,
    readOnly: state?.read_only ?? true,
    leftoverSessions: 0,
  }
  if (!state?.exists) return { seen: unstamped, exists: false }
  const { rows: stamps } = await client.query<StampRow>(reading)
  const [row] = stamps
  if (!row) return { seen: unstamped, exists: true }
  const sessions = await client.query<{ count: string }>(counting, [sessionName(Number(row.fence))])
  const lease =
    row.holder === null ? {} : { lease: { holder: row.holder, secondsLeft: row.seconds_left ?? 0 } }
  return {
    seen: {
      ...unstamped,
      ...lease,
      stamp: { role: row.role, stampedAt: row.stamped_at },
      leftoverSessions: Number(sessions.rows[0]?.count ?? 0),
    },
    exists: true,
  }
}

type StampRow = {
  readonly role: string
  readonly stamped_at: string
  readonly fence: string
  readonly holder: string | null
  readonly seconds_left: number | null
}

const looking = `select to_regclass('sallyport.migration') is not null as exists,
  pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as read_only,
  array(select wanted from unnest($1::text[]) wanted where not exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f') and wanted in (c.relname, n.nspname || '.' || c.relname)
      and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'sallyport'))) as missing`

const reading = `select role, to_char(stamped_at at time zone 'UTC', 'YYYY-MM-DD') as stamped_at, fence, holder,
  extract(epoch from lease_until - clock_timestamp())::float8 as seconds_left from sallyport.migration for update`

// Sessions of the same user are seen in full; an idle one holds nothing, and may be a pooler's.
const counting = `select count(*) from pg_stat_activity
  where datname = current_database() and application_name = $1 and state <> 'idle' and pid <> pg_backend_pid()`
