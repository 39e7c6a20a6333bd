import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { operations } from '../src/protocol/index.ts'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/api.md'), 'utf8')
const commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, code = '']) => code)
const curl = spawnSync('curl', ['--version']).status === 0

test('docs/api.md speaks of every operation', () => {
  for (const { method, path } of operations) {
    const written = path.replace('/log/tile/*', '/log/tile/…')
    assert.ok(page.includes(written) && page.includes(written.split('{')[0] ?? ''), `${method} ${path}`)
  }
  assert.ok(commands.length > 10)
})

test('every command of docs/api.md runs', {
  skip: curl ? false : 'no curl here',
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-api-'))
  const options = ['dev', '--dir', folder, '--port', '0', '--human-port', '0', '--json']
  const dev = spawn(process.execPath, [join(root, 'src/cli/main.ts'), ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [line] = await once(dev.stdout, 'data')
    const { machine_url, human_url } = z
      .object({ machine_url: z.string(), human_url: z.string() })
      .parse(JSON.parse(String(line)))
    const script = `set -eu\n${commands.join('\n')}`
    const env = { ...process.env, machine: machine_url, human: human_url }
    const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: folder, env, timeout: 30_000 })
    for (const seen of [
      'lse_',
      '0af7651916cd43dd8448eb211c80319c',
      '"code":"denied"',
      '"ready":true',
      '"active":false',
    ])
      assert.ok(stdout.includes(seen), `${seen}\n${stdout}`)
  } finally {
    dev.kill('SIGTERM')
    await once(dev, 'exit')
    rmSync(folder, { recursive: true })
  }
})
