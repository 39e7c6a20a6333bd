import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import type { Issued } from '../../client/src/index.ts'
import { Failure } from '../primitives/index.ts'
import type { DemoTarget } from './demo-target.ts'

/** A real PostgreSQL with two tables; the broker's own role there is no superuser. */
export async function startDatabaseTarget(): Promise<DemoTarget | { readonly unavailable: string }> {
  // Loaded here alone: the published package has it, but not the database.
  const { startPostgres } = await import('../testing/index.ts')
  const postgres = await startPostgres()
  if (postgres.kind === 'unavailable') return { unavailable: postgres.reason }
  const url = await prepare(postgres.url)
  let session: Client | undefined
  let cut = ''
  return {
    devOptions: { postgres: url },
    denied: { service: 'orders-db', action: 'read-table', resource: 'public.customers', duration: '5m' },
    allowed: { service: 'orders-db', action: 'read-table', resource: 'public.orders', duration: '5m' },
    open: async () => undefined,
    async use(issued) {
      session = await login(issued)
      session.on('error', (thrown) => {
        cut ||= wordsOf(thrown)
      })
      // The role starts read-only; so that the refusals below are the grant's alone, it first asks for more.
      await session.query('SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE')
      const { rows } = await session.query('SELECT count(*)::int AS orders FROM orders')
      return [
        ['used', `PostgreSQL ${await versionOf(session)}: select from orders gave ${rows[0]?.orders} rows`],
        [
          'refused',
          `insert into orders: ${await refusal(session, 'INSERT INTO orders (item) VALUES ($1)', ['x'])}`,
        ],
        ['refused', `select from customers: ${await refusal(session, 'SELECT * FROM customers', [])}`],
      ]
    },
    async refusedAfterRevocation(issued) {
      await refusal(session, 'SELECT 1', [])
      const again = await login(issued).then(
        () => undefined,
        (thrown: unknown) => wordsOf(thrown),
      )
      if (again === undefined) throw new Failure('internal', 'The dead credential still logs in.')
      return `open session: ${cut}; new login: ${again}`
    },
    async close() {
      await session?.end().catch(() => undefined)
      await postgres.stop()
    },
  }
}

/** Makes the tables and the broker's role, and gives the role's URL. */
async function prepare(adminUrl: string): Promise<string> {
  const admin = new Client({ connectionString: adminUrl })
  const password = randomBytes(16).toString('hex')
  await admin.connect()
  try {
    await admin.query(`
      CREATE ROLE sallyport LOGIN CREATEROLE PASSWORD '${password}';
      CREATE TABLE orders (id serial PRIMARY KEY, item text NOT NULL);
      INSERT INTO orders (item) VALUES ('bread'), ('cheese'), ('wine');
      CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL);
      GRANT SELECT ON orders, customers TO sallyport WITH GRANT OPTION;
      REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    `)
  } finally {
    await admin.end()
  }
  const url = new URL(adminUrl)
  url.username = 'sallyport'
  url.password = password
  return url.href
}

async function login({ credential }: Issued): Promise<Client> {
  const client = new Client({ connectionString: String(credential['url']), connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

async function versionOf(client: Client): Promise<string> {
  const { rows } = await client.query('SHOW server_version')
  return String(rows[0]?.server_version)
}

async function refusal(client: Client | undefined, sql: string, values: readonly string[]): Promise<string> {
  try {
    await client?.query(sql, [...values])
  } catch (thrown) {
    return wordsOf(thrown)
  }
  throw new Failure('internal', 'The demo did not go as promised.', { internal: `${sql} was not refused` })
}

function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.message.split('\n')[0] ?? '') : 'refused'
}
