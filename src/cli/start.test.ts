import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-start-'))
after(() => rmSync(folder, { recursive: true }))

/** The starter under a Node that says it is of this version. */
function startUnder(version: string, ...words: readonly string[]) {
  const claim = join(folder, 'claim.cjs')
  const versions = JSON.stringify({ ...process.versions, node: version })
  writeFileSync(claim, `Object.defineProperty(process, 'versions', { value: ${versions} })`)
  const command = ['--require', claim, join(import.meta.dirname, 'start.ts'), ...words]
  const env = { PATH: process.env['PATH'], HOME: folder, NO_COLOR: '1' }
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', env })
  return { status, stdout, stderr }
}

const message = 'Sallyport needs Node 24 or newer; this is 20.20.2.'
const next = 'install Node 24 or newer, and put it first in PATH'

test('under a Node that is too old every command says which one it needs, and nothing else', () => {
  for (const words of [['doctor'], ['key', 'new'], ['check', '--compiled', 'guard.js']])
    assert.deepEqual(startUnder('20.20.2', ...words), {
      status: 2,
      stdout: '',
      stderr: `error ${message} (option_invalid)\nNext: ${next}\n`,
    })
  for (const words of [
    ['doctor', '--json'],
    ['check', '--format', 'json'],
  ]) {
    const { status, stdout, stderr } = startUnder('20.20.2', ...words)
    assert.deepEqual([status, stderr], [2, ''])
    assert.deepEqual(JSON.parse(stdout), { error: { code: 'option_invalid', message, next } })
  }
})

test('the Node that is needed is the one that the package names, and newer ones will do', () => {
  const { engines } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))
  assert.equal(engines.node, '>=24')
  for (const version of ['24.0.0', '100.1.0'])
    assert.match(startUnder(version, '--version').stdout, /^\d+\.\d+\.\d+\n$/)
})
