import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { valueIdentities } from './connection-identity.ts'
import { contract } from './hygiene.fixture.ts'
import {
  applyBaseline,
  atLeast,
  findInEnvironment,
  findInSource,
  findReusedValues,
  formatFingerprints,
  formatHygiene,
  hygieneData,
  hygieneGithub,
  hygieneSarif,
  isScanned,
  parseBaseline,
  parseFingerprints,
  recordFingerprints,
} from './index.ts'

const key = randomBytes(32)
const password = randomBytes(9).toString('hex')
const production = `postgresql://app:${password}@db.example.test/main`

test('a bypass that is on is a finding with its reason and severity', () => {
  for (const value of ['true', '1', 'yes', 'on', 'TRUE', 'anything', '2', 'none', 'disabled', '00']) {
    const [first] = findInEnvironment(contract, { DEV_AUTH_ENABLED: value })
    assert.equal(first?.prohibition, 'dev-bypass-flags')
    assert.equal(first?.reason, 'Security theater')
    assert.equal(first?.severity, 'high')
  }
  for (const value of ['', ' ', 'false', '0', 'no', 'OFF', undefined])
    assert.deepEqual(findInEnvironment(contract, { DEV_AUTH_ENABLED: value }), [])
})

test('one variable that two prohibitions forbid is two findings', () => {
  const found = findInEnvironment(contract, { JWT_ALLOW_DEV_TOKEN: '1' })
  assert.deepEqual(
    found.map(({ prohibition, severity }) => [prohibition, severity]),
    [
      ['fake-jwts', 'critical-violation'],
      ['dev-bypass-flags', 'high'],
    ],
  )
})

test('a variable that must not be set at all is found whatever its value, which is not told', () => {
  const found = findInEnvironment(contract, { JWT_DEV_SECRET: password, DEV_DEFAULT_ROLE: 'false' })
  assert.deepEqual(
    found.map(({ variable }) => variable),
    ['DEV_DEFAULT_ROLE', 'JWT_DEV_SECRET'],
  )
  assert.ok(!JSON.stringify(found).includes(password))
})

const forbidden: readonly (readonly [string, string, string])[] = [
  ['fake-jwts', 'a.py', 'jwt.decode(t, options={"verify_signature": False})'],
  ['fake-jwts', 'a.ts', 'const h = { alg: "none" }'],
  ['stub-users', 'a.py', 'user = stub_user()'],
  ['public-paths', 'a.py', 'PUBLIC_PATHS = ["/api"]'],
  ['api-during-migration', 'db/alembic/versions/a.py', '    import httpx'],
]

for (const [prohibition, path, line] of forbidden)
  test(`${prohibition} is found in code and not in its comments: ${line}`, () => {
    const found = findInSource(contract, { path, text: `x = 1\n${line}\n` })
    assert.deepEqual(
      found.map((one) => [one.prohibition, one.line]),
      [[prohibition, 2]],
    )
    const mark = path.endsWith('.py') ? '#' : '//'
    assert.deepEqual(findInSource(contract, { path, text: `${mark} ${line}` }), [])
  })

test('every prohibition of the contract has a detector', () => {
  for (const { id, detectors } of contract.environment?.prohibitions.values() ?? [])
    assert.ok(detectors.length > 0, id)
})

test('a pattern that is for some files is for these alone', () => {
  assert.deepEqual(findInSource(contract, { path: 'app/main.py', text: 'import httpx' }), [])
  assert.equal(isScanned(contract, 'picture.png'), false)
})

test('a path beside the gated ones needs a gate', () => {
  const found = (text: string) =>
    findInSource(contract, { path: 'app/main.py', text }).map(({ code }) => code)
  assert.deepEqual(found('@app.get("/__debug/dump")'), ['gate-unlisted'])
  assert.deepEqual(found('@app.get("/__debug/openapi_inspect")'), [])
  assert.deepEqual(found('@app.get("/api/v1/runs/x")'), [])
})

const comparisons: readonly (readonly [string, string])[] = [
  ['a.py', 'ON = os.environ["AOS_MODE"].lower() != "prod"'],
  ['a.py', 'ON = os.getenv("AOS_MODE", "").strip().lower() != "prod"'],
  ['a.py', 'ON = (os.getenv("AOS_MODE") or "").lower() in ("prod", "preprod")'],
  ['a.py', 'ON = os.environ["AOS_MODE"].startswith("prod")'],
  ['a.py', 'if "prod" == os.environ["AOS_MODE"].lower():'],
  ['a.ts', "if (process.env.AOS_MODE?.toLowerCase() === 'prod')"],
  ['a.ts', "if ((process.env.AOS_MODE ?? '').trim() !== 'prod')"],
  ['a.ts', "if (['prod', 'preprod'].includes(process.env.AOS_MODE))"],
  ['A.java', 'if (System.getenv("AOS_MODE").equals("prod"))'],
  ['A.java', 'if ("prod".equalsIgnoreCase(System.getenv("AOS_MODE")))'],
  ['a.go', 'if os.Getenv("AOS_MODE") == "prod" {'],
  ['a.go', 'if strings.EqualFold(os.Getenv("AOS_MODE"), "prod") {'],
  ['a.rb', "if ENV['AOS_MODE'].downcase == 'prod'"],
  ['a.sh', '[ "$AOS_MODE" = "prod" ] && run'],
]
const noComparisons: readonly (readonly [string, string])[] = [
  ['a.py', 'log.info(os.environ["AOS_MODE"].lower(), "prod")'],
  ['a.py', 'x = {"AOS_MODE": "prod"}'],
  ['a.sh', 'AOS_MODE="prod"'],
  ['a.ts', "set('AOS_MODE', 'prod')"],
]

test('code that asks for the mode is told, but for the file of a gate', () => {
  const found = (path: string, text: string) => findInSource(contract, { path, text }).map(({ code }) => code)
  assert.deepEqual(found('a.py', 'if AOS_MODE == "prod":'), ['mode-branch'])
  assert.deepEqual(found('a.ts', "if (process.env.AOS_MODE !== 'prod')"), ['mode-branch'])
  assert.deepEqual(found('a.py', 'if "prod" == os.environ["AOS_MODE"]:'), ['mode-branch'])
  assert.deepEqual(found('backend/app/main.py', 'if AOS_MODE == "prod":'), [])
  for (const [path, text] of comparisons) assert.deepEqual(found(path, text), ['mode-branch'], text)
  assert.deepEqual(found('a.py', 'if color == "prod":'), [])
  for (const [path, text] of noComparisons) assert.deepEqual(found(path, text), [], text)
})

test('a compiled guard asks for the mode, and is told for none of it', () => {
  const path = 'contracts/compiled/agenticverz/guard.sh'
  const text = readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
  assert.deepEqual(findInSource(contract, { path, text }), [])
})

test('the production database is caught in TEST, however its address is written and whatever its name', () => {
  const known = recordFingerprints(contract, { mode: 'PROD', seen: { DATABASE_URL: production }, key })
  const found = (seen: Readonly<Record<string, string>>) =>
    findReusedValues(contract, { mode: 'TEST', seen, key }, known).map(({ variable }) => variable)
  for (const same of [
    production,
    `postgres://other:pw@DB.example.test:5432/main?sslmode=require`,
    'postgresql+asyncpg://db.example.test./main',
    'postgresql://other@ignored/x?host=db.example.test&dbname=main',
    'postgresql://replica.example.test:1,db.example.test:5432/main',
    'postgresql://db%2Eexample.test/m%61in#x',
    'jdbc:postgresql://db.example.test/main',
    `"${production}"`,
    "host=db.example.test dbname='main' user=x",
  ])
    assert.deepEqual(found({ DATABASE_URL: same }), ['DATABASE_URL'], same.replace(password, ''))
  assert.deepEqual(found({ DATABASE_URL_ASYNC: production }), ['DATABASE_URL_ASYNC'])
  for (const other of [
    'postgresql://db.example.test/test',
    'postgresql://db.example.test:6432/main',
    'postgresql://db.example.test.evil.test/main',
    'mysql://db.example.test/main',
    '',
  ])
    assert.deepEqual(found({ DATABASE_URL: other }), [])
})

test('in its own mode a value is at home', () => {
  const known = recordFingerprints(contract, { mode: 'PROD', seen: { DATABASE_URL: production }, key })
  assert.deepEqual(
    findReusedValues(contract, { mode: 'PROD', seen: { DATABASE_URL: production }, key }, known),
    [],
  )
})

test('fingerprints hold no value, differ by key, and survive their file', () => {
  const about = { mode: 'PROD', seen: { DATABASE_URL: production } }
  const text = formatFingerprints(recordFingerprints(contract, { ...about, key }))
  assert.ok(!/db\.example|main|app/.test(text) && !text.includes(password))
  assert.notEqual(text, formatFingerprints(recordFingerprints(contract, { ...about, key: randomBytes(32) })))
  assert.equal(formatFingerprints(parseFingerprints(text)), text)
})

test('nothing to compare with is a failure, not a clean result', () => {
  const known = recordFingerprints(contract, { mode: 'PROD', seen: { DATABASE_URL: production }, key })
  const about = { mode: 'TEST', seen: {}, key }
  const invalid = { code: 'option_invalid' }
  assert.throws(() => findReusedValues(contract, { ...about, key: randomBytes(32) }, known), invalid)
  assert.throws(() => findReusedValues(contract, about, { ...known, modes: new Map() }), invalid)
  assert.throws(() => recordFingerprints(contract, { mode: 'PROD', seen: {}, key }), invalid)
  assert.throws(() => recordFingerprints(contract, { mode: 'TEST', seen: {}, key }), invalid)
  assert.throws(() => recordFingerprints(contract, { ...about, mode: 'PROD', key: randomBytes(31) }), invalid)
  for (const text of ['', '{}', '[]', '{"version":2}', '{"version":1,"key":"x","modes":{}}'])
    assert.throws(() => parseFingerprints(text), invalid)
})

test('user, password and query never make another database of one', () => {
  const runs = 500
  const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/)
  fc.assert(
    fc.property(word, word, word, fc.string(), word, (host, name, user, secret, option) => {
      const plain = valueIdentities(`postgresql://${host}.test/${name}`)
      const dressed = `postgres+psycopg://${user}:${encodeURIComponent(secret)}@${host.toUpperCase()}.TEST:5432/${name}?application_name=${option}`
      assert.deepEqual(valueIdentities(dressed), plain)
      assert.notDeepEqual(valueIdentities(`postgresql://${host}.test/${name}x`), plain)
    }),
    { numRuns: runs },
  )
  console.log(`${runs} addresses`)
})

test('an address in numbers is the same database however it is written', () => {
  const database = (host: string) => valueIdentities(`postgresql://a@${host}/x`)
  for (const [host, others] of [
    ['10.0.0.1', ['[::ffff:10.0.0.1]', '[::FFFF:a00:1]:5432', '[0:0:0:0:0:ffff:10.0.0.1]', '167772161']],
    ['[::1]', ['[0:0:0:0:0:0:0:1]', '[::0001]']],
    ['[fd00::5]', ['[FD00:0:0::5]']],
  ] as const)
    for (const other of others) assert.deepEqual(database(other), database(host), other)
  assert.deepEqual(valueIdentities('host=::ffff:10.0.0.1 dbname=x'), database('10.0.0.1'))
  const apart = ['10.0.0.1', '[::ffff:10.0.0.2]', '[::1]', '[::2]', '10.0.0.1.test', '[fe80::1%25eth0]']
  assert.equal(new Set(apart.flatMap(database)).size, apart.length)
})

test('a baseline accepts what it names with a reason, and tells what was not found', () => {
  const findings = findInSource(contract, { path: 'a.py', text: 'PUBLIC_PATHS = []\nuser = stub_user()' })
  const [first] = findings
  const file = 'baseline.json'
  const of = (...accepted: readonly unknown[]) => parseBaseline({ file, text: JSON.stringify({ accepted }) })
  const applied = applyBaseline(findings, of({ finding: first?.id, reason: 'a constant of another product' }))
  assert.deepEqual([applied.findings.length, applied.acceptedCount], [1, 1])
  const stale = applyBaseline(findings, of({ finding: '0123456789abcdef', reason: 'it was' }))
  assert.deepEqual([stale.unfound, stale.findings.length], [['0123456789abcdef'], 2])
  const moved = findInSource(contract, { path: 'a.py', text: '\n\n  PUBLIC_PATHS = []' })
  assert.equal(moved[0]?.id, first?.prohibition === 'public-paths' ? first.id : findings[1]?.id)
  for (const wrong of [
    { finding: first?.id },
    { finding: first?.id, reason: ' ' },
    { finding: 'x', reason: 'y' },
    null,
  ])
    assert.throws(() => of(wrong), { code: 'option_invalid' })
  for (const text of ['', '[]', '{"accepted":[],"more":1}'])
    assert.throws(() => parseBaseline({ file, text }), { code: 'option_invalid' })
})

test('each format tells every finding with its severity', () => {
  const findings = findInEnvironment(contract, { JWT_ALLOW_DEV_TOKEN: '1' })
  const text = formatHygiene(findings, (_, words) => words)
  assert.match(text, /agenticverz\.yaml:\d+ {2}critical violation {2}JWT_ALLOW_DEV_TOKEN is on/)
  assert.match(text, /Why: Undermines trust model\./)
  assert.equal(hygieneData(findings, ['x']).findings.length, 2)
  const [run] = hygieneSarif(findings, { version: '1.0.0', notTried: ['x: y'] }).runs
  assert.deepEqual(
    run?.results.map(({ level }) => level),
    ['error', 'error'],
  )
  assert.deepEqual(
    run?.invocations?.flatMap(({ toolExecutionNotifications }) => toolExecutionNotifications),
    [{ level: 'note', message: { text: 'Not tried: x: y' } }],
  )
  const annotations = hygieneGithub(findings, ['x: y'])
  assert.match(annotations, /^::error file=contracts\/agenticverz\.yaml,line=\d+,title=/)
  assert.match(annotations, /\n::notice title=not tried::x: y$/)
  assert.ok(atLeast('security-bug', 'high') && !atLeast('low', 'medium') && atLeast('high', 'high'))
})
