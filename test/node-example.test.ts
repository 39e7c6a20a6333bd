import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort } from '../src/testing/free-port.ts'

const service = join(import.meta.dirname, '../examples/node-service/service.ts')

function start(env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [service], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 })
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = ''
  for await (const piece of stream ?? []) text += String(piece)
  return text
}

test('the example in Node starts inside its contract', async () => {
  const port = await freePort()
  const child = start({ APP_MODE: 'local', PORT: String(port), DEBUG_PAGES: 'true' })
  const [line] = await once(child.stdout ?? child, 'data')
  assert.equal(String(line), `LOCAL: http://127.0.0.1:${port}\n`)
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'orders\n')
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
})

test('and not outside it', async () => {
  const child = start({ APP_MODE: 'prod', PORT: '0', DEBUG_PAGES: 'true', DATABASE_URL: 'hunter2' })
  const [[code], out, err] = await Promise.all([
    once(child, 'exit'),
    textOf(child.stdout),
    textOf(child.stderr),
  ])
  assert.deepEqual([code, out], [78, ''])
  assert.match(err, /error\[E204\] DEBUG_PAGES is fixed in PROD\..*error\[E202\] DATABASE_URL/s)
  assert.doesNotMatch(err, /hunter2/)
})
