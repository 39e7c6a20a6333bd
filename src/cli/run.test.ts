import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Caller } from '../broker/index.ts'
import { type Dev, startDev } from './dev.ts'
import { runProgram, startProgram } from './program.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-run-'))
const operator: Caller = {
  tenant: 'acme',
  agent: 'dana',
  plane: 'human',
  roles: ['operator', 'auditor', 'platform'],
  method: 'token',
  subject: 'dana',
}
let dev: Dev
before(async () => {
  const options = { dir: join(folder, 'dev'), port: 0, humanPort: 0 }
  dev = await startDev(options, { environment: {}, note: (line) => console.error(line) })
})
after(async () => {
  await dev.stop()
  rmSync(folder, { recursive: true })
})

const asked = ['--service', 'orders-api', '--action', 'read-order', '--resource', 'order-7', '--']
const words = (...command: readonly string[]) => ['run', '--dev', dev.files.folder, ...asked, ...command]
const node = (script: string) => words(process.execPath, '--eval', script)

async function leases(state: 'live' | 'ended') {
  const { leases } = await dev.running.assembled.broker.listLeases(
    operator,
    { states: [state] },
    { limit: 1000 },
  )
  return leases.length
}

test('the exit code of the command is returned, and its lease is over', async () => {
  for (const code of [0, 7, 255]) {
    assert.equal((await runProgram(node(`process.exit(${code})`))).code, code)
    assert.equal(await leases('live'), 0)
  }
})

test('a command that a signal ends gives 128 and its number, and its lease is over', async () => {
  for (const [name, number] of [
    ['SIGTERM', 15],
    ['SIGKILL', 9],
    ['SIGINT', 2],
  ] as const) {
    assert.equal((await runProgram(node(`process.kill(process.pid, '${name}')`))).code, 128 + number)
    assert.equal(await leases('live'), 0)
  }
})

test('signals go on to the command, which decides what they do; then the lease is over', async () => {
  const script = `for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'])
    process.on(name, () => { console.log(name); if (name === 'SIGHUP') process.exit(3) });
    console.log('ready'); setInterval(() => {}, 1000)`
  const program = startProgram(node(script))
  await program.shows('ready')
  for (const name of ['SIGUSR2', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    program.process.kill(name)
    await program.shows(name)
  }
  assert.equal(await program.ended, 3)
  assert.equal(await leases('live'), 0)
})

test('a signal before the credential is there starts nothing, and ends the lease', async () => {
  const slow = await slowTo(dev.running.machineUrl)
  const env = {
    SALLYPORT_URL: slow.url,
    SALLYPORT_CA: dev.files.ca,
    SALLYPORT_KEY_FILE: dev.files.machineKey,
  }
  const mark = join(folder, 'started')
  const before = await leases('ended')
  const program = startProgram(['run', ...asked, 'touch', mark], env)
  await slow.reached
  program.process.kill('SIGTERM')
  await pause(50)
  slow.go()
  assert.equal(await program.ended, 143)
  assert.deepEqual([await leases('live'), await leases('ended')], [0, before + 1])
  assert.equal((await runProgram(['run', ...asked, 'test', '-e', mark], env)).code, 1)
  slow.close()
})

test('a command line that is killed leaves a lease that ends by its time', async () => {
  const program = startProgram(node(`console.log('pid', process.pid); setInterval(() => {}, 1000)`))
  await program.shows(/pid \d+\n/)
  program.process.kill('SIGKILL')
  const { leases: left } = await dev.running.assembled.broker.listLeases(
    operator,
    { states: ['live'] },
    { limit: 9 },
  )
  assert.equal(left.length, 1)
  const [lease] = left
  // Nobody is there any more to tell it.
  process.kill(Number(/pid (\d+)/.exec(program.out())?.[1]))
  assert.ok(lease && lease.expiresAt <= Date.now() + 15 * 60_000)
  await dev.running.assembled.broker.revoke({ caller: operator, requestId: '0'.repeat(32), id: lease.id })
})

test('bytes pass through untouched, in and out', async () => {
  const input = Array.from({ length: 20_000 }, (_, at) => `line ${at} \u001b[1m\u0007 é\n`).join('')
  const { code, out, err } = await runProgram(words('cat'), {}, input)
  assert.deepEqual([code, out === input, err], [0, true, ''])
})

test('the command sees the credential and no ambient one', async () => {
  const home = mkdtempSync(join(folder, 'home-'))
  writeFileSync(join(home, '.pgpass'), 'secret')
  const secrets = {
    AWS_ACCESS_KEY_ID: 'ambient',
    AWS_PROFILE: 'ambient',
    PGPASSWORD: 'ambient',
    DATABASE_URL: 'ambient',
    GITHUB_TOKEN: 'ambient',
    ANTHROPIC_API_KEY: 'ambient',
    SALLYPORT_KEY_FILE: 'ambient',
    SALLYPORT_DEV: dev.files.folder,
    NODE_OPTIONS: '',
    HTTPS_PROXY: 'http://ambient:ambient@127.0.0.1:9',
    HOME: home,
  }
  const { out } = await runProgram(
    ['run', ...asked, process.execPath, '--print', 'JSON.stringify(process.env)'],
    {
      ...secrets,
      SALLYPORT_KEY_FILE: '',
    },
  )
  const seen: unknown = JSON.parse(out)
  assert.ok(seen instanceof Object)
  assert.ok(!out.includes('ambient'))
  assert.deepEqual(
    Object.keys(seen).filter((name) => /^SALLYPORT_/.test(name)),
    ['SALLYPORT_ACCESS_TOKEN'],
  )
})

/** A way to the broker on which the bytes wait until `go`. */
async function slowTo(url: string) {
  const { connect } = await import('node:net')
  const reached = Promise.withResolvers<void>()
  const going = Promise.withResolvers<void>()
  const server = createServer(async (near) => {
    near.on('error', () => undefined)
    reached.resolve()
    await going.promise
    const far = connect(Number(new URL(url).port), '127.0.0.1')
    far.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return {
    url: `https://127.0.0.1:${port}`,
    reached: reached.promise,
    go: going.resolve,
    close: () => server.close(),
  }
}
