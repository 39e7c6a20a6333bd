import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { Failure, Secret } from '../../../primitives/index.ts'
import { readConfig, readMeans, readTarget, scramIterationsMax } from './config.ts'

const place = { line: 42, column: 3 }
const url = 'postgres://sallyport:s3cr%40t-word@127.0.0.1:6543/orders'

function config(over: Record<string, unknown> = {}, source = url) {
  const entry = { name: 'orders-db', kind: 'postgres', config: { url: { env: 'URL' }, ...over }, place }
  return readConfig(entry, () => new Secret(source))
}

function means(over: Record<string, unknown>, resource = '{schema}.{table}') {
  const base = { privilege: 'SELECT', schema: '{schema}', table: '{table}' }
  return readMeans({ name: 'read', resource, means: { ...base, ...over }, place })
}

const invalid = (message: RegExp) => (thrown: unknown) =>
  thrown instanceof Failure &&
  thrown.code === 'contract_invalid' &&
  thrown.message.startsWith('Line 42: ') &&
  message.test(thrown.message) &&
  !inspect(thrown).includes('s3cr')

test('a url alone is a whole configuration', () => {
  const read = config()
  assert.deepEqual(
    { ...read.server, password: read.server.password.reveal() },
    {
      host: '127.0.0.1',
      port: 6543,
      database: 'orders',
      user: 'sallyport',
      password: 's3cr@t-word',
      tls: undefined,
    },
  )
  assert.deepEqual(
    [read.poolMax, read.connectionsPerLeaseMax, read.leaseStatementTimeoutSeconds],
    [10, 2, 30],
  )
  assert.equal(read.scramIterations, 4096)
})

test('beyond loopback the connection is TLS with a checked certificate, unless the contract says off', () => {
  const far = 'postgres://sallyport:x@db.example.test/orders'
  assert.deepEqual(config({}, far).server.tls, { caFile: undefined })
  assert.deepEqual(config({}, `${far}?sslmode=require&channel_binding=require`).server.tls, {
    caFile: undefined,
  })
  assert.deepEqual(config({ tls: { ca: '/ca.pem' } }, far).server.tls, { caFile: '/ca.pem' })
  assert.deepEqual(config({ tls: {} }).server.tls, { caFile: undefined })
  assert.deepEqual(config({}, `${url}?sslmode=verify-full`).server.tls, { caFile: undefined })
  assert.equal(config({ tls: 'off' }, far).server.tls, undefined)
  for (const weaker of ['disable', 'allow', 'prefer', 'no-verify'])
    assert.throws(() => config({}, `${far}?sslmode=${weaker}`), invalid(/may ask for more TLS, not for less/))
})

test('a verifier may have from one round to as many as `pg` takes, and nothing else', () => {
  for (const rounds of [1, scramIterationsMax])
    assert.equal(config({ scramIterations: rounds }).scramIterations, rounds)
  for (const rounds of [0, scramIterationsMax + 1, 1.5, '4096', null])
    assert.throws(() => config({ scramIterations: rounds }), invalid(/scramIterations/))
})

test('what is not understood does not start, and no message shows the url', () => {
  const wrong: [Record<string, unknown>, string, RegExp][] = [
    [{ pool: 3 }, url, /Unrecognized key/],
    [{ poolMax: 0 }, url, /poolMax/],
    [{ poolMax: 51 }, url, /poolMax/],
    [{ statementTimeout: '2h' }, url, /statementTimeout.*1s to 1h/],
    [{ statementTimeout: 'soon' }, url, /statementTimeout/],
    [{ maxConnectionsPerRole: 21 }, url, /maxConnectionsPerRole/],
    [{ rotates: [{ role: 'app"; --', file: '/x' }] }, url, /rotates\.0\.role/],
    [
      {
        rotates: [
          { role: 'app', file: '/x' },
          { role: 'app', file: '/y' },
        ],
      },
      url,
      /rotates: .*each role/,
    ],
    [
      {
        rotates: [
          { role: 'app', file: '/x' },
          { role: 'web', file: '/./x' },
        ],
      },
      url,
      /rotates: .*file/,
    ],
    [
      {
        rotates: [
          { role: 'app', file: '/x' },
          { role: 'web', file: '/x.next' },
        ],
      },
      url,
      /rotates: .*file/,
    ],
    [{}, 'mysql://sallyport:s3cret@127.0.0.1/x', /postgres:\/\//],
    [{}, 's3cret', /postgres:\/\//],
    [{}, 'postgres://sallyport@127.0.0.1/x', /postgres:\/\//],
    [{}, 'postgres://sallyport:s3cr%zz@127.0.0.1/x', /escapes nothing/],
    [{}, `${url}?options=-c%20role%3Ds3cr`, /parameter options/],
  ]
  for (const [over, source, message] of wrong) assert.throws(() => config(over, source), invalid(message))
  assert.equal(config({ poolMax: 50, statementTimeout: '1h', maxConnectionsPerRole: 20 }).poolMax, 50)
})

test('an action means exactly one verb on one table', () => {
  assert.throws(() => means({ privilege: 'ALL' }), invalid(/privilege/))
  assert.throws(() => means({ privilege: ['SELECT', 'INSERT'] }), invalid(/privilege/))
  assert.throws(() => means({ privilege: 'TRUNCATE' }), invalid(/privilege/))
  assert.throws(() => means({ table: undefined }), invalid(/table/))
  assert.throws(() => means({ table: '{bucket}' }), invalid(/no part of the resource/))
  assert.throws(() => means({ schema: 'public' }), invalid(/\{schema\} of the resource stands in neither/))
  assert.equal(means({ schema: 'public' }, '{table}').schema, 'public')
  assert.throws(() => means({ table: 'a-{table}' }), invalid(/cannot become an identifier/))
  assert.throws(() => means({ schema: 'pg_catalog' }, '{table}'), invalid(/PostgreSQL itself/))
  assert.throws(() => means({ privilege: 'DELETE', columns: ['id'] }), invalid(/whole rows/))
  assert.throws(() => means({ columns: ['id"'] }), invalid(/columns/))
  assert.throws(() => means({ grant: true }), invalid(/Unrecognized key/))
})

test('only identifiers come out of attacker-controlled parts, whatever goes in', () => {
  const template = means({ table: 't_{table}' })
  const cases = { total: 0, taken: 0 }
  const part = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 70 }),
    fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,65}$/),
  )
  fc.assert(
    fc.property(part, part, (schema, table) => {
      cases.total += 1
      try {
        const target = readTarget(template, { schema, table, resource: `${schema}.${table}` })
        assert.match(target.schema, /^[A-Za-z_][A-Za-z0-9_]{0,62}$/)
        assert.match(target.table, /^t_[A-Za-z0-9_]{0,61}$/)
        assert.ok(!target.schema.startsWith('pg_'))
        cases.taken += 1
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown
        assert.equal(thrown.code, 'provider_refused')
      }
    }),
    { numRuns: 2000 },
  )
  console.log(`identifiers: ${cases.total} cases, ${cases.taken} of them taken`)
  assert.ok(cases.taken > 100)
})
