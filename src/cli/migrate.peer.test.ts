import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { freePort } from '../testing/free-port.ts'
import { unconfinable } from './confinement.ts'
import {
  contractFile,
  exampleFolder,
  migrateWith,
  query,
  startMigrate,
  startTestbed,
  tooling,
} from './migrate.fixture.ts'
import { startProgram } from './program.fixture.ts'

const peers = resolve(import.meta.dirname, '../..', process.env['SALLYPORT_PEERS'] ?? '.peers')
const alembic = join(peers, 'proxies/bin/alembic')
const nodePgMigrate = join(peers, 'migrations/node_modules/.bin/node-pg-migrate')
const pgbouncer = '/usr/sbin/pgbouncer'
const testbed = await startTestbed()
const cannot = unconfinable()
after(() => (testbed.kind === 'running' ? testbed.stop() : undefined))

function skipWithout(file: string): string | false {
  if (testbed.kind === 'unavailable') return testbed.reason
  return cannot ?? (existsSync(file) ? false : `${file} is not there: npm run peers`)
}

async function makeDatabase(state: 'empty' | 'bootstrapped' = 'bootstrapped') {
  if (testbed.kind === 'unavailable') throw new Error(testbed.reason)
  return testbed.database(state)
}

const tools = [
  {
    name: 'Alembic',
    file: alembic,
    up: [
      ...['env', 'PYTHONDONTWRITEBYTECODE=1'],
      ...[alembic, '-c', join(exampleFolder, '../fastapi-backend/alembic.ini'), 'upgrade', 'head'],
    ],
  },
  {
    name: 'node-pg-migrate',
    file: nodePgMigrate,
    up: [
      nodePgMigrate,
      'up',
      '--no-lock',
      '--migrations-dir',
      join(exampleFolder, 'node-pg-migrate/migrations'),
    ],
  },
]

const hasState = `select count(*)::int as count from information_schema.columns where table_name = 'runs' and column_name = 'state'`

for (const { name, file, up } of tools)
  describe(`${name} under sallyport migrate`, { skip: skipWithout(file), timeout: 120_000 }, () => {
    test('migrates, and a second time has nothing to do', async () => {
      const { env, url } = await makeDatabase()
      const first = await migrateWith(env, up)
      assert.equal(first.code, 0, first.err + first.out)
      assert.deepEqual(await query(url, hasState), [{ count: 1 }])
      assert.equal((await migrateWith(env, up)).code, 0)
      assert.ok(!`${first.out}${first.err}`.includes(new URL(url).password))
    })

    test('is not started for a replica, nor on an empty database', async () => {
      const { env, url } = await makeDatabase('empty')
      assert.equal((await migrateWith({ ...env, DB_ROLE: 'replica' }, up)).code, 78)
      const { code, err } = await migrateWith(env, up)
      assert.equal(code, 78)
      assert.match(err, /bootstrap\.sql/)
      assert.deepEqual(
        await query(url, `select count(*)::int as count from pg_tables where schemaname = 'public'`),
        [{ count: 0 }],
      )
    })

    test('fails with its own code where its SQL fails, leaves nothing, and runs when that is mended', async () => {
      const { env, url } = await makeDatabase()
      await query(url, 'alter table runs add column state int')
      assert.equal((await migrateWith(env, up)).code, 1)
      await query(url, 'alter table runs drop column state')
      assert.equal((await migrateWith(env, up)).code, 0)
    })
  })

for (const { name, file, up } of tools)
  describe(`${name} that dies in the middle`, { skip: skipWithout(file), timeout: 120_000 }, () => {
    test('leaves nothing, keeps others out while its statement runs, and runs again after that', async () => {
      const { env, url } = await makeDatabase()
      const other = new Client({ connectionString: url })
      await other.connect()
      await other.query('begin; lock table runs')
      const run = startProgram(['migrate', '--contract', contractFile, '--', ...up], env)
      while ((await query(url, waiting)).length === 0) await pause(50)
      process.kill(innermost(run.process.pid ?? 0), 'SIGKILL')
      assert.equal(await run.ended, 137, run.err())
      const early = await migrateWith(env, up)
      assert.equal(early.code, 75, early.err)
      assert.match(early.err, /A migration died here, and 1 of its sessions still work/)
      await other.query('rollback')
      await other.end()
      while ((await query(url, waiting)).length > 0) await pause(50)
      assert.deepEqual(await query(url, hasState), [{ count: 0 }])
      const { code, err } = await migrateWith(env, up)
      assert.equal(code, 0, err)
      assert.deepEqual(await query(url, hasState), [{ count: 1 }])
    })
  })

const waiting = `select pid from pg_stat_activity where application_name like 'sallyport-migrate-%'
  and datname = current_database() and state <> 'idle' and query ~* 'alter table'`

/** The tool itself, below the processes that keep it in its network. */
function innermost(pid: number): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return child ? innermost(Number(child)) : pid
}

describe('migrations through PgBouncer in transaction mode', {
  skip: skipWithout(pgbouncer),
  timeout: 120_000,
}, () => {
  test('two at once are stopped, and the tools migrate', async () => {
    const { env, url } = await makeDatabase()
    const pooler = await startPooler(url)
    try {
      const pooled = { ...env, DATABASE_URL: pooler.url }
      const first = startMigrate(pooled, ['begin', 'create table held (id int)'])
      await first.shows(/pid \d+/)
      assert.equal((await migrateWith(pooled, tooling('exit', '0'))).code, 75)
      assert.equal((await migrateWith(env, tooling('exit', '0'))).code, 75, 'nor past the pooler')
      first.process.kill('SIGTERM')
      assert.equal(await first.ended, 43)
      for (const { file, up } of tools) {
        if (!existsSync(file)) continue
        await query(url, 'alter table runs drop column if exists state')
        const { code, err, out } = await migrateWith(pooled, up)
        assert.equal(code, 0, err + out)
      }
    } finally {
      await pooler.stop()
    }
  })
})

/** In front of one throw-away server, whose password it has in a file. */
async function startPooler(url: string) {
  const { port: server, username, password, pathname } = new URL(url)
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-pooler-'))
  await chmod(folder, 0o755)
  const port = await freePort()
  await writeFile(join(folder, 'users'), `"${username}" "${password}"\n`, { mode: 0o644 })
  const settings = `[databases]\n* = host=127.0.0.1 port=${server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}
unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = ${join(folder, 'users')}\npool_mode = transaction\n`
  await writeFile(join(folder, 'ini'), settings)
  const asOther = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn(pgbouncer, ['-q', ...asOther, join(folder, 'ini')], { stdio: 'ignore' })
  const pooled = `postgresql://${username}:${password}@localhost:${port}${pathname}`
  for (let tries = 0; tries < 100; tries += 1) {
    if (await query(pooled, 'select 1').catch(() => undefined)) break
    await pause(50)
  }
  return {
    url: pooled,
    async stop() {
      if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
