import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { openWasmPolicy } from '../src/adapters/policy/opa-wasm/index.ts'
import { policyData } from '../src/contract/index.ts'
import { contractFixture, grantedQuestion } from '../src/testing/index.ts'
import { buildPolicy } from './policy.ts'

const root = resolve(import.meta.dirname, '..')
const opa = resolve(root, process.env['SALLYPORT_PEERS'] ?? '.peers', 'bin/opa')
const skip = existsSync(opa) ? false : `no OPA at ${opa}`

test('the committed policies are what a real opa makes of their source', { skip }, () => {
  buildPolicy({ check: true })
})

test('the policy passes its own tests, which run every line of it, and the strict check of opa', {
  skip,
}, () => {
  const run = (...words: string[]) => execFileSync(opa, words, { cwd: root, encoding: 'utf8' })
  run('check', '--strict', 'policies')
  run('fmt', '--fail', '--list', 'policies')
  const report = run('test', 'policies', '--verbose')
  console.log(/^PASS: .*$/m.exec(report)?.[0])
  assert.match(report, /^PASS: ([1-9]\d*)\/\1$/m)
  run('test', 'policies', '--coverage', '--threshold', '100')
})

test('the policy of your own in docs/policy.md works as it is written there', { skip }, async () => {
  const page = readFileSync(join(root, 'docs/policy.md'), 'utf8')
  const rego = /^```rego\n(.*?)^```$/ms.exec(page)?.[1] ?? ''
  const commands = /^```sh\n(opa build.*?)^sallyport serve/ms.exec(page)?.[1] ?? ''
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-own-policy-'))
  try {
    writeFileSync(join(folder, 'company.rego'), rego)
    const script = `cp -r ${JSON.stringify(join(root, 'policies'))} . && opa() { ${JSON.stringify(opa)} "$@"; }\n${commands}`
    execFileSync('sh', ['-ec', script], { cwd: folder, stdio: 'pipe' })
    const contract = contractFixture({ grants: [{ id: 'both', actions: ['read-table', 'write-table'] }] })
    const wasm = readFileSync(join(folder, 'policy.wasm'))
    const engine = await openWasmPolicy({ wasm, data: policyData(contract) })
    const decide = (change: object) =>
      engine.decide({ ...grantedQuestion, ...change }, AbortSignal.timeout(1000))
    assert.deepEqual(await decide({}), { allow: true, grant: 'both' })
    assert.deepEqual(await decide({ action: 'write-table' }), { allow: false, reason: 'custom' })
    assert.deepEqual(await decide({ action: 'write-table', mode: 'LOCAL' }), { allow: true, grant: 'both' })
    assert.deepEqual(await decide({ resource: 'public.*' }), { allow: false, reason: 'wildcard' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
