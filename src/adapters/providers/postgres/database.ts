import { readFile } from 'node:fs/promises'
import type { ClientConfig, Pool } from 'pg'
import { Failure, type Secret } from '../../../primitives/index.ts'
import type { Server } from './config.ts'
import { errorCode, isCatalogRace, toProviderFailure } from './failure.ts'

export type Row = Readonly<Record<string, unknown>>

/** Asks the server one thing. Without values it may be several statements in one text; then the rows are those of the last. */
export type Ask = (sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>

/** The broker's own connection. An aborted signal closes the connection it stands on, so the server rolls back. */
export interface Database {
  readonly server: Server
  /** Statements outside a transaction. Throws failures of the provider port. */
  session<Result>(signal: AbortSignal, work: (ask: Ask) => Promise<Result>): Promise<Result>
  /** All or nothing; done again, a few times, when the catalogue changed underneath. The locks, one expression or several, come first. */
  transaction<Result>(
    signal: AbortSignal,
    work: (ask: Ask) => Promise<Result>,
    options?: Locks,
  ): Promise<Result>
  /** One session in another database of the same server. */
  elsewhere(database: string, signal: AbortSignal, work: (ask: Ask) => Promise<void>): Promise<void>
  close(): Promise<void>
}

export type Locks = {
  readonly lock?: string
  /** How long each lock of the transaction is waited for, in milliseconds; as long as for any statement without it. */
  readonly lockTimeoutMs?: number
}

/** Bounds of the broker's own statements; below the time that the broker gives one attempt. */
export const connectTimeoutMs = 4_000
const statementTimeoutMs = 4_500
const catalogTriesMax = 8

export function openDatabase(server: Server, options: { poolMax: number }): Database {
  let opening: Promise<Pool> | undefined
  const database: Database = {
    server,
    async session(signal, work) {
      try {
        signal.throwIfAborted()
        // Opened with the first use: a broker starts while its database is down.
        opening ??= openPool(server, options.poolMax).catch((thrown: unknown) => {
          opening = undefined
          throw thrown
        })
        return await withClient(await opening, signal, work)
      } catch (thrown) {
        throw toProviderFailure(thrown, signal)
      }
    },
    async transaction(signal, work, options) {
      const begin = beginWith(options)
      const whole = (ask: Ask) => work(beginning(ask, begin))
      for (let tries = 1; ; tries += 1) {
        const outcome = await database.session(signal, (ask) => attempt(ask, whole, tries))
        if (outcome !== raced) return outcome
      }
    },
    async elsewhere(name, signal, work) {
      const there = openDatabase({ ...server, database: name }, { poolMax: 1 })
      try {
        await there.session(signal, work)
      } finally {
        await there.close()
      }
    },
    async close() {
      await (await opening)?.end()
    },
  }
  return database
}

/** How to log in there as somebody. All of it is given, so that `pg` takes no login from the environment or a pgpass file. */
export async function clientConfig(
  server: Server,
  login: { user: string; password: Secret },
): Promise<ClientConfig> {
  const ca = server.tls?.caFile === undefined ? undefined : await readFile(server.tls.caFile, 'utf8')
  return {
    host: server.host,
    port: server.port,
    database: server.database,
    user: login.user,
    password: login.password.reveal(),
    ssl: server.tls ? { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) } : false,
    enableChannelBinding: server.tls !== undefined,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'sallyport',
    // Whoever may create functions in another schema would have them called as the broker.
    options: '-c search_path=pg_catalog,pg_temp',
  }
}

async function openPool(server: Server, poolMax: number): Promise<Pool> {
  const { Pool } = await import('pg')
  const config = await clientConfig(server, server)
  const pool = new Pool({
    ...config,
    max: poolMax,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: 2 * statementTimeoutMs,
    idleTimeoutMillis: 30_000,
    allowExitOnIdle: true,
  })
  // A connection that dies while nobody uses it is an event, not a fault: the next use opens another.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

async function withClient<Result>(
  pool: Pool,
  signal: AbortSignal,
  work: (ask: Ask) => Promise<Result>,
): Promise<Result> {
  const client = await acquire(pool, signal)
  let held = true
  const release = (destroy: boolean) => {
    if (held) client.release(destroy)
    held = false
  }
  const abandon = () => release(true)
  signal.addEventListener('abort', abandon, { once: true })
  const ask: Ask = async (sql, values) => {
    signal.throwIfAborted()
    const result = values ? await client.query<Row>(sql, [...values]) : await client.query<Row>(sql)
    return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows
  }
  try {
    return await work(ask)
  } finally {
    signal.removeEventListener('abort', abandon)
    release(client.getTransactionStatus() !== 'I')
  }
}

async function acquire(pool: Pool, signal: AbortSignal) {
  const connecting = pool.connect()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abandon = () => {
    // Whoever comes to the connection later gives it back: nobody waits for it any more.
    connecting.then(
      (client) => client.release(),
      () => undefined,
    )
    reject(signal.reason)
  }
  signal.addEventListener('abort', abandon, { once: true })
  try {
    return await Promise.race([connecting, aborted])
  } finally {
    signal.removeEventListener('abort', abandon)
  }
}

const raced = Symbol('raced')

/** A transaction with a `lockTimeoutMs` waited so long for a lock. */
export const lockIsHeld = new Failure('provider_timeout', 'Somebody holds a lock in the database.')

/** A server that commits asynchronously could forget a revocation when it crashes. */
function beginWith(locks: Locks | undefined): string {
  const durable = `CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END`
  const timeout = locks?.lockTimeoutMs
  const patience = timeout === undefined ? [] : [`set_config('lock_timeout', '${timeout}', true)`]
  return `BEGIN; SELECT ${[durable, ...patience, ...(locks?.lock === undefined ? [] : [locks.lock])].join(', ')}`
}

async function attempt<Result>(
  ask: Ask,
  work: (ask: Ask) => Promise<Result>,
  tries: number,
): Promise<Result | typeof raced> {
  try {
    const result = await work(ask)
    // A question of its own: what still waits in the server for one that went away ends then with its connection, and not with a role.
    await ask('COMMIT')
    return result
  } catch (thrown) {
    await ask('ROLLBACK').catch(() => undefined)
    if (isCatalogRace(thrown) && tries < catalogTriesMax) return raced
    throw errorCode(thrown) === '55P03' ? lockIsHeld : thrown
  }
}

/** The transaction begins together with its first question, where that has no values: every question is a way to the server and back. */
function beginning(ask: Ask, begin: string): Ask {
  let begun = false
  return async (sql, values) => {
    const first = !begun
    begun = true
    if (first && !values) return ask(`${begin}; ${sql}`)
    if (first) await ask(begin)
    return ask(sql, values)
  }
}
