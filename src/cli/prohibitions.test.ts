import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import { closeServer, listen, type Scene, setScene, tuples } from '../server/forward-auth/scene.fixture.ts'
import { runProgram, startProgram } from './program.fixture.ts'

const contract = ['--contract', join(import.meta.dirname, '../../contracts/agenticverz.yaml')]
let scene: Scene
let folder: string
before(async () => {
  scene = await setScene()
  folder = mkdtempSync(join(tmpdir(), 'sallyport-prohibitions-'))
  const human = await scene.issuer.token('user_1')
  for (const [name, value] of Object.entries({ human, machine: scene.machineKey, sandbox: scene.sandboxKey }))
    writeFileSync(join(folder, name), `${value}\n`, { mode: 0o600 })
})
after(async () => {
  rmSync(folder, { recursive: true, force: true })
  await scene.close()
})

const credential = (plane: string) => ['--credential', `${plane}=${join(folder, plane)}`]
const all = () => ['human', 'machine', 'sandbox'].flatMap(credential)

/** `prohibitions` in production, with JSON, on a service that answers like this. */
async function probed(answer: RequestListener, words: readonly string[] = all()) {
  const service = createServer(answer)
  const url = `http://127.0.0.1:${await listen(service)}`
  const ran = await runProgram(
    ['prohibitions', ...contract, '--probe', url, ...words, '--format', 'json'],
    tuples.PROD,
  )
  await closeServer(service)
  const report: { findings: Record<string, unknown>[]; not_tried: string[] } = JSON.parse(ran.out)
  for (const secret of [scene.machineKey, scene.sandboxKey])
    assert.ok(!`${ran.out}${ran.err}`.includes(secret))
  return { ...ran, ...report }
}

test('a service that takes everything breaks the prohibitions, each with its reason and severity', async () => {
  const { code, findings, not_tried } = await probed((_, response) => response.end('{}'))
  assert.equal(code, 1)
  const about = (prohibition: string) =>
    findings
      .filter((one) => one['prohibition'] === prohibition)
      .map((one) => [one['code'], one['severity'], one['reason']])
  assert.deepEqual(about('machine-keys-on-human-endpoints'), [
    ['probe', 'security-bug', 'Privilege escalation'],
  ])
  assert.deepEqual(about('clerk-jwt-on-machine-endpoints'), [
    ['probe', 'security-bug', 'Identity confusion'],
    ['probe', 'security-bug', 'Identity confusion'],
  ])
  assert.equal(new Set(findings.map((one) => one['id'])).size, findings.length)
  assert.ok(!not_tried.some((line) => /probe|on-human|on-machine/.test(line)), not_tried.join('\n'))
})

test('a service that keeps the contract breaks none', async () => {
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
  const { url }: { url: string } = JSON.parse(program.out())
  const ran = await runProgram(
    ['prohibitions', ...contract, '--probe', `${url}/envoy`, ...all()],
    tuples.PROD,
  )
  program.process.kill('SIGTERM')
  await program.ended
  assert.equal(ran.code, 0, ran.out + ran.err)
  assert.match(ran.out, /^0 findings\.\n/)
})

test('what nothing was shown to is told as not tried, and a silent service is no clean one', async () => {
  const refusing: RequestListener = ({ url = '' }, response) => {
    response.statusCode = url.startsWith('/__debug') || url.includes('unknown') ? 404 : 403
    response.end('{"error":"not_found"}')
  }
  const without = await probed(refusing, [
    '--without',
    'human',
    '--without',
    'sandbox',
    ...credential('machine'),
  ])
  // The right key is refused, so nothing is known of its endpoints.
  assert.equal(without.code, 12)
  assert.ok(
    without.not_tried.includes(
      'clerk-jwt-on-machine-endpoints: there was no credential of the plane human to try it with',
    ),
  )
  assert.ok(without.not_tried.some((line) => line.startsWith('Machine key refused on machine endpoint')))
  const dead = await runProgram(
    ['prohibitions', ...contract, '--probe', 'http://127.0.0.1:1', ...all()],
    tuples.PROD,
  )
  assert.equal(dead.code, 7)
})

test('valid credentials go to no open network', async () => {
  for (const url of ['http://example.test', 'nonsense']) {
    const ran = await runProgram(['prohibitions', ...contract, '--probe', url, ...all()], tuples.PROD)
    assert.equal(ran.code, 2, url)
  }
})

test('a source that is too large or no text is told as not tried, one of just that size is read', async () => {
  const sources = mkdtempSync(join(tmpdir(), 'sallyport-sources-'))
  const guess = 'MODE = os.getenv("AOS_MODE", "preprod")\n'
  const write = (name: string, bytes: string | Buffer) => writeFileSync(join(sources, name), bytes)
  write('edge.py', guess + '#'.repeat(1024 * 1024 - guess.length))
  write('large.py', guess + '#'.repeat(1024 * 1024 + 1 - guess.length))
  write('wide.py', Buffer.from(guess, 'utf16le'))
  const ran = await runProgram(['prohibitions', ...contract, '--source', sources, '--format', 'json'])
  rmSync(sources, { recursive: true })
  const report = JSON.parse(ran.out)
  assert.deepEqual(
    report.findings.map(({ code, file }: Record<string, string>) => [code, basename(file ?? '')]),
    [['guess', 'edge.py']],
  )
  const unread = report.not_tried.filter((line: string) => line.includes('.py: '))
  assert.deepEqual(
    unread.map((line: string) => basename(line)),
    ['large.py: it is larger than 1 MiB', 'wide.py: it is no text in UTF-8'],
  )
})

test('folders that are passed over, links and lines that are too long are told once each, in every format', async () => {
  const sources = mkdtempSync(join(tmpdir(), 'sallyport-sources-'))
  const guess = 'MODE = os.getenv("AOS_MODE", "preprod")\n'
  const folders = ['build', 'node_modules', ...Array.from({ length: 10 }, (_, at) => `part-${at}/dist`)]
  for (const path of folders) {
    mkdirSync(join(sources, path), { recursive: true })
    writeFileSync(join(sources, path, 'a.py'), guess)
  }
  symlinkSync('build/a.py', join(sources, 'link.py'))
  symlinkSync('nowhere', join(sources, 'links'))
  writeFileSync(join(sources, 'edge.py'), `${guess}${'x'.repeat(2000)}\n`)
  writeFileSync(join(sources, 'wide.py'), `${guess}${'x'.repeat(2001)}\n`)
  const ran = async (format: string) =>
    (await runProgram(['prohibitions', ...contract, '--source', sources, '--format', format])).out
  const report = JSON.parse(await ran('json'))
  const within = (path: string) => relative('', join(sources, path))
  assert.deepEqual(report.passed_over, {
    folders: folders.map(within),
    links: ['link.py', 'links'].map(within),
    long_lines: [within('wide.py')],
  })
  assert.deepEqual(
    report.findings.map(({ file }: Record<string, string>) => basename(file ?? '')),
    ['edge.py', 'wide.py'],
  )
  for (const format of ['text', 'github', 'sarif', 'json']) {
    const out = await ran(format)
    for (const told of [
      /folders that are passed over by their names \(12\): \S*build, \S*node_modules, .* and 2 more/,
      /links, which are not followed \(2\): \S*link\.py, \S*links/,
      /files with lines of more than 2000 characters, which are left out \(1\): \S*wide\.py/,
    ])
      assert.equal(out.match(new RegExp(told, 'g'))?.length, 1, `${format} ${told}\n${out}`)
  }
  rmSync(sources, { recursive: true })
})

test('a source that is no regular file is told as not tried', async () => {
  const sources = mkdtempSync(join(tmpdir(), 'sallyport-sources-'))
  execFileSync('mkfifo', [join(sources, 'pipe.py')])
  const { out } = await runProgram(['prohibitions', ...contract, '--source', sources])
  rmSync(sources, { recursive: true })
  assert.match(out, /pipe\.py: it is no regular file/)
})

test('a source or folder that cannot be read is told as not tried, and hides nothing of the others', async () => {
  const sources = mkdtempSync(join(tmpdir(), 'sallyport-sources-'))
  const guess = 'MODE = os.getenv("AOS_MODE", "preprod")\n'
  // Whoever reads a folder as text gets another name than the one that is there.
  const odd = (rest: string) =>
    Buffer.concat([Buffer.from(`${sources}/`), Buffer.from([0xff]), Buffer.from(rest)])
  writeFileSync(odd('.py'), guess)
  mkdirSync(odd(''))
  writeFileSync(join(sources, 'seen.py'), guess)
  const { code, out } = await runProgram([
    'prohibitions',
    ...contract,
    '--source',
    sources,
    '--format',
    'json',
  ])
  rmSync(sources, { recursive: true })
  const { findings, not_tried } = JSON.parse(out)
  assert.deepEqual([code, findings.length], [1, 1])
  assert.equal(not_tried.filter((line: string) => line.endsWith('it cannot be read (ENOENT)')).length, 2)
})

test('an accepted finding is gone where all was looked at, and not where something was left out', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-baseline-'))
  const file = join(folder, 'baseline.json')
  const accepted = [{ finding: '0123456789abcdef', reason: 'it was right' }]
  writeFileSync(file, JSON.stringify({ accepted }))
  const example = join(import.meta.dirname, '../../examples/migrations/sallyport.yaml')
  const ran = async (...words: readonly string[]) => {
    const { code, out } = await runProgram([
      ...['prohibitions', '--contract', example, '--baseline', file, '--fail-on', 'low', '--format', 'json'],
      ...words,
    ])
    const { findings, not_tried } = JSON.parse(out)
    return [code, findings.map((one: Record<string, string>) => one['code']), not_tried.length]
  }
  assert.deepEqual(await ran(), [0, [], 1])
  assert.deepEqual(await ran('--source', folder), [1, ['baseline-stale'], 0])
  rmSync(folder, { recursive: true })
})

test('the id of a finding in the environment is the same however the contract is named', async () => {
  const named = [join(import.meta.dirname, '../../contracts/agenticverz.yaml')]
  named.push(relative('', named[0] ?? ''))
  const ids = await Promise.all(
    named.map(async (path) => {
      const words = ['prohibitions', '--contract', path, '--format', 'json']
      return JSON.parse((await runProgram(words, { DEV_AUTH_ENABLED: 'true' })).out).findings[0].id
    }),
  )
  assert.equal(new Set(ids).size, 1, String(ids))
})
