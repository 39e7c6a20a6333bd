import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..')

test('the example of docs/client.md runs against a development broker', { timeout: 60_000 }, async () => {
  const page = readFileSync(join(root, 'docs/client.md'), 'utf8')
  const example = /^```ts\n(.*?)^```$/ms.exec(page)?.[1] ?? ''
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-example-'))
  const options = ['dev', '--dir', folder, '--port', '0', '--human-port', '0', '--json']
  const dev = spawn(process.execPath, [join(root, 'src/cli/main.ts'), ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(dev.stdout, 'data')
    const source = pathToFileURL(join(root, 'client/src/index.ts')).href
    const file = join(folder, 'example.ts')
    writeFileSync(file, example.replace("'@sallyport/client'", `'${source}'`))
    const env = { ...process.env, SALLYPORT_DEV: folder }
    const { stdout } = await promisify(execFile)(process.execPath, [file], {
      cwd: folder,
      env,
      timeout: 30_000,
    })
    assert.match(stdout, /^jwt for [0-9]+ s: Read one order: orders:read on order-7\nended, unproven\n$/)
  } finally {
    dev.kill('SIGTERM')
    await once(dev, 'exit')
    rmSync(folder, { recursive: true })
  }
})
