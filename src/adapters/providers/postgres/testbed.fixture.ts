import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { Client } from 'pg'
import type { Credential, MintOrder, Provider } from '../../../broker/index.ts'
import { type Action, matchResource } from '../../../contract/index.ts'
import { type Clock, Failure, newId, Secret } from '../../../primitives/index.ts'
import { type Postgres, type PostgresOptions, startPostgres } from '../../../testing/postgres.ts'
import type { Unavailable } from '../../../testing/provider.ts'
import { readConfig } from './config.ts'
import { type Database, openDatabase } from './database.ts'
import { postgres } from './provider.ts'

const place = { line: 1, column: 1 }

/** A real server with the broker's role as the documentation makes it, some tables, and a provider that logs in as that role. */
export async function startTestbed(
  options: PostgresOptions & { config?: Record<string, unknown> } = {},
): Promise<Testbed | Unavailable> {
  const server = await startPostgres({ settings: { log_statement: 'all' }, ...options })
  if (server.kind === 'unavailable') return { skip: server.reason }
  const password = randomBytes(12).toString('hex')
  await run(server.url, [...(await documentedSetUp(password)), ...tables])
  const brokerUrl = server.url.replace(/\/\/[^@]+@/, `//sallyport:${password}@`)
  return {
    server,
    clock: systemClock,
    brokerUrl,
    provider: await createTestProvider(brokerUrl, options.config),
    admin: (...statements) => run(server.url, statements),
    log: () => readFile(server.logFile, 'utf8'),
  }
}

export type Testbed = {
  readonly server: Postgres
  readonly clock: Clock
  readonly brokerUrl: string
  readonly provider: Provider
  /** As the superuser; the rows of the last statement. */
  readonly admin: (...statements: string[]) => Promise<readonly unknown[]>
  readonly log: () => Promise<string>
}

export function createTestProvider(url: string, config: Record<string, unknown> = {}): Promise<Provider> {
  const entry = { name: 'orders-db', kind: 'postgres', config: { url: { env: 'URL' }, ...config }, place }
  return postgres.create(entry, [], {
    clock: systemClock,
    random: randomBytes,
    resolve: () => new Secret(url),
    keyFolder: '/nowhere',
    brokerName: 'sallyport-test',
  })
}

/** The broker's own connections, without a provider. */
export function openTestDatabase(url: string, poolMax: number): Database {
  const entry = { name: 'orders-db', kind: 'postgres', config: { url: { env: 'URL' } }, place }
  return openDatabase(readConfig(entry, () => new Secret(url)).server, { poolMax })
}

type Sides = { readonly client: Socket; readonly upstream: Socket }

/** Stands before the server. Whatever a client says goes through `pass`, one piece after the other, which hands it on. */
export async function standBetween(
  bed: Testbed,
  pass: (bytes: Buffer, sides: Sides) => void | Promise<void>,
): Promise<{ readonly url: string; readonly close: () => void }> {
  const between = createServer((client) => {
    const upstream = connectTcp(bed.server.port, '127.0.0.1')
    let passed: Promise<void> = Promise.resolve()
    client.on('data', (bytes) => {
      passed = passed.then(() => pass(bytes, { client, upstream }))
    })
    upstream.pipe(client)
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
  })
  await once(between.listen(0, '127.0.0.1'), 'listening')
  const address = between.address()
  if (typeof address !== 'object' || !address) throw new Error('It does not listen.')
  return {
    url: bed.brokerUrl.replace(/:\d+\//, `:${address.port}/`),
    close: () => between.close(),
  }
}

/** The statements of `docs/providers/postgres.md`, so that what is written there is what is tried. */
async function documentedSetUp(password: string): Promise<readonly string[]> {
  const page = await readFile(new URL('../../../../docs/providers/postgres.md', import.meta.url), 'utf8')
  const block = /```sql\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  return block
    .replace('<password>', password)
    .split(/;\n/)
    .filter((statement) => statement.trim())
}

const tables = [
  'CREATE TABLE public.bills (id int PRIMARY KEY)',
  'INSERT INTO public.orders VALUES (1, 10), (2, 20)',
  'CREATE SCHEMA hidden',
  'CREATE TABLE hidden.papers (id int)',
  'GRANT SELECT ON hidden.papers TO sallyport WITH GRANT OPTION',
]

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: () => Promise.reject(new Failure('internal', 'Nothing here sleeps.')),
}

export function newLeaseId(): string {
  return newId({ prefix: 'lse', now: Date.now(), random: randomBytes })
}

export function orderFor(
  leaseId: string,
  over: { privilege?: string; resource?: string; columns?: string[]; notAfter?: number } = {},
): MintOrder {
  const { privilege = 'SELECT', resource = 'public.orders', columns } = over
  const action: Action = {
    name: 'table',
    resource: '{schema}.{table}',
    means: { privilege, schema: '{schema}', table: '{table}', ...(columns ? { columns } : {}) },
    place,
  }
  return {
    leaseId,
    tenant: 'acme',
    agent: 'agent-7',
    action,
    resource,
    parts: matchResource(action.resource, resource) ?? {},
    notAfter: over.notAfter ?? Date.now() + 300_000,
    requestId: '0af7651916cd43dd8448eb211c80319c',
  }
}

export function live(): AbortSignal {
  return AbortSignal.timeout(15_000)
}

/** The credential's URL, which is all that a client needs. */
export function urlOf(credential: Credential): string {
  const { url } = credential.fields
  if (!(url instanceof Secret)) throw new Error('The credential has no URL.')
  return url.reveal()
}

export async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** One after the other in one session; the rows of the last. */
export async function run(url: string, statements: readonly string[]): Promise<readonly unknown[]> {
  const client = await connect(url)
  try {
    let rows: readonly unknown[] = []
    for (const statement of statements) rows = (await client.query(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}

/** What came of it: `accepted`, or the SQLSTATE with which the server refused. */
export async function tryStatements(url: string, ...statements: string[]): Promise<string> {
  try {
    await run(url, statements)
    return 'accepted'
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown) return String(thrown.code)
    throw thrown
  }
}

export async function use(url: string, ...statements: string[]): Promise<'accepted' | 'refused'> {
  const came = await tryStatements(url, ...statements)
  if (came === 'accepted') return 'accepted'
  if (['42501', '28P01', '28000', '57P01', '25006'].includes(came)) return 'refused'
  throw new Error(`neither accepted nor refused: ${came}`)
}

/** The one group that a lease's role is in. */
export async function groupOf(bed: Testbed, leaseId: string): Promise<string> {
  const rows = await bed.admin(
    `SELECT roleid::regrole::text FROM pg_auth_members WHERE member = '${leaseId}'::regrole`,
  )
  if (rows.length !== 1) throw new Error(`The lease is in ${rows.length} groups.`)
  return String(Object.values(rows[0] ?? {})[0])
}

/** For tests of what a provider refuses. */
export function failsWith(code: string, message?: RegExp) {
  return (thrown: unknown) =>
    thrown instanceof Failure && thrown.code === code && (message?.test(thrown.message) ?? true)
}
