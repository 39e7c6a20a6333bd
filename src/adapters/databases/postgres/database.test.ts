import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'pg'
import { Failure, Secret } from '../../../primitives/index.ts'
import { migrationDatabaseConformance, startPostgres } from '../../../testing/index.ts'
import { openPostgresDatabase } from './index.ts'

const server = await startPostgres()
const skip = server.kind === 'unavailable' ? server.reason : false
const adminUrl = server.kind === 'running' ? server.url : ''
after(() => (server.kind === 'running' ? server.stop() : undefined))

async function sql(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

let serial = 0

async function freshUrl(): Promise<string> {
  serial += 1
  await sql(adminUrl, `create database fresh_${serial}`)
  return adminUrl.replace(/\/postgres$/, `/fresh_${serial}`)
}

async function makeSubject() {
  const url = await freshUrl()
  return {
    database: openPostgresDatabase(new Secret(url)),
    other: openPostgresDatabase(new Secret(url)),
    createTable: (name: string) => sql(url, `create table ${name} (id int)`),
    endLease: () => sql(url, `update sallyport.migration set lease_until = now() - interval '1 second'`),
    close: () => Promise.resolve(),
  }
}

migrationDatabaseConformance('PostgreSQL', makeSubject, { skip })

const free = {
  role: 'staging',
  holder: 'x',
  leaseSeconds: 60,
  tables: [],
  judge: () => ({ kind: 'free' }) as const,
}

async function codeOf(url: string): Promise<Failure> {
  const database = openPostgresDatabase(new Secret(url))
  const thrown: unknown = await database
    .claim(free, AbortSignal.timeout(9000))
    .catch((error: unknown) => error)
  assert.ok(thrown instanceof Failure)
  return thrown
}

test('a wrong password and an unknown database are refused, and nothing of the string is told', {
  skip,
}, async () => {
  const secret = `wrong${Math.random()}`
  const wrong = await codeOf(adminUrl.replace(/:[^:@]+@/, `:${secret}@`))
  assert.equal(wrong.code, 'database_refused')
  assert.ok(!`${wrong.message}${wrong.next}${wrong.internal}`.includes(secret))
  assert.equal((await codeOf(adminUrl.replace(/postgres$/, 'nowhere'))).code, 'database_refused')
})

test('a user who may not create the schema is told so', { skip }, async () => {
  await sql(adminUrl, `create role weak login password 'weak-one'`)
  const url = (await freshUrl()).replace(/\/\/[^@]+@/, '//weak:weak-one@')
  const failure = await codeOf(url)
  assert.match(`${failure.code} ${failure.message}`, /database_refused .*schema sallyport.*42501/)
})

test('a read-only database is seen as one', { skip }, async () => {
  const url = await freshUrl()
  await sql(url, `alter database fresh_${serial} set default_transaction_read_only = on`)
  let readOnly = false
  const judge = (seen: { readOnly: boolean }) => {
    readOnly = seen.readOnly
    return { kind: 'refused', message: '', next: '' } as const
  }
  await openPostgresDatabase(new Secret(url)).claim({ ...free, judge }, AbortSignal.timeout(9000))
  assert.equal(readOnly, true)
})

test('functions that somebody else made are not called by the user who migrates', { skip }, async () => {
  const url = await freshUrl()
  await sql(
    url,
    `create function public.pg_advisory_xact_lock(integer) returns void language plpgsql as $$ begin raise 'called'; end $$`,
  )
  const claimed = await openPostgresDatabase(new Secret(url)).claim(free, AbortSignal.timeout(9000))
  assert.equal(claimed.kind, 'claimed')
})

test('a session of a migration that died and still works in the server is counted', { skip }, async () => {
  const url = await freshUrl()
  const database = openPostgresDatabase(new Secret(url))
  const claimed = await database.claim(free, AbortSignal.timeout(9000))
  assert.equal(claimed.kind, 'claimed')
  const fence = claimed.kind === 'claimed' ? claimed.fence : 0
  const orphan = new Client({ connectionString: url, application_name: `sallyport-migrate-${fence}` })
  await orphan.connect()
  await orphan.query('begin; create table half (id int)')
  let leftover = -1
  const judge = (seen: { leftoverSessions: number }) => {
    leftover = seen.leftoverSessions
    return { kind: 'busy', message: '', next: '' } as const
  }
  await database.claim({ ...free, judge }, AbortSignal.timeout(9000))
  await orphan.end()
  assert.equal(leftover, 1)
})

test('nothing answers at a closed port', async () => {
  const failure = await codeOf('postgresql://a:b@127.0.0.1:1/c')
  assert.equal(failure.code, 'database_unreachable')
})

test('what the connection string alone decides is not asked of the database', async () => {
  const file = await codeOf('postgresql://a:b@127.0.0.1:1/c?sslmode=require&sslrootcert=/nowhere/ca.pem')
  assert.equal(
    `${file.code} ${file.message}`,
    'migration_refused The connection string of the database names a file that cannot be read (ENOENT).',
  )
})

const targets: readonly (readonly [url: string, target: unknown])[] = [
  ['postgres://a:b@db.example.com/c', { kind: 'tcp', host: 'db.example.com', port: 5432 }],
  ['postgresql+psycopg://a:b@[::1]:6432/c', { kind: 'tcp', host: '::1', port: 6432 }],
  ['postgresql://a:b@[::ffff:10.0.0.1]/c', { kind: 'tcp', host: '::ffff:a00:1', port: 5432 }],
  ['postgresql:///c?host=/run/pg', { kind: 'unix', folder: '/run/pg', port: 5432 }],
  ['postgresql://a:b@/c?host=/run/pg/&port=6432', { kind: 'unix', folder: '/run/pg', port: 6432 }],
  ['postgresql://a:b@%2Frun%2Fpg:6432/c', { kind: 'unix', folder: '/run/pg', port: 6432 }],
  ['postgresql://a:b@/c?host=db', { kind: 'tcp', host: 'db', port: 5432 }],
  ['postgresql:///c?host=db&port=1', { kind: 'tcp', host: 'db', port: 1 }],
  ['postgresql://a:x,y@one/c', { kind: 'tcp', host: 'one', port: 5432 }],
  ['postgresql://a@one/c?host=two', 'refused'],
  ['postgresql://a@/c?host=one&host=two', 'refused'],
  ['postgresql://a@one:1/c?port=2', 'refused'],
  ['postgresql://a@one/c?port=2x', 'refused'],
  ['postgresql://a@one/c?hostaddr=10.0.0.1', 'refused'],
  ['postgresql://a@one/c?service=other', 'refused'],
  ['postgresql://a@one:1,two:2/c', 'refused'],
  ['postgresql://a@one,two/c', 'refused'],
  ['postgresql://a@/c?host=one,two', 'refused'],
  ['postgresql://a@/c?host=@abstract', 'refused'],
  ['postgresql://a@%2Frun%zz/c', 'refused'],
  ['postgresql://a:b@/c', 'refused'],
  ['postgresql://a@o%20ne/c', 'refused'],
  ['postgresql:///c', 'refused'],
  ['mysql://a@one/c', 'refused'],
  ['', 'refused'],
]

for (const [url, target] of targets)
  test(`${url === '' ? 'an empty string' : url} leads to ${JSON.stringify(target)}`, () => {
    if (target !== 'refused') assert.deepEqual(openPostgresDatabase(new Secret(url)).target, target)
    else assert.throws(() => openPostgresDatabase(new Secret(url)), { code: 'migration_refused' })
  })
