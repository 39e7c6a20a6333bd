import assert from 'node:assert/strict'
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createLogKey } from '../audit/index.ts'
import { closeServer, listen } from '../server/forward-auth/scene.fixture.ts'
import { runProgram, startProgram } from './program.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-doctor-test-'))
const dev = join(folder, 'dev')
const named = ['--contract', join(dev, 'sallyport.yaml'), '--data', join(dev, 'data')]
const environment = { SALLYPORT_MODE: 'local' }
after(() => rmSync(folder, { recursive: true, force: true }))

type Checked = Readonly<
  Record<string, { readonly state: string; readonly detail: string; readonly next?: string }>
>

async function doctor(words: readonly string[], env: NodeJS.ProcessEnv = environment) {
  const { code, out } = await runProgram(['doctor', '--json', ...words], env)
  const { checks }: { checks: readonly { check: string; state: string; detail: string }[] } = JSON.parse(out)
  const found: Checked = Object.fromEntries(checks.map(({ check, ...seen }) => [check, seen]))
  return { code, found, states: Object.fromEntries(checks.map(({ check, state }) => [check, state])) }
}

let running: Awaited<ReturnType<typeof doctor>>

before(async () => {
  const broker = startProgram(['dev', '--dir', dev, '--port', '0', '--human-port', '0', '--json'])
  await broker.shows('log_key')
  running = await doctor([...named, '--dev', dev])
  broker.process.kill('SIGTERM')
  await broker.ended
})

test('beside a running broker everything that can be told is well', () => {
  assert.equal(running.code, 0)
  assert.deepEqual(running.states, {
    ...{ node: 'ok', contract: 'ok', mode: 'ok', permissions: 'ok', store: 'ok', log: 'skipped' },
    ...{ policy: 'ok', 'provider tokens': 'ok', 'issuer dev': 'ok', clock: 'ok', broker: 'ok', caller: 'ok' },
    'ambient credentials': 'ok',
  })
  assert.match(running.found['broker']?.detail ?? '', /^ready: log ok/)
  assert.match(running.found['policy']?.detail ?? '', /sha256:[0-9a-f]{64}$/)
})

test('without the broker the log is read at its head, and the broker is missed', async () => {
  const { code, found } = await doctor([...named, '--dev', dev])
  assert.equal(code, 1)
  assert.match(found['log']?.detail ?? '', /1 entries; the head is what dev signed/)
  assert.match(found['broker']?.detail ?? '', /ECONNREFUSED/)
  assert.equal(found['clock']?.state, 'skipped')
})

test('a key that others may read, and one that did not sign the log, are bad', async () => {
  const copy = join(folder, 'copy')
  copyPrivately(join(dev, 'data'), copy)
  const key = join(copy, 'keys/log.key')
  chmodSync(key, 0o640)
  const open = await doctor(['--data', copy])
  assert.equal(open.code, 1)
  assert.deepEqual(open.found['permissions'], {
    ...{ state: 'bad', detail: `others may reach ${key}`, next: `chmod go-rwx ${key}` },
  })
  assert.equal(open.states['log'], 'ok')
  writeFileSync(key, createLogKey('dev').reveal())
  chmodSync(key, 0o600)
  const { code, found } = await doctor(['--data', copy])
  assert.equal(code, 1)
  assert.match(found['log']?.detail ?? '', /damaged or not of this key/)
})

test('a log that is gone, though its key is there, is bad', async () => {
  const copy = join(folder, 'gone')
  copyPrivately(join(dev, 'data'), copy)
  for (const end of ['', '-wal', '-shm']) rmSync(join(copy, `sallyport.db${end}`), { force: true })
  const { code, found } = await doctor(['--data', copy])
  assert.deepEqual([code, found['log']?.detail], [1, 'there is a key and no log'])
})

test('a stopped broker’s folder stays as it is, and what is damaged is to be restored', async () => {
  const copy = join(folder, 'looked-at')
  copyPrivately(join(dev, 'data'), copy)
  const before = readdirSync(copy)
  assert.equal((await doctor(['--data', copy])).states['log'], 'ok')
  assert.deepEqual(readdirSync(copy), before)
  writeFileSync(join(copy, 'sallyport.db'), 'no store '.repeat(1000))
  const { found } = await doctor(['--data', copy])
  assert.match(found['log']?.detail ?? '', /^The store .*sallyport\.db is damaged/)
  assert.equal(found['log']?.next, 'restore it from a backup')
})

test('a folder that cannot be looked into is a line among the others, with the reason; nothing is to be restored', async () => {
  writeFileSync(join(folder, 'a-file'), '')
  for (const [name, told] of [
    ['a-file', /refuses the data folder .*a-file \(ENOTDIR: /],
    ['a-file/below', /refuses the data folder .*below \(ENOTDIR: /],
  ] as const) {
    const { code, found } = await doctor(['--data', join(folder, name)])
    assert.equal(code, 1)
    assert.match(found['data folder']?.detail ?? '', told)
    assert.equal(found['node']?.state, 'ok')
  }
})

function copyPrivately(from: string, to: string): void {
  cpSync(from, to, { recursive: true })
  for (const path of [to, join(to, 'keys')]) chmodSync(path, 0o700)
}

test('no mode, no data folder and a contract that is not there are bad, each with what to do', async () => {
  const { found } = await doctor([...named.slice(0, 2), '--data', join(folder, 'nowhere')], {})
  for (const check of ['mode', 'data folder'])
    assert.deepEqual([found[check]?.state, typeof found[check]?.next], ['bad', 'string'], check)
  const { found: other } = await doctor(['--contract', join(folder, 'no.yaml')])
  assert.equal(other['contract']?.state, 'bad')
})

test('a broker that is not ready, and one with another clock, are told', async () => {
  let [status, aheadSeconds] = [503, 0]
  const server = createServer((_, response) => {
    const date = new Date(Date.now() - aheadSeconds * 1000).toUTCString()
    response.writeHead(status, { date }).end(JSON.stringify({ checks: { log: 'unwritable' } }))
  })
  const url = `http://127.0.0.1:${await listen(server)}`
  const unready = await doctor(['--url', url])
  assert.equal(unready.code, 1)
  assert.match(unready.found['broker']?.detail ?? '', /^not ready: log unwritable/)
  status = 200
  for (const [ahead, state] of [
    [0, 'ok'],
    [15, 'warn'],
    [-90, 'bad'],
  ] as const) {
    aheadSeconds = ahead
    const { found } = await doctor(['--url', url])
    assert.equal(found['clock']?.state, state, `${ahead} s`)
    assert.deepEqual([found['broker']?.state, found['caller']?.state], ['ok', 'skipped'])
  }
  await closeServer(server)
})
