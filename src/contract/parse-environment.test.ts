import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Contract, ContractProblem } from './contract.ts'
import { type Environment, isRequired } from './environment.ts'
import { rotationSecondsMax } from './environment-shape.ts'
import { parseContract } from './parse.ts'
import { requireBrokerPart, requireEnvironment } from './parts.ts'
import { changedIn, marked, specimen, withLines } from './passage.fixture.ts'

const file = 'sallyport.yaml'

function read(text: string): Contract {
  const parsed = parseContract({ text, file })
  assert.equal(parsed.kind, 'contract', JSON.stringify(parsed))
  return parsed.kind === 'contract' ? parsed.contract : assert.fail()
}

function environmentOf(text: string): Environment {
  return requireEnvironment(read(text))
}

function problemsOf(text: string): readonly ContractProblem[] {
  const parsed = parseContract({ text, file })
  return parsed.kind === 'problems' ? parsed.problems : []
}

type Case = {
  readonly title: string
  readonly from: string
  /** With `▸` where the problem must point. */
  readonly to: string
  /** With `«passage»` for the line on which that passage begins. */
  readonly message: string
  readonly next?: string
}

const cases: readonly Case[] = [
  {
    title: 'a day that is none',
    from: '"2026-01-18"',
    to: '▸"2026-02-30"',
    message: '`metadata.effective` is "2026-02-30", but must be a day such as `2026-01-18`.',
  },
  {
    title: 'a current mode that is none',
    from: 'current: TEST',
    to: 'current: ▸TSET',
    message: 'There is no mode "TSET".',
    next: 'write `TEST`',
  },
  {
    title: 'a permission that is none',
    from: 'machine: allowed',
    to: 'machine: ▸alowed',
    message:
      '`modes.TEST.auth.machine` is "alowed", but must be one of forbidden, opt-in, allowed, optional, required.',
    next: 'write `allowed`',
  },
  {
    title: 'a permission for a plane that is none',
    from: '{ human: optional, machine: allowed, sandbox: opt-in }',
    to: '{ human: optional, ▸machin: allowed, sandbox: opt-in }',
    message: 'There is no plane "machin".',
    next: 'write `machine`',
  },
  {
    title: 'rules inherited from no mode',
    from: 'inherit: PROD',
    to: 'inherit: ▸PRDO',
    message: 'There is no mode "PRDO".',
    next: 'write `PROD`',
  },
  {
    title: 'rules inherited from oneself',
    from: 'inherit: PROD',
    to: 'inherit: ▸STAGE',
    message: 'The mode STAGE inherits from itself.',
  },
  {
    title: 'rules inherited over two modes',
    from: 'auth: { human: optional, machine: allowed, sandbox: opt-in }',
    to: 'auth: { inherit: ▸STAGE }',
    message: 'The mode STAGE inherits itself (line «auth: { inherit: PROD }»).',
    next: 'name PROD',
  },
  {
    title: 'rules inherited from a mode that has none',
    from: '    auth: { human: required, machine: required, sandbox: forbidden }\n',
    to: '',
    message: 'The mode PROD has no `auth` to inherit.',
  },
  {
    title: 'an inheritance with more beside it',
    from: '{ inherit: PROD }',
    to: '{ inherit: PROD, ▸human: required }',
    message: '`modes.STAGE.auth` has no key "human".',
    next: 'use one of inherit',
  },
  {
    title: 'a truth that is text',
    from: 'strict: true',
    to: 'strict: ▸yes',
    message: '`modes.TEST.strict` is text, but must be boolean.',
  },
  {
    title: 'a scheme that is none',
    from: 'type: connectionString',
    to: 'type: ▸connectionstring',
    message:
      '`planes.database.scheme.type` is "connectionstring", but must be one of apiKey, http, connectionString.',
    next: 'write `connectionString`',
  },
  {
    title: 'a scheme without its kind',
    from: 'scheme: { type: apiKey, in: header, name: X-Sandbox-Key }',
    to: '▸scheme: { in: header, name: X-Sandbox-Key }',
    message: '`planes.sandbox.scheme` needs `type`, and has none.',
  },
  {
    title: 'a key of another scheme',
    from: 'name: X-Sandbox-Key',
    to: 'name: X-Sandbox-Key, ▸variabel: A',
    message: '`planes.sandbox.scheme` has no key "variabel".',
    next: 'write `variable`',
  },
  {
    title: 'an endpoint that is no path',
    from: '"/accounts/*"',
    to: '▸"/accounts*"',
    message:
      '`planes.human.endpoints[0]` is "/accounts*", but must be a path such as `/api/v1/runs/*`, where `*` is a whole segment.',
  },
  ...[
    '/accounts/{id}',
    '/accounts/:id',
    '/accounts/@:name',
    '/accounts(.:format)',
    '/accounts/%40me',
    '/a;b',
    '/a/.../b',
  ].map(
    (path): Case => ({
      title: `an endpoint that no request has: ${path}`,
      from: '"/accounts/*"',
      to: `▸"${path}"`,
      message: `\`planes.human.endpoints[0]\` is "${path}", but must be a path such as \`/api/v1/runs/*\`, where \`*\` is a whole segment.`,
      next: 'begin with `/`, write `*` for a parameter (`{id}`, `:id`), and neither query, `;`, `..` nor an escape such as `%40`',
    }),
  ),
  {
    title: 'a gate on a path template',
    from: '/debug: Shows the schema',
    to: '▸"/debug/{name}": Shows a table',
    message: '"/debug/{name}" must be a path such as `/api/v1/runs/*`, where `*` is a whole segment.',
  },
  {
    title: 'endpoints of two planes that meet in another spelling',
    from: '/status]',
    to: '▸/Accounts/me.json/]',
    message:
      '"/Accounts/me.json/" and "/accounts/*" of the plane human (line «endpoints: ["/acc»+0) meet; planes never cross.',
  },
  {
    title: 'endpoints of two planes that meet',
    from: '/status]',
    to: '▸"/*/status"]',
    message:
      '"/*/status" and "/accounts/*" of the plane human (line «endpoints: ["/acc»+0) meet; planes never cross.',
  },
  {
    title: 'a header of two planes',
    from: 'name: X-Sandbox-Key',
    to: 'name: ▸x-app-key',
    message:
      'The planes machine (line «name: X-App-Key») and sandbox take the same credential; planes never cross.',
    next: 'name another header',
  },
  {
    title: 'a plane that rejects none',
    from: 'rejects: [human, sandbox]',
    to: 'rejects: [▸humans, sandbox]',
    message: 'There is no plane "humans".',
    next: 'write `human`',
  },
  {
    title: 'a plane that rejects itself',
    from: 'rejects: [human, sandbox]',
    to: 'rejects: [▸machine, sandbox]',
    message: 'The plane machine names itself.',
  },
  {
    title: 'a plane that stands in where it is rejected',
    from: 'standsInFor: [human]',
    to: 'standsInFor: [▸machine]',
    message: 'sandbox stands in for machine, which rejects it (line «rejects: [human»).',
  },
  {
    title: 'a plane that is enabled by no variable',
    from: 'enabledBy: SANDBOX_ENABLED',
    to: 'enabledBy: ▸SANDBOX_ENABLE',
    message: 'There is no variable "SANDBOX_ENABLE".',
    next: 'write `SANDBOX_ENABLED`',
  },
  {
    title: 'a connection string in no variable',
    from: 'variable: DATABASE_URL }\n',
    to: 'variable: ▸DATABASE_URI }\n',
    message: 'There is no variable "DATABASE_URI".',
  },
  {
    title: 'a plane for no scope',
    from: 'scopes: [migrate]\n    forbids',
    to: 'scopes: [▸migrat]\n    forbids',
    message: 'There is no scope "migrat".',
  },
  {
    title: 'an issuer that is none',
    from: 'issuer: login }',
    to: 'issuer: ▸logn }',
    message: 'There is no issuer "logn".',
  },
  {
    title: 'an issuer of another plane',
    from: '    plane: human\n    issuer:',
    to: '    plane: machine\n    issuer:',
    message: 'The issuer login (line «plane: machine\n    issuer:») is on the machine plane, not on human.',
  },
  {
    title: 'a broker without a machine plane',
    from: '  machine:\n    scheme',
    to: '  machines:\n    scheme',
    message: '`planes` needs `machine`, and has none.',
    next: 'add `machine: { scheme: { type: apiKey, in: header, name: X-AOS-Key } }`',
  },
  {
    title: 'a broker whose people show a key',
    from: '{ type: http, scheme: bearer, bearerFormat: JWT, issuer: login }',
    to: '{ type: ▸apiKey, in: header, name: X-Person }',
    message: 'The plane human of a broker is shown by "http", not by "apiKey".',
  },
  {
    title: 'no default scope',
    from: '▸scopes:\n  runtime: { default: true }'.slice(1),
    to: '▸scopes:\n  runtime: {}',
    message: 'No scope is the default.',
  },
  {
    title: 'two default scopes',
    from: 'migrate: { plane: database,',
    to: 'migrate: { default: ▸true, plane: database,',
    message: 'The scopes runtime and migrate are both the default.',
  },
  {
    title: 'a scope on no plane',
    from: 'migrate: { plane: database,',
    to: 'migrate: { plane: ▸data, ',
    message: 'There is no plane "data".',
    next: 'add "data" under `planes`, or name one of human, machine, sandbox, database',
  },
  {
    title: 'a variable that stands twice',
    from: 'names: [DATABASE_HOST]',
    to: 'names: [DATABASE_HOST, ▸POOL]',
    message: 'The variable POOL stands twice; the first is on line «POOL: {».',
  },
  {
    title: 'a discriminator that is no variable',
    from: 'discriminators: [APP_MODE]',
    to: 'discriminators: [▸APP_MODUS]',
    message: 'There is no variable "APP_MODUS".',
  },
  {
    title: 'a mode with a value that its variable cannot have',
    from: 'APP_MODE: stage }',
    to: 'APP_MODE: ▸staging }',
    message:
      'The mode STAGE needs APP_MODE=staging, but APP_MODE (line «APP_MODE: { enum») must be one of test, stage, prod.',
  },
  {
    title: 'a discriminator that is a secret',
    from: 'APP_MODE: { enum: [test, stage, prod], required: always }',
    to: 'APP_MODE: { required: always, sensitive: ▸true }',
    message: 'APP_MODE tells modes apart, so messages name its value.',
  },
  {
    title: 'a type that is none',
    from: 'POOL: { type: integer',
    to: 'POOL: { type: ▸int',
    message:
      '`variables[0].vars.POOL.type` is "int", but must be one of string, boolean, integer, number, port, uri, duration, list, json.',
  },
  {
    title: 'a default',
    from: 'POOL: { type: integer',
    to: 'POOL: { ▸default: 5, type: integer',
    message: '`variables[0].vars.POOL` has no key "default".',
  },
  {
    title: 'a constraint that says nothing of the type',
    from: 'REGION: { pattern',
    to: 'REGION: { ▸minimum: 1, pattern',
    message: '`minimum` says nothing of REGION, whose type is string.',
    next: 'remove it, or write `type: integer`',
  },
  {
    title: 'a minimum above the maximum',
    from: 'maximum: 64',
    to: 'maximum: ▸0',
    message: 'POOL is at least 1 and at most 0.',
  },
  {
    title: 'a pattern that only one of the guards could read',
    from: '"^[a-z]+-[0-9]$"',
    to: `▸'^\\d+$'`,
    message:
      '`variables[0].vars.REGION.pattern` is "^\\\\d+$", but must be a regular expression that ECMAScript, Python and `grep -E` read alike, of at most 512 characters.',
    next: 'write `[0-9]` for `\\d`, and use neither `(?…)`, `\\b`, `\\1` nor `*?`',
  },
  {
    title: 'a constant that the variable cannot have',
    from: 'const: { STAGE: false, PROD: false }',
    to: 'const: { STAGE: ▸off, PROD: false }',
    message: '"off" is no value of SANDBOX_ENABLED, which must be `true` or `false`.',
  },
  {
    title: 'a constant in no mode',
    from: 'const: { STAGE: false, PROD: false }',
    to: 'const: { ▸STAG: false, PROD: false }',
    message: 'There is no mode "STAG".',
    next: 'write `STAGE`',
  },
  {
    title: 'a requirement in no scope',
    from: 'required: { scopes: [migrate] } }',
    to: 'required: { scopes: [▸migrat] } }',
    message: 'There is no scope "migrat".',
    next: 'write `migrate`',
  },
  {
    title: 'a requirement in no mode, in a list',
    from: '[{ modes: [PROD] },',
    to: '[{ modes: [▸PRODUCTION] },',
    message: 'There is no mode "PRODUCTION".',
  },
  {
    title: 'a requirement that names nothing',
    from: 'required: { modes: [STAGE, PROD] }',
    to: '▸required: {}',
    message: 'Neither modes nor scopes are named.',
    next: 'write `required: always` if that is meant',
  },
  {
    title: 'a requirement that is no word of the format',
    from: 'required: always',
    to: 'required: ▸alway',
    message: '`variables[0].vars.APP_MODE.required` is "alway", but must be always.',
    next: 'write `always`',
  },
  {
    title: 'a secret with its value',
    from: 'API_KEY: { sensitive: true,',
    to: 'API_KEY: { sensitive: true, ▸const: { PROD: hunter2 },',
    message: '`const` says what API_KEY is, and API_KEY is sensitive.',
  },
  {
    title: 'an example with a password',
    from: 'example: postgresql://localhost/app',
    to: 'example: ▸postgresql://app:hunter2@localhost/app',
    message: 'A value of DATABASE_URL holds a password in its URL, and stands in the contract itself.',
  },
  {
    title: 'a secret path that is none',
    from: 'secretRef: app/keys',
    to: 'secretRef: ▸app/key',
    message: 'There is no secret path "app/key".',
    next: 'write `app/keys`',
  },
  {
    title: 'a secret path that does not hold the variable',
    from: 'secretRef: app/keys',
    to: 'secretRef: ▸app/database',
    message: 'The secret path app/database (line «app/database: {») does not hold API_KEY.',
    next: 'add API_KEY to its `keys`',
  },
  {
    title: 'a secret path in two stores',
    from: 'secretRules:\n',
    to: '  other:\n    kind: vault\n    paths: { ▸app/keys: { owner: Auth, keys: [API_KEY] } }\nsecretRules:\n',
    message: 'The secret path app/keys stands twice; the first is on line «app/keys: { owner».',
  },
  {
    title: 'a database role that is decided by no variable',
    from: 'roleVariable: DATABASE_ROLE',
    to: 'roleVariable: ▸DATABASE_ROL',
    message: 'There is no variable "DATABASE_ROL".',
  },
  {
    title: 'a variable that decides and informs',
    from: 'informational: [DATABASE_HOST]',
    to: 'informational: [▸DATABASE_ROLE]',
    message: 'DATABASE_ROLE decides, so it does not only inform.',
  },
  {
    title: 'a mode with a database role that is none',
    from: 'PROD: canonical }',
    to: 'PROD: ▸canonicle }',
    message: 'There is no database role "canonicle".',
    next: 'write `canonical`',
  },
  {
    title: 'a role that is confirmed by nothing',
    from: '{ migrate: confirm, confirm: { CONFIRMED: "true" } }',
    to: '{ migrate: ▸confirm }',
    message: 'The role canonical is confirmed by nothing.',
  },
  {
    title: 'a confirmation of what needs none',
    from: '{ migrate: confirm, confirm: { CONFIRMED: "true" } }',
    to: '{ migrate: allow, ▸confirm: { CONFIRMED: "true" } }',
    message: 'The role canonical has a confirmation, but `migrate` is "allow".',
  },
  {
    title: 'a confirmation by two variables',
    from: 'confirm: { CONFIRMED: "true" }',
    to: '▸confirm: { CONFIRMED: "true", POOL: "1" }',
    message: '`migrations.roles.canonical.confirm` must be a mapping with exactly one variable.',
  },
  {
    title: 'a gate in no mode',
    from: 'modes: [TEST, STAGE]\n    otherwise',
    to: 'modes: [TEST, ▸STAGING]\n    otherwise',
    message: 'There is no mode "STAGING".',
  },
  {
    title: 'a gate that answers as if it were open',
    from: 'status: 404',
    to: 'status: ▸200',
    message: '`gates.DEBUG-1.otherwise.status` is 200, but must be at least 400.',
  },
  {
    title: 'a gate that answers what no server does',
    from: 'status: 404',
    to: 'status: ▸600',
    message: '`gates.DEBUG-1.otherwise.status` is 600, but must be at most 599.',
  },
  {
    title: 'a gate without endpoints',
    from: 'endpoints: { /debug: Shows the schema }',
    to: '▸endpoints: {}',
    message: 'The gate DEBUG-1 has no endpoint.',
  },
  {
    title: 'an endpoint behind two gates',
    from: 'prohibitions:\n',
    to: '  DEBUG-2: { reason: x, modes: [TEST], otherwise: { status: 404 }, endpoints: { ▸/debug: again } }\nprohibitions:\n',
    message: '"/debug" has the gate DEBUG-1 already (line «{ /debug: Shows»).',
  },
  {
    title: 'a prohibition of no variable',
    from: 'truthy: [BYPASS]',
    to: 'truthy: [▸BYPAS]',
    message: 'There is no variable "BYPAS".',
  },
  {
    title: 'a prohibition with a broken pattern',
    from: 'pattern: "PUBLIC_PATHS"',
    to: 'pattern: ▸"PUBLIC_(PATHS"',
    message:
      '`prohibitions.bypass.detect[1].source.pattern` is "PUBLIC_(PATHS", but must be a regular expression of at most 512 characters.',
  },
  {
    title: 'a detector of two kinds',
    from: '- truthy: [BYPASS]',
    to: '- ▸truthy: [BYPASS]\n        present: [BYPASS]',
    message:
      '`prohibitions.bypass.detect[0]` must be a mapping with exactly one of truthy, present, source, sameValue, probe, running.',
  },
  {
    title: 'a value that is compared with itself',
    from: 'of: PROD, in: [TEST, STAGE]',
    to: 'of: PROD, in: [TEST, ▸PROD]',
    message: 'The value of PROD belongs to PROD.',
  },
  {
    title: 'a probe by the right credential',
    from: 'probe: { plane: human, with: machine }',
    to: 'probe: { plane: human, with: ▸human }',
    message: 'A credential of human belongs on human.',
  },
  {
    title: 'a prohibition in no scope',
    from: 'running: { scope: migrate,',
    to: 'running: { scope: ▸migrating,',
    message: 'There is no scope "migrating".',
  },
  {
    title: 'a severity that is none',
    from: 'severity: high',
    to: 'severity: ▸hgh',
    message:
      '`prohibitions.bypass.severity` is "hgh", but must be one of security-bug, architecture-violation, critical-violation, high, medium, low.',
    next: 'write `high`',
  },
  {
    title: 'an example that is no reference',
    from: 'examples: ["cred://orders/read"]',
    to: 'examples: [▸"cred://orders"]',
    message: '"cred://orders" does not match `references.pattern`.',
  },
  {
    title: 'a reference to an action that is none',
    from: 'action: read, resource: order-1',
    to: 'action: ▸reed, resource: order-1',
    message: 'There is no action "reed" in the service orders.',
    next: 'write `read`',
  },
  {
    title: 'a reference to a resource that is none',
    from: 'resource: order-1',
    to: 'resource: ▸orders/1',
    message: '"orders/1" is no resource of read, which is written "{order}".',
  },
  {
    title: 'a default mode of authentication that is not taken',
    from: 'defaultAuthMode: read-only',
    to: 'defaultAuthMode: ▸read-write',
    message: 'There is no auth mode "read-write".',
  },
  {
    title: 'a file outside the repository',
    from: 'docs/rules.md: {',
    to: '▸../rules.md: {',
    message: '"../rules.md" must be a path such as `docs/policy.md`, relative to the repository.',
  },
  {
    title: 'a document that covers variables',
    from: '{ role: document }',
    to: '{ role: document, ▸covers: all }',
    message: 'A document covers no variables.',
  },
  {
    title: 'an example of no mode',
    from: 'covers: [PROD]',
    to: 'covers: [▸PRD]',
    message: 'There is no mode "PRD".',
  },
  {
    title: 'a rotation of no secret',
    from: 'secrets: [DATABASE_URL]',
    to: 'secrets: [▸DATABASE_URLS]',
    message: 'There is no variable, secret path or reference "DATABASE_URLS".',
    next: 'write `DATABASE_URL`',
  },
  {
    title: 'a rotation window of more than ten years',
    from: 'every: 90d',
    to: 'every: ▸3651d',
    message: '`rotations.database.every` is "3651d", but must be a duration such as `90d`, at most 3650d.',
  },
]

for (const { title, from, to, message, next } of cases)
  test(`${title} is a problem at its place`, () => {
    const expected = to.includes('▸') ? marked(changedIn(specimen, from, to)) : undefined
    const text = expected?.text ?? changedIn(specimen, from, to)
    const wanted = withLines(message, text)
    const found = problemsOf(text).find((problem) => problem.message === wanted)
    assert.ok(found, JSON.stringify(problemsOf(text), undefined, 1))
    if (expected) assert.deepEqual(found.place, { line: expected.line, column: expected.column })
    assert.ok(found.next, 'every problem says what to do next')
    if (next !== undefined) assert.equal(found.next, next)
  })

test('a rotation window is ten years at most, to the second', () => {
  const every = (seconds: number) =>
    parseContract({ file, text: changedIn(specimen, 'every: 90d', `every: ${seconds}s`) }).kind
  assert.equal(every(rotationSecondsMax), 'contract')
  assert.equal(every(rotationSecondsMax + 1), 'problems')
})

test('what a mode inherits stands in it in full', () => {
  const { modeRules } = environmentOf(specimen)
  assert.deepEqual(modeRules.get('STAGE')?.auth, modeRules.get('PROD')?.auth)
  assert.equal(modeRules.get('STAGE')?.auth.get('sandbox'), 'forbidden')
})

test('production data is allowed where production is, unless the mode says otherwise', () => {
  const { modeRules } = environmentOf(specimen)
  assert.deepEqual(
    [...modeRules.values()].map(({ productionData }) => productionData),
    ['forbidden', 'forbidden', 'allowed'],
  )
})

test('a requirement holds where one of its items does', () => {
  const required = environmentOf(specimen).variables.get('DATABASE_URL')?.required ?? assert.fail()
  const cells = ['TEST', 'PROD'].flatMap((mode) => ['runtime', 'migrate'].map((scope) => ({ mode, scope })))
  assert.deepEqual(
    cells.map((cell) => isRequired(required, cell)),
    [false, true, true, true],
  )
})

test('a requirement in modes and scopes asks for both', () => {
  const text = changedIn(
    specimen,
    'required: { modes: [STAGE, PROD] }',
    'required: { modes: [STAGE], scopes: [migrate] }',
  )
  const required = environmentOf(text).variables.get('REGION')?.required ?? assert.fail()
  assert.ok(isRequired(required, { mode: 'STAGE', scope: 'migrate' }))
  assert.ok(!isRequired(required, { mode: 'STAGE', scope: 'runtime' }))
  assert.ok(!isRequired(required, { mode: 'PROD', scope: 'migrate' }))
})

test('a bare name is optional text of the owner of its group, and nothing more', () => {
  const host = environmentOf(specimen).variables.get('DATABASE_HOST')
  assert.equal(host?.owner, 'Platform')
  assert.equal(host?.type, 'string')
  assert.deepEqual(host?.required, { kind: 'optional' })
  assert.equal(environmentOf(specimen).variables.get('STORE_TOKEN')?.owner, 'Security')
})

test('a constant keeps its text, whether it is written as a truth or in quotes', () => {
  const text = changedIn(specimen, '{ STAGE: false, PROD: false }', '{ STAGE: "false", PROD: false }')
  assert.deepEqual(
    [...(environmentOf(text).variables.get('SANDBOX_ENABLED')?.constByMode ?? [])],
    [
      ['STAGE', 'false'],
      ['PROD', 'false'],
    ],
  )
})

test('a contract without scopes has the one scope of an ordinary start', () => {
  const text = specimen
    .replace(/\nscopes:\n.*\n.*\n/, '\n')
    .replace('    scopes: [migrate]\n    forbids: [http]\n', '')
    .replace(', { scopes: [migrate] }', '')
    .replace(', required: { scopes: [migrate] }', '')
    .replace('      - running: { scope: migrate, forbids: [http] }\n', '')
  const { scopes } = environmentOf(text)
  assert.deepEqual([...scopes.keys()], ['runtime'])
  assert.equal(scopes.get('runtime')?.isDefault, true)
})

/** From `tenants` on stands what a broker alone reads, but for the issuers. */
const environmentAlone = specimen
  .slice(0, specimen.indexOf('tenants:'))
  .replace(/ {2}resolves:\n.*\n/, '')
  .replace(/ {4}ceiling:.*\n/g, '')

test('a contract may have the environment alone, and no broker is built from it', () => {
  const contract = read(environmentAlone)
  assert.equal(requireEnvironment(contract).variables.size, 11)
  assert.equal(contract.modes.get('PROD')?.maxDurationSeconds, 0, 'nothing lives without a ceiling')
  assert.throws(() => requireBrokerPart(contract), { code: 'contract_invalid' })
  requireBrokerPart(read(specimen))
})

test('a contract may have nothing but modes', () => {
  const text =
    'contract: environment/v1\nmetadata: { name: a, onMismatch: fail-stop }\ndiscriminators: [A]\nmodes: { X: { class: test, match: { A: x } } }\n'
  assert.deepEqual([...environmentOf(text).modeRules.keys()], ['X'])
})

test('what a broker reads makes the rest of its part needed, each with its line', () => {
  const problems = problemsOf(`${environmentAlone}tenants: [acme]\n`)
  assert.deepEqual(
    problems.map(({ message }) => message).sort(),
    [
      ...['TEST', 'STAGE', 'PROD'].map((mode) => `\`modes.${mode}\` needs \`ceiling\`, and has none.`),
      ...['identities', 'providers', 'services', 'grants'].map(
        (key) => `The contract needs \`${key}\`, and has none.`,
      ),
    ].sort(),
  )
})

test('a name of the environment may be that of a property of every object', () => {
  for (const name of ['constructor', 'toString']) {
    const text = changedIn(specimen, 'names: [DATABASE_HOST]', `names: [DATABASE_HOST, ${name}]`)
    assert.equal(environmentOf(text).variables.get(name)?.name, name)
    assert.equal(environmentOf(specimen).variables.get(name), undefined)
    assert.equal(
      problemsOf(changedIn(specimen, 'roleVariable: DATABASE_ROLE', `roleVariable: ${name}`))[0]?.message,
      `There is no variable "${name}".`,
    )
  }
})
