import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  ask,
  closeServer,
  listen,
  type Scene,
  setScene,
  tuples,
} from '../server/forward-auth/scene.fixture.ts'
import { runProgram, startProgram } from './program.fixture.ts'

const contract = ['--contract', join(import.meta.dirname, '../../contracts/agenticverz.yaml')]
let scene: Scene
let folder: string
before(async () => {
  scene = await setScene()
  folder = mkdtempSync(join(tmpdir(), 'sallyport-probe-'))
  const human = await scene.issuer.token('user_1')
  for (const [name, value] of Object.entries({ human, machine: scene.machineKey, sandbox: scene.sandboxKey }))
    writeFileSync(join(folder, name), `${value}\n`, { mode: 0o600 })
})
after(async () => {
  rmSync(folder, { recursive: true, force: true })
  await scene.close()
})

const credentials = () =>
  ['human', 'machine', 'sandbox'].flatMap((plane) => ['--credential', `${plane}=${join(folder, plane)}`])

/** `planes serve` in production; its Envoy address is a service with these planes and nothing behind. */
async function serve() {
  const words = [
    'planes',
    'serve',
    ...contract,
    '--trust',
    scene.trustFile,
    '--listen',
    '127.0.0.1:0',
    '--json',
  ]
  const program = startProgram(words, tuples.PROD)
  await program.shows(/\n/)
  const ready: { mode: string; url: string; planes: unknown } = JSON.parse(program.out())
  return { program, ready }
}

test('planes serve says what it serves, refuses, tells it without the credential, and stops on SIGTERM', async () => {
  const { program, ready } = await serve()
  assert.equal(ready.mode, 'PROD')
  assert.deepEqual(ready.planes, { human: `tokens of ${scene.issuer.issuer}`, machine: '2 keys' })
  const reply = await ask(ready.url, `/envoy/api/v1/accounts/7?secret=${scene.sandboxKey}`, [
    'X-AOS-Key',
    scene.machineKey,
  ])
  assert.equal(reply.status, 403)
  await program.shows('plane_crossed')
  program.process.kill('SIGTERM')
  assert.equal(await program.ended, 0)
  const { time, ...line } = JSON.parse(program.err())
  assert.ok(time)
  assert.deepEqual(line, {
    level: 'warn',
    message: 'refused',
    code: 'plane_crossed',
    status: 403,
    plane: 'human',
    method: 'GET',
    path: '/api/v1/accounts/7',
  })
})

test('planes serve does not start outside a mode, beyond loopback, or without the issuer', async () => {
  const words = ['planes', 'serve', ...contract]
  const trust = ['--trust', scene.trustFile]
  assert.equal((await runProgram([...words, ...trust], { AOS_MODE: 'prod', DB_AUTHORITY: 'local' })).code, 78)
  const open = await runProgram([...words, ...trust, '--listen', '0.0.0.0:0'], tuples.PROD)
  assert.equal(open.code, 2)
  assert.match(open.err, /loopback alone/)
  const issuerless = await runProgram(words, tuples.PROD)
  assert.equal(issuerless.code, 2)
  assert.match(
    issuerless.err,
    /The plane human takes tokens of clerk, and nothing says who that is.*issuers\.clerk by --trust/s,
  )
})

test('planes probe of a service that keeps the contract finds nothing', async () => {
  const { program, ready } = await serve()
  const probe = await runProgram([
    'planes',
    'probe',
    `${ready.url}/envoy`,
    ...contract,
    '--mode',
    'PROD',
    ...credentials(),
  ])
  assert.equal(probe.code, 0, probe.out + probe.err)
  assert.match(probe.out, /0 findings in 21 requests · mode PROD/)
  program.process.kill('SIGTERM')
  await program.ended
})

test('planes probe finds every crossing of a service that looks at nothing, in text, JSON and SARIF', async () => {
  const service = createServer((_, response) => response.end('{}'))
  const url = `http://127.0.0.1:${await listen(service)}`
  const words = ['planes', 'probe', url, ...contract, '--mode', 'PROD', ...credentials()]
  const [text, json, sarif] = await Promise.all([
    runProgram(words),
    runProgram([...words, '--format', 'json']),
    runProgram([...words, '--format', 'sarif']),
  ])
  await closeServer(service)
  assert.deepEqual([text.code, json.code, sarif.code], [1, 1, 1])
  assert.match(text.out, /security bug: Machine key accepted on human endpoint \/api\/v1\/accounts\/\*/)
  assert.match(text.out, /security bug: Clerk JWT accepted on machine endpoint \/api\/v1\/runs\/\*/)
  const { findings } = JSON.parse(json.out)
  assert.equal(findings.length, 18)
  assert.ok(findings.every(({ severity }: { severity: string | null }) => severity !== null))
  const [run] = JSON.parse(sarif.out).runs
  assert.equal(run.results.length, 18)
  assert.ok(run.results.some(({ ruleId }: { ruleId: string }) => ruleId === 'plane-crossed'))
  const crossing = 'Machine key accepted on human endpoint /api/v1/accounts/*'
  const line = findings.find(({ message }: { message: string }) => message === crossing)?.line
  assert.ok(line > 0)
  assert.deepEqual(
    findings.find(({ message }: { message: string }) => message === crossing),
    {
      ...{ rule: 'plane-crossed', severity: 'security-bug', message: crossing, seen: '200' },
      ...{ prohibition: 'machine-keys-on-human-endpoints', reason: 'Privilege escalation' },
      ...{ path: '/api/v1/accounts/sallyport-probe', endpoint: '/api/v1/accounts/*' },
      ...{ plane: 'human', shown: 'machine', line },
    },
  )
  const reported = run.results.find(({ message }: { message: { text: string } }) =>
    message.text.startsWith(crossing),
  )
  assert.equal(reported.message.text, `${crossing}: security bug. Privilege escalation`)
  const [location] = reported.locations
  assert.deepEqual(
    [reported.ruleId, reported.level, location.physicalLocation.region.startLine],
    ['plane-crossed', 'error', line],
  )
  for (const { out, err } of [text, json, sarif])
    for (const secret of [scene.machineKey, scene.sandboxKey]) assert.ok(!`${out}${err}`.includes(secret))
})

test('planes probe sends no credential to an open network, and leaves no crossing untried in silence', async () => {
  const words = (url: string, ...more: string[]) => [
    'planes',
    'probe',
    url,
    ...contract,
    '--mode',
    'PROD',
    ...more,
  ]
  for (const url of ['http://example.test', 'ftp://127.0.0.1', 'https://user@example.test', 'nonsense'])
    assert.equal((await runProgram(words(url, ...credentials()))).code, 2, url)
  const missing = await runProgram(words('http://127.0.0.1:1', '--without', 'sandbox'))
  assert.equal(missing.code, 2)
  assert.match(missing.err, /No credential of the plane human was named/)
  const dead = await runProgram(words('http://127.0.0.1:1', ...credentials()))
  assert.equal(dead.code, 7)
  assert.match(dead.err, /http:\/\/127\.0\.0\.1:1 does not answer/)
})

test('planes probe sends nothing where a path of its own would leave an endpoint untried', async () => {
  let requests = 0
  const service = createServer((_, response) => {
    requests += 1
    response.end('{}')
  })
  const url = `http://127.0.0.1:${await listen(service)}`
  const probed = (...more: string[]) =>
    runProgram(['planes', 'probe', url, ...contract, '--mode', 'PROD', ...credentials(), ...more])
  try {
    for (const [path, words] of [
      ['/api/v1/runs/{id}=/api/v1/runs/7', /--path names \/api\/v1\/runs\/\{id\}, which is no endpoint/],
      ['/api/v1/runs=/api/v1/runs/7', /--path names \/api\/v1\/runs, which is no endpoint/],
      ['/api/v1/runs/*=/api/v2/runs/7', /\/api\/v2\/runs\/7 is no path of \/api\/v1\/runs\/\*/],
      ['/api/v1/runs/*=api/v1/runs/7', /api\/v1\/runs\/7 is no path of/],
      ['/api/v1/runs/*=/api/v1/runs/../7', /is no path of/],
      ['/__debug/openapi_inspect=/__debug/x', /\/__debug\/x is no path of \/__debug\/openapi_inspect/],
    ] as const) {
      const { code, err } = await probed('--path', path)
      assert.equal(code, 2, path)
      assert.match(err, words)
    }
    const twice = ['--path', '/api/v1/runs/*=/api/v1/runs/7', '--path', '/api/v1/runs/*=/api/v1/runs/8']
    const repeated = await probed(...twice)
    assert.equal(repeated.code, 2)
    assert.match(repeated.err, /\/api\/v1\/runs\/\* is named twice/)
    const gated = join(folder, 'gated.yaml')
    const text = readFileSync(contract[1] ?? '', 'utf8')
    writeFileSync(gated, text.replace('/__debug/openapi_inspect:', '/api/v1/runs/7:'))
    const hidden = await probed('--contract', gated, '--path', '/api/v1/runs/*=/api/v1/runs/7')
    assert.equal(hidden.code, 2)
    assert.match(hidden.err, /\/api\/v1\/runs\/7 belongs to no plane in PROD.*closed gate/s)
    assert.equal(requests, 0)
    assert.equal((await probed('--path', '/api/v1/runs/*=/api/v1/runs/7?x=1')).code, 1)
    assert.ok(requests > 0)
  } finally {
    await closeServer(service)
  }
})
