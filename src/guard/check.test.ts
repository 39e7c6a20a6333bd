import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cases, contractOf, contractsUnderTest, secretsInTheWrongPlace } from '../compiler/guard.fixture.ts'
import { guardRules } from '../compiler/index.ts'
import { type CheckOptions, check, type Variables } from './check.ts'
import { findingCodes } from './finding.ts'
import { formatReport } from './format.ts'
import { scopeOf } from './guard.ts'
import { findingSentence, reportData, reportGithub } from './machine-formats.ts'

const rules = guardRules(contractOf('agenticverz'))
const database = 'postgresql://db.example/app'
const local = { AOS_MODE: 'local', DB_AUTHORITY: 'local', CUSTOMER_SANDBOX_ENABLED: 'true' }
const staging = { AOS_MODE: 'preprod', DB_AUTHORITY: 'neon', DATABASE_URL: database }
const production = {
  AOS_MODE: 'prod',
  DB_AUTHORITY: 'neon',
  DATABASE_URL: database,
  CUSTOMER_SANDBOX_ENABLED: 'false',
}
const trial = { AOS_MODE: 'test', DB_AUTHORITY: 'neon', DATABASE_URL: database }

type Scenario = readonly [says: string, env: Variables, found: readonly string[], options?: CheckOptions]

const scenarios: readonly Scenario[] = [
  ['LOCAL as the seed writes it passes', local, []],
  ['TEST as the seed writes it passes', trial, []],
  ['PREPROD as the seed writes it passes', staging, []],
  ['PROD as the seed writes it passes', production, []],
  ['nothing set is no mode', {}, ['E101']],
  ['half of two modes is no mode', { ...local, AOS_MODE: 'prod' }, ['E101']],
  ['a mode in other letters is no mode', { ...production, AOS_MODE: 'PROD' }, ['E101']],
  ['a mode with a space behind it is no mode', { ...production, AOS_MODE: 'prod ' }, ['E101']],
  ['what holds in every mode holds in none', { RBAC_FAIL_OPEN: 'true' }, ['E101', 'E204 RBAC_FAIL_OPEN']],
  ['PREPROD without a database', { ...staging, DATABASE_URL: undefined }, ['E201 DATABASE_URL']],
  ['a database that is set and empty', { ...staging, DATABASE_URL: '' }, ['E201 DATABASE_URL']],
  [
    'PROD with the sandbox on',
    { ...production, CUSTOMER_SANDBOX_ENABLED: 'true' },
    ['E204 CUSTOMER_SANDBOX_ENABLED'],
  ],
  [
    'PROD without a word on the sandbox',
    { ...production, CUSTOMER_SANDBOX_ENABLED: undefined },
    ['E201 CUSTOMER_SANDBOX_ENABLED'],
  ],
  ['TEST may turn the sandbox on', { ...trial, CUSTOMER_SANDBOX_ENABLED: 'true' }, []],
  ['a boolean that is none', { ...local, RBAC_ENABLED: 'yes' }, ['E202 RBAC_ENABLED']],
  ['a port beyond the last', { ...local, PORT: '65536' }, ['E202 PORT']],
  ['a number below its least', { ...local, DB_POOL_SIZE: '-1' }, ['E205 DB_POOL_SIZE']],
  ['the least number itself', { ...local, DB_MAX_OVERFLOW: '-1' }, []],
  ['a database of another kind', { ...trial, DATABASE_URL: 'mysql://h/d' }, ['E206 DATABASE_URL']],
  ['a dev bypass that is on', { ...local, DEV_AUTH_ENABLED: 'true' }, ['E401 DEV_AUTH_ENABLED']],
  ['a dev bypass that is off', { ...local, DEV_AUTH_ENABLED: 'false' }, []],
  ['what must not be there at all, and is empty', { ...local, JWT_DEV_SECRET: '' }, ['E401 JWT_DEV_SECRET']],
  [
    'two prohibitions of one variable',
    { ...local, JWT_ALLOW_DEV_TOKEN: 'true' },
    ['E401 JWT_ALLOW_DEV_TOKEN', 'E401 JWT_ALLOW_DEV_TOKEN'],
  ],
  ['a launcher has the token of the vault', { ...local, VAULT_TOKEN: 'x' }, []],
  ['a program has not', { ...local, VAULT_TOKEN: 'x' }, ['E208 VAULT_TOKEN'], { seenBy: 'program' }],
  ['a scope that is none', local, ['E102'], { scope: 'deploy' }],
  ['a guard of another contract', { ...local, SALLYPORT_CONTRACT_DIGEST: 'sha256:0' }, ['E103']],
  ['a guard of this contract', { ...local, SALLYPORT_CONTRACT_DIGEST: rules.digest }, []],
  [
    'a migration in LOCAL needs a database and a role',
    local,
    ['E201 DATABASE_URL', 'E201 DB_ROLE'],
    { scope: 'migrate' },
  ],
  [
    'a migration of staging runs',
    { ...local, DATABASE_URL: database, DB_ROLE: 'staging' },
    [],
    { scope: 'migrate' },
  ],
  [
    'a migration of a replica never does',
    { ...staging, DB_ROLE: 'replica' },
    ['E301 DB_ROLE'],
    { scope: 'migrate' },
  ],
  [
    'a migration of production is confirmed',
    { ...production, DB_ROLE: 'prod' },
    ['E302 CONFIRM_PROD_MIGRATIONS'],
    { scope: 'migrate' },
  ],
  [
    'and then runs',
    { ...production, DB_ROLE: 'prod', CONFIRM_PROD_MIGRATIONS: 'true' },
    [],
    { scope: 'migrate' },
  ],
  [
    'not confirmed by another word',
    { ...production, DB_ROLE: 'prod', CONFIRM_PROD_MIGRATIONS: 'false' },
    ['E302 CONFIRM_PROD_MIGRATIONS'],
    { scope: 'migrate' },
  ],
  [
    'production from TEST',
    { ...trial, DB_ROLE: 'prod', CONFIRM_PROD_MIGRATIONS: 'true' },
    ['E303 DB_ROLE'],
    { scope: 'migrate' },
  ],
  [
    'a confirmation that stands where nothing is migrated confirms whatever comes next',
    { ...trial, CONFIRM_PROD_MIGRATIONS: 'true' },
    ['E304 CONFIRM_PROD_MIGRATIONS'],
  ],
  ['one that says no confirms nothing', { ...trial, CONFIRM_PROD_MIGRATIONS: 'false' }, []],
  [
    'the role of production is none of a trial, whatever runs there',
    { ...trial, DB_ROLE: 'prod' },
    ['E303 DB_ROLE'],
  ],
  ['a replica says nothing to a program that does not migrate', { ...trial, DB_ROLE: 'replica' }, []],
]

for (const [says, env, found, options] of scenarios)
  test(says, () => {
    const { findings } = check(rules, env, options)
    assert.deepEqual(
      findings.map(({ code, variable }) => (variable === undefined ? code : `${code} ${variable}`)),
      found,
    )
  })

test('the nearest modes are named with the one change, and nobody guesses between them', () => {
  const [finding] = check(rules, { ...local, AOS_MODE: 'prod' }).findings
  assert.equal(finding?.fix, 'LOCAL needs AOS_MODE=local · PROD needs DB_AUTHORITY=neon')
  assert.equal(finding?.owner, 'Platform')
})

test('every finding has its owner, what was expected, what was found and one change; every code of the list occurs', () => {
  const seen = new Set<string>(['E104'])
  for (const [, env, , options] of scenarios)
    for (const finding of check(rules, env, options).findings) {
      seen.add(finding.code)
      for (const words of [finding.message, finding.expected, finding.seen, finding.fix])
        assert.notEqual(words, '')
      if (finding.variable !== undefined) assert.ok(finding.owner && finding.line > 0, finding.variable)
    }
  for (const rules of contractsUnderTest())
    for (const { env, scope } of fc.sample(cases(rules), 300))
      for (const { code } of check(rules, env, { scope }).findings) seen.add(code)
  assert.deepEqual([...seen].sort(), Object.keys(findingCodes).sort())
})

test('no report holds a character of a sensitive value, whatever it is', (t) => {
  const sensitive = rules.variables.filter((rule) => rule.sensitive).map(({ name }) => name)
  // Letters that no word of a report has, so that one character would be seen.
  const secret = fc.string({ unit: fc.constantFrom('ж', 'ß', 'ø', '☃', '𝛑'), minLength: 1, maxLength: 40 })
  const runs = 2000
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...sensitive), secret, { minKeys: 1, maxKeys: 6 }),
      (values) => {
        const checked = check(rules, { ...production, ...values }, { seenBy: 'program' })
        const options = { file: 'c.yaml', discriminators: rules.discriminators }
        const shown = [
          formatReport(checked, options),
          JSON.stringify(reportData(checked, options)),
          reportGithub(checked, options),
          ...checked.findings.map((finding) => findingSentence(finding, options)),
        ].join('\n')
        assert.doesNotMatch(shown, /[жßø☃𝛑]/u)
      },
    ),
    { numRuns: runs },
  )
  t.diagnostic(`${runs} environments of ${sensitive.length} sensitive variables`)
})

for (const value of secretsInTheWrongPlace)
  test(`a secret in the wrong place is not shown either: ${JSON.stringify(value)}`, () => {
    const { findings } = check(rules, { ...local, PORT: value, AOS_MODE: value })
    assert.deepEqual(
      findings.map(({ code, variable }) => [code, variable]),
      [
        ['E101', undefined],
        ['E202', 'PORT'],
      ],
    )
    for (const { seen, message } of findings) assert.doesNotMatch(seen + message, /hunter2|EXAMPLE/)
    assert.match(findings[1]?.seen ?? '', /^set, \d+ characters$/)
  })

test('what is no secret is shown in the wrong place, too', () => {
  for (const value of ['http', 'https://host.example/path', 'you@example.com'])
    assert.equal(check(rules, { ...local, PORT: value }).findings[0]?.seen, value)
})

test('a variable that every object of JavaScript has is not set until somebody sets it', () => {
  const [rule] = rules.variables.filter(({ name }) => name === 'PORT')
  assert.ok(rule)
  const demanding = {
    ...rules,
    variables: [{ ...rule, name: 'toString', requiredAt: new Set(['runtime LOCAL']) }],
  }
  const found = (env: Readonly<Record<string, string>>) =>
    check(demanding, { ...local, ...env }).findings.map(({ code, seen }) => `${code} ${seen}`)
  assert.deepEqual(found({}), ['E201 not set'])
  assert.deepEqual(found({ toString: 'x' }), ['E202 x'])
  assert.deepEqual(found({ toString: '1' }), [])
})

test('the scope is that of the command, and who says another one is refused', () => {
  const of = (command: string, wanted?: string) => {
    const { scope, belongs } = scopeOf(rules, command.split(' '), wanted)
    return belongs ? `${scope}, but ${belongs.scope}` : scope
  }
  assert.equal(of('uvicorn app:main'), 'runtime')
  assert.equal(of('alembic upgrade head'), 'migrate')
  assert.equal(of('/usr/bin/alembic upgrade'), 'migrate')
  assert.equal(of('alembic -c alembic.ini upgrade head'), 'migrate')
  assert.equal(of('python3 -m alembic downgrade base'), 'migrate')
  assert.equal(of('python3 -m http.server'), 'runtime')
  assert.equal(of('psql'), 'seed')
  assert.equal(of('alembic upgrade head', 'migrate'), 'migrate')
  assert.equal(of('alembic upgrade head', 'runtime'), 'runtime, but migrate')
  assert.equal(of('alembic upgrade head', 'seed'), 'seed, but migrate')
  assert.equal(of('uvicorn app:main', 'migrate'), 'migrate')
})
