import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, describe, test } from 'node:test'
import { unconfinable } from './confinement.ts'
import { migrateWith, query, startMigrate, startTestbed, tooling } from './migrate.fixture.ts'

const testbed = await startTestbed()
const cannot = unconfinable()
const reason = testbed.kind === 'unavailable' ? testbed.reason : cannot
const skip = reason ?? false
after(() => (testbed.kind === 'running' ? testbed.stop() : undefined))

async function makeDatabase(state: 'empty' | 'bootstrapped' = 'bootstrapped') {
  if (testbed.kind === 'unavailable') throw new Error(testbed.reason)
  return testbed.database(state)
}

describe('sallyport migrate', { skip, timeout: 120_000 }, () => {
  test('runs the tool, stamps the role, and tells no password', async () => {
    const { env, url } = await makeDatabase()
    const { code, out, err } = await migrateWith(env, tooling('sql', 'create table made (id int)'))
    assert.equal(code, 0, err)
    assert.equal(out, 'done\n')
    assert.match(err, /mode LOCAL, DB_ROLE=staging decides, DB_AUTHORITY=hosted informs; .* stamped staging/)
    assert.ok(!`${out}${err}`.includes(new URL(url).password))
    const [row] = await query(
      url,
      `select role, holder, to_regclass('made') is not null as made from sallyport.migration`,
    )
    assert.deepEqual(row, { role: 'staging', holder: null, made: true })
  })

  test('gives the exit code of the tool', async () => {
    const { env } = await makeDatabase()
    assert.equal((await migrateWith(env, tooling('exit', '41'))).code, 41)
    assert.equal((await migrateWith(env, tooling('exit', '41'), ['--unconfined'])).code, 41)
    assert.equal((await migrateWith(env, ['no-such-tool'])).code, 127)
  })

  test('a database of prod never takes a migration that says staging', async () => {
    const { env, url } = await makeDatabase()
    const prod = { ...env, APP_MODE: 'prod', DB_ROLE: 'prod', CONFIRM_PROD_MIGRATIONS: 'true' }
    assert.equal((await migrateWith(prod, tooling('exit', '0'))).code, 0)
    const { code, err } = await migrateWith(env, tooling('sql', 'create table never (id int)'))
    assert.equal(code, 78)
    assert.match(err, /This database is prod since .* DB_ROLE says staging/)
    assert.deepEqual(await query(url, `select to_regclass('never') as never`), [{ never: null }])
  })

  test('prod without confirmation, a replica, another mode and no mode are refused, and nothing is stamped', async () => {
    const { env, url } = await makeDatabase()
    const cases = [
      { APP_MODE: 'prod', DB_ROLE: 'prod' },
      { APP_MODE: 'prod', DB_ROLE: 'prod', CONFIRM_PROD_MIGRATIONS: 'false' },
      { DB_ROLE: 'replica' },
      { DB_ROLE: 'prod', CONFIRM_PROD_MIGRATIONS: 'true' },
      { DB_ROLE: '' },
      { APP_MODE: 'neither' },
      { DATABASE_URL: '' },
    ]
    for (const change of cases) {
      const { code, out } = await migrateWith({ ...env, ...change }, tooling('env'))
      assert.deepEqual([code, out], [78, ''], JSON.stringify(Object.keys(change)))
    }
    assert.deepEqual(await query(url, `select to_regclass('sallyport.migration') as stamp`), [
      { stamp: null },
    ])
  })

  test('an empty database gets the bootstrap answer', async () => {
    const { env } = await makeDatabase('empty')
    const { code, err } = await migrateWith(env, tooling('exit', '0'))
    assert.equal(code, 78)
    assert.match(err, /The database is empty: runs, tenants .*bootstrap\.sql/s)
    assert.doesNotMatch(err, /\bat .*\.ts:/)
  })

  test('a wrong password and a server that is away are told, not thrown', async () => {
    const { env, url } = await makeDatabase()
    const wrong = await migrateWith(
      { ...env, DATABASE_URL: url.replace(/:[^:@]+@/, ':wr0ng-one@') },
      tooling('env'),
    )
    assert.deepEqual([wrong.code, wrong.out], [7, ''])
    assert.match(wrong.err, /database_refused/)
    assert.ok(!wrong.err.includes('wr0ng-one'))
    const away = await migrateWith({ ...env, DATABASE_URL: 'postgresql://a:b@127.0.0.1:1/c' }, tooling('env'))
    assert.deepEqual([away.code, away.out], [7, ''])
  })

  test('only the variables of the database plane reach the tool', async () => {
    const { env } = await makeDatabase()
    const foreign = {
      PAYMENT_API_KEY: 'k',
      HTTPS_PROXY: 'p',
      GITHUB_TOKEN: 't',
      PGHOST: 'h',
      SSH_AUTH_SOCK: 's',
    }
    const { out } = await migrateWith({ ...env, ...foreign }, tooling('env'))
    const seen = Object.keys(JSON.parse(out))
    assert.deepEqual(
      seen.filter((name) => name in foreign || /^NODE_/.test(name)),
      [],
    )
    for (const name of Object.keys(env)) assert.ok(seen.includes(name), name)
  })

  test('the tool reaches the database and no other address', async () => {
    const { env } = await makeDatabase()
    const other = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address ? String(address.port) : ''
    const words = tooling('reach', `127.0.0.1 ${port}`)
    assert.match((await migrateWith(env, words)).out, / not reached ECONNREFUSED/)
    const unconfined = await migrateWith(env, words, ['--unconfined'])
    assert.equal(unconfined.out, `done\n127.0.0.1 ${port} reached\n`)
    assert.match(unconfined.err, /not confined/)
    other.close()
  })

  test('two at once: the second is told, and runs when the first has ended', async () => {
    const { env } = await makeDatabase()
    const first = startMigrate(env, ['begin', 'create table held (id int)'])
    await first.shows(/pid \d+/)
    const second = await migrateWith(env, tooling('exit', '0'))
    assert.equal(second.code, 75)
    assert.match(second.err, /Another migration of this database runs/)
    first.process.kill('SIGTERM')
    assert.equal(await first.ended, 43)
    assert.equal((await migrateWith(env, tooling('exit', '0'))).code, 0)
  })

  test('a tool that is killed gives 137, its transaction is gone and the database is free', async () => {
    const { env, url } = await makeDatabase()
    const run = startMigrate(env, ['begin', 'create table half (id int)'])
    await run.shows(/pid \d+/)
    process.kill(Number(/pid (\d+)/.exec(run.out())?.[1]), 'SIGKILL')
    assert.equal(await run.ended, 137)
    assert.deepEqual(await query(url, `select to_regclass('half') as half`), [{ half: null }])
    assert.equal((await migrateWith(env, tooling('exit', '0'))).code, 0)
  })

  test('when the launcher is killed the tool loses the database, and its lease keeps others out until it is over', async () => {
    const { env, url } = await makeDatabase()
    const run = startMigrate(env, ['begin', 'create table half (id int)'])
    await run.shows(/pid \d+/)
    run.process.kill('SIGKILL')
    await run.ended
    assert.equal((await migrateWith(env, tooling('exit', '0'))).code, 75)
    await query(url, 'update sallyport.migration set lease_until = now()')
    assert.equal((await migrateWith(env, tooling('sql', 'create table half (id int)'))).code, 0)
  })

  test('who is fenced out is ended, and what it began is undone', async () => {
    const { env, url } = await makeDatabase()
    const run = startMigrate(env, ['begin', 'create table half (id int)'])
    await run.shows(/pid \d+/)
    await query(url, 'update sallyport.migration set fence = fence + 1')
    assert.equal(await run.ended, 7)
    assert.match(run.err(), /migration_lost/)
    assert.deepEqual(await query(url, `select to_regclass('half') as half`), [{ half: null }])
  })
})
