import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseContract, requireContract } from '../parse.ts'
import { changedIn, specimen, withLines } from '../passage.fixture.ts'
import type { Effect } from './change.ts'
import { diffContracts, unapproved } from './diff.ts'
import { formatDiff } from './format-diff.ts'

function contractOf(text: string, file = 'sallyport.yaml') {
  return requireContract({ text, file })
}

const before = contractOf(specimen, 'before.yaml')

function changesOf(text: string) {
  return diffContracts({ before, after: contractOf(text, 'after.yaml') })
}

type Case = {
  readonly from: string
  readonly to: string
  /** Every change, with its effect. */
  readonly changes: Readonly<Record<string, Effect>>
  /** Of the looser ones; absent is the owner of the contract. */
  readonly owners?: readonly string[]
  /** What the way back is, where it is not the same with `looser` and `tighter` changed. */
  readonly back?: Effect
}

/** To replace one rule by another one is looser in both directions: nobody can tell which permits more. */
const eitherWay = { back: 'looser' } as const

const cases: readonly Case[] = [
  {
    from: '  STAGE:\n    class: staging',
    to: '  NIGHT:\n    class: test\n    match: { APP_MODE: test-night }\n    ceiling: { duration: 10m }\n    auth: { human: required, machine: forbidden, sandbox: forbidden }\n  STAGE:\n    class: staging',
    changes: { 'The mode NIGHT was added.': 'looser', 'test-night may be a value of APP_MODE.': 'looser' },
    owners: ['Board', 'Platform'],
  },
  {
    from: 'class: production',
    to: 'class: development',
    changes: {
      'The class of PROD is development (was production).': 'looser',
      'Production data in PROD is forbidden (was allowed).': 'tighter',
    },
  },
  {
    from: 'ceiling: { duration: 30m }',
    to: 'ceiling: { duration: 45m }',
    changes: { 'The ceiling of STAGE is 45m (was 30m).': 'looser' },
  },
  {
    from: 'duration: 15m, residual: 15m',
    to: 'duration: 15m',
    changes: { 'The residual that PROD bears is not set (was 15m).': 'looser' },
  },
  {
    from: '{ human: required, machine: required, sandbox: forbidden }',
    to: '{ human: required, machine: required, sandbox: opt-in }',
    changes: {
      'In STAGE, the plane sandbox is opt-in (was forbidden).': 'looser',
      'In PROD, the plane sandbox is opt-in (was forbidden).': 'looser',
    },
  },
  {
    from: '{ human: required, machine: required, sandbox: forbidden }',
    to: '{ human: optional, machine: required, sandbox: forbidden }',
    changes: {
      'In STAGE, the plane human is optional (was required).': 'looser',
      'In PROD, the plane human is optional (was required).': 'looser',
    },
  },
  {
    from: 'logged: true, audited: true',
    to: 'logged: true',
    changes: { 'In TEST actions are no longer audited.': 'looser' },
  },
  {
    from: 'billable: false',
    to: 'billable: true',
    changes: { 'In TEST, `billable` is true (was false).': 'looser' },
    back: 'other',
  },
  {
    from: 'data: { class: test, production: forbidden }',
    to: 'data: { class: test, production: allowed }',
    changes: { 'Production data in TEST is allowed (was forbidden).': 'looser' },
  },
  { from: '    strict: true\n', to: '', changes: { 'TEST is no longer strict.': 'looser' } },
  {
    from: '    notes: [Test users alone]\n',
    to: '',
    changes: { 'TEST no longer says: Test users alone': 'looser' },
  },
  {
    from: 'name: X-Sandbox-Key',
    to: 'name: X-Other-Key',
    changes: {
      'The credential of sandbox is {"in":"header","name":"X-Other-Key","type":"apiKey"} (was {"in":"header","name":"X-Sandbox-Key","type":"apiKey"}).':
        'looser',
    },
    ...eitherWay,
  },
  {
    from: '"/accounts/*"]',
    to: '"/accounts/*", "/people/*"]',
    changes: { '/people/* belongs to the plane human.': 'looser' },
  },
  {
    from: 'rejects: [human, sandbox]',
    to: 'rejects: [human]',
    changes: { 'machine no longer rejects sandbox.': 'looser' },
  },
  {
    from: '    enabledBy: SANDBOX_ENABLED\n',
    to: '',
    changes: { 'What enables sandbox is not set (was SANDBOX_ENABLED).': 'looser' },
  },
  {
    from: '    forbids: [http]\n',
    to: '',
    changes: { 'database no longer forbids http.': 'looser' },
  },
  {
    from: '      never: [machine keys]\n',
    to: '',
    changes: { 'No longer forbidden in tests of human: machine keys.': 'looser' },
  },
  {
    from: 'clients: { sdk: [Is external] }',
    to: 'clients: { sdk: [Is external, Asks twice] }',
    changes: { 'For sdk: Asks twice.': 'tighter' },
  },
  {
    from: 'commands: [alembic *]',
    to: 'commands: [alembic upgrade *]',
    changes: {
      '`alembic *` is no longer of the scope migrate.': 'looser',
      '`alembic upgrade *` is of the scope migrate.': 'tighter',
    },
  },
  {
    from: '  migrate: { plane: database, commands: [alembic *] }',
    to: '  seed: { plane: database, commands: [psql *] }\n  migrate: { plane: database, commands: [alembic *] }',
    changes: { 'The scope seed was added.': 'looser' },
    ...eitherWay,
  },
  {
    from: 'tables: [runs]',
    to: 'tables: [runs, tenants]',
    changes: { 'A database without the table tenants takes no migration.': 'tighter' },
  },
  {
    from: 'id: BOOT-1',
    to: 'id: BOOT-2',
    changes: {
      'What an empty database needs first is {"id":"BOOT-2","require":"Create the tables first","see":"docs/bootstrap.md"} (was {"id":"BOOT-1","require":"Create the tables first","see":"docs/bootstrap.md"}).':
        'other',
    },
  },
  {
    from: 'required: { modes: [STAGE, PROD] }',
    to: 'required: { modes: [STAGE, PROD], scopes: [runtime] }',
    changes: { 'REGION is no longer required in STAGE (migrate), PROD (migrate).': 'looser' },
    owners: ['Platform'],
  },
  {
    from: 'API_KEY: { sensitive: true, secretRef: app/keys }',
    to: 'API_KEY: { secretRef: app/keys }',
    changes: { 'API_KEY is no longer sensitive.': 'looser' },
    owners: ['Auth'],
  },
  {
    from: 'owner: Security, sensitive: true, internal: true',
    to: 'owner: Board, sensitive: true',
    changes: {
      'The owner of STORE_TOKEN is Board (was Security).': 'looser',
      'The launcher passes STORE_TOKEN on.': 'looser',
    },
    owners: ['Security'],
    back: 'tighter',
  },
  {
    from: 'API_KEY: { sensitive: true, secretRef: app/keys }',
    to: 'OTHER: { sensitive: true }',
    changes: { 'The variable API_KEY was removed.': 'looser', 'The variable OTHER was added.': 'tighter' },
    owners: ['Auth'],
  },
  {
    from: 'POOL: { type: integer, minimum: 1, maximum: 64 }',
    to: 'POOL: { type: integer, minimum: 0, maximum: 32 }',
    changes: {
      'The minimum of POOL is 0 (was 1).': 'looser',
      'The maximum of POOL is 32 (was 64).': 'tighter',
    },
    owners: ['Platform'],
  },
  {
    from: 'POOL: { type: integer, minimum: 1, maximum: 64 }',
    to: 'POOL: {}',
    changes: {
      'The type of POOL is string (was integer).': 'looser',
      'The minimum of POOL is not set (was 1).': 'looser',
      'The maximum of POOL is not set (was 64).': 'looser',
    },
    owners: ['Platform'],
  },
  {
    from: 'schemes: [postgresql]',
    to: 'schemes: [postgresql, sqlite]',
    changes: { 'sqlite may be a scheme of DATABASE_URL.': 'looser' },
    owners: ['Platform'],
  },
  {
    from: 'pattern: "^[a-z]+-[0-9]$", ',
    to: '',
    changes: { 'The pattern of REGION is not set (was ^[a-z]+-[0-9]$).': 'looser' },
    owners: ['Platform'],
  },
  {
    from: 'const: { STAGE: false, PROD: false }',
    to: 'const: { STAGE: false }',
    changes: { 'The one value of SANDBOX_ENABLED in PROD is not set (was false).': 'looser' },
    owners: ['Platform'],
  },
  {
    from: '[app/database, app/fallback]',
    to: '[app/fallback, app/database]',
    changes: {
      'The place where DATABASE_URL lives is app/fallback (was app/database).': 'looser',
      'DATABASE_URL lives at app/database too.': 'other',
      'DATABASE_URL no longer lives at app/fallback too.': 'other',
    },
    owners: ['Platform'],
    ...eitherWay,
  },
  {
    from: 'app/database: { owner: [Platform, Data]',
    to: 'app/database: { owner: [Data]',
    changes: { 'The owner of app/database is ["Data"] (was ["Platform","Data"]).': 'looser' },
    owners: ['Platform', 'Data'],
    ...eitherWay,
  },
  {
    from: 'copy: { migrate: deny }',
    to: 'copy: { migrate: allow }',
    changes: { '`migrate` of a copy database is allow (was deny).': 'looser' },
  },
  {
    from: 'CONFIRMED: "true"',
    to: 'POOL: "1"',
    changes: {
      'What confirms the migration of a canonical database is {"value":"1","variable":"POOL"} (was {"value":"true","variable":"CONFIRMED"}).':
        'looser',
    },
    ...eitherWay,
  },
  {
    from: 'PROD: canonical }',
    to: 'PROD: rehearsal }',
    changes: { 'The database role of PROD is rehearsal (was canonical).': 'looser' },
  },
  {
    from: 'roleVariable: DATABASE_ROLE',
    to: 'roleVariable: REGION',
    changes: { 'The variable of the database role is REGION (was DATABASE_ROLE).': 'looser' },
    ...eitherWay,
  },
  {
    from: 'modes: [TEST, STAGE]\n    otherwise',
    to: 'modes: [TEST, STAGE, PROD]\n    otherwise',
    changes: { 'The gate DEBUG-1 is open in PROD.': 'looser' },
  },
  {
    from: 'endpoints: { /debug: Shows the schema }',
    to: 'endpoints: { /debug: Shows the schema, /trace: Shows calls }',
    changes: { '/trace is behind the gate DEBUG-1.': 'tighter' },
  },
  {
    from: 'otherwise: { status: 404,',
    to: 'otherwise: { status: 403,',
    changes: {
      'The answer of DEBUG-1 is {"body":{"error":"not_found"},"status":403} (was {"body":{"error":"not_found"},"status":404}).':
        'other',
    },
  },
  {
    from: 'severity: high',
    to: 'severity: low',
    changes: { 'The severity of bypass is low (was high).': 'looser' },
  },
  {
    from: 'in: [TEST, STAGE] }',
    to: 'in: [TEST] }',
    changes: { 'bypass is no longer detected by the DATABASE_URL of PROD in STAGE.': 'looser' },
  },
  {
    from: 'truthy: [BYPASS]',
    to: 'present: [BYPASS]',
    changes: { 'bypass is detected by the presence of BYPASS.': 'tighter' },
  },
  {
    from: 'requiredModes: [STAGE, PROD]',
    to: 'requiredModes: [PROD]',
    changes: { 'No reference is required in STAGE any longer.': 'looser' },
  },
  {
    from: 'resource: order-1 }',
    to: 'resource: order-2 }',
    changes: {
      'There is no longer the reference cred://orders/read for orders read order-1.': 'tighter',
      'There is the reference cred://orders/read for orders read order-2.': 'looser',
    },
  },
  {
    from: 'authModes: [read-only]',
    to: 'authModes: [read-only, read-write]',
    changes: { 'ingest takes read-write.': 'looser' },
  },
  {
    from: '.env.example: { role: example, covers: all,',
    to: '.env.example: { role: example, covers: [TEST],',
    changes: { 'What .env.example covers is ["TEST"] (was all).': 'looser' },
  },
  {
    from: 'every: 90d',
    to: 'every: 365d',
    changes: { 'The window of database is 365d (was 90d).': 'looser' },
    owners: ['Data'],
  },
  {
    from: 'neverIn: [logs, git-history]',
    to: 'neverIn: [logs]',
    changes: { 'Secrets may be in git-history.': 'looser' },
  },
  {
    from: 'releaseBlocking: [critical]',
    to: 'releaseBlocking: [critical, high]',
    changes: { 'Findings of high block a release.': 'tighter' },
  },
  {
    from: 'mustNot: [Weaken auth]',
    to: 'mustNot: [Weaken auth much]',
    changes: {
      'Agents are no longer told (mustNot): Weaken auth': 'looser',
      'Agents are told (mustNot): Weaken auth much': 'tighter',
    },
  },
  {
    from: 'validation: [npm run validate]\n',
    to: '',
    changes: { '`npm run validate` no longer proves the contract.': 'looser' },
  },
  {
    from: 'owner: Board',
    to: 'owner: Me',
    changes: { 'Who answers for the rules that name no owner is Me (was Board).': 'looser' },
    owners: ['Board'],
    ...eitherWay,
  },
  {
    from: 'algorithms: [RS256, ES256]',
    to: 'algorithms: [RS256]',
    changes: { 'login may no longer sign by ES256.': 'tighter' },
  },
  {
    from: 'maxAge: 30m',
    to: 'maxAge: 2h',
    changes: { 'The oldest token of login is 2h (was 30m).': 'looser' },
  },
  {
    from: 'audience: app',
    to: 'audience: other',
    changes: { '`audience` of the issuer login is other (was app).': 'looser' },
    ...eitherWay,
  },
  {
    from: '    roles: [operator]\n',
    to: '    roles: [operator, platform]\n',
    changes: { 'worker has the role platform.': 'looser' },
  },
  {
    from: 'config: { issuer: https://tokens.example.test }',
    to: 'config: { issuer: https://others.example.test }',
    changes: { 'The settings of tokens are others.': 'looser' },
    ...eitherWay,
  },
  {
    from: 'means: { scope: "orders:read" }',
    to: 'means: { scope: "orders:write" }',
    changes: { 'What read is at its provider is another.': 'looser' },
    ...eitherWay,
  },
  {
    from: 'agents: [worker]',
    to: 'agents: ["*"]',
    changes: { 'worker-reads is for *.': 'looser' },
  },
  {
    from: 'resources: ["order-*"]',
    to: 'resources: ["order-1", "order-2*"]',
    changes: { 'No longer: worker-reads covers order-*.': 'tighter' },
  },
  {
    from: 'resources: ["order-*"]',
    to: 'resources: ["order-*", "*"]',
    changes: { 'worker-reads covers *.': 'looser' },
  },
  {
    from: 'maxDuration: 15m',
    to: 'maxDuration: 12m',
    changes: { 'The longest life by worker-reads is 12m (was 15m).': 'tighter' },
  },
  {
    from: '  - webhook: https://alerts.example.test/hook',
    to: '  - webhook: https://other.example.test/hook',
    changes: {
      'Alerts no longer go to webhook https://alerts.example.test/hook.': 'looser',
      'Alerts go to webhook https://other.example.test/hook.': 'tighter',
    },
  },
  {
    from: 'defaults: { duration: 10m }',
    to: 'defaults: { duration: 15m }',
    changes: { 'The life of a credential when none is asked for is 15m (was 10m).': 'looser' },
  },
]

const reverse = { looser: 'tighter', tighter: 'looser', other: 'other' } as const

for (const { from, to, changes, owners, back } of cases)
  test(Object.keys(changes)[0], () => {
    const text = changedIn(specimen, from, to)
    const mode = text.includes('test-night')
    const after = mode
      ? text
          .replace('enum: [test, stage, prod]', 'enum: [test, stage, prod, test-night]')
          .replace('TEST: rehearsal,', 'TEST: rehearsal, NIGHT: rehearsal,')
      : text
    const found = changesOf(after)
    const wanted = mode
      ? { ...changes, 'The database role of NIGHT is rehearsal (was not set).': 'tighter' }
      : changes
    assert.deepEqual(
      Object.fromEntries(found.map(({ message, effect }) => [message, effect]).sort()),
      Object.fromEntries(Object.entries(wanted).sort()),
    )
    const looser = found.filter(({ effect }) => effect === 'looser')
    assert.deepEqual(
      [...new Set(looser.flatMap((change) => change.owners))].sort(),
      looser.length > 0 ? [...(owners ?? ['Board'])].sort() : [],
    )
    const returned = diffContracts({ before: contractOf(after), after: before })
    assert.equal(returned.length, found.length)
    if (back) assert.ok(returned.some(({ effect }) => effect === back))
    else
      assert.deepEqual(
        returned.map(({ effect }) => effect).sort(),
        found.map(({ effect }) => reverse[effect]).sort(),
      )
  })

for (const [section, what] of [
  ['migrations', 'The rules for migrations'],
  ['references', 'The rules for credential references'],
  ['secretRules', 'The rules for secrets'],
  ['agents', 'The rules for agents'],
] as const)
  test(`to remove ${section} as a whole is one looser change`, () => {
    const text = specimen
      .replace(new RegExp(`\\n${section}:\\n( .*\\n)+`), '\n')
      .replace(section === 'references' ? ', "cred://orders/read"' : 'nothing', '')
    const looser = changesOf(text).filter(({ effect }) => effect === 'looser')
    assert.ok(looser.some(({ message }) => message === `${what} were removed.`))
    const back = diffContracts({ before: contractOf(text), after: before })
    assert.ok(back.some(({ message, effect }) => message === `${what} were added.` && effect === 'tighter'))
  })

test('the order of scopes counts where a command can be of both', () => {
  const scopes = (...lines: readonly string[]) =>
    changedIn(
      specimen,
      '  migrate: { plane: database, commands: [alembic *] }\n',
      lines.map((line) => `  ${line} }\n`).join(''),
    )
  const [migrate, seed] = [
    'migrate: { plane: database, commands: [alembic upgrade *]',
    'seed: { commands: [psql *, alembic *]',
  ]
  const first = contractOf(scopes(migrate, seed))
  const said = (text: string, from = first) =>
    diffContracts({ before: from, after: contractOf(text) }).map(
      ({ effect, message }) => `${effect}: ${message}`,
    )
  const moved = 'looser: A command of `alembic *` and `alembic upgrade *` is of the scope seed (was migrate).'
  assert.deepEqual(said(scopes(seed, migrate)), [moved])
  assert.deepEqual(said(scopes(migrate, seed), contractOf(scopes(seed, migrate))), [
    'looser: A command of `alembic upgrade *` and `alembic *` is of the scope migrate (was seed).',
  ])
  const apart = seed.replace(', alembic *', '')
  assert.deepEqual(said(scopes(apart, migrate), contractOf(scopes(migrate, apart))), [])
  const taken = changedIn(scopes(migrate, seed), 'default: true', 'default: true, commands: [alembic * head]')
  assert.deepEqual(said(taken), [
    'looser: A command of `alembic * head` and `alembic upgrade *` is of the scope runtime (was migrate).',
    'looser: A command of `alembic * head` and `alembic *` is of the scope runtime (was seed).',
    'tighter: `alembic * head` is of the scope runtime.',
  ])
  assert.deepEqual(said(scopes(migrate)), ['looser: The scope seed was removed.'])
})

test('a contract is as loose and as tight as itself, whatever is written between its lines', () => {
  assert.deepEqual(changesOf(specimen.replaceAll('\n', ' # a remark\n')), [])
})

/** Words that explain, and permit and demand nothing, and what holds anyway. */
const wordsAlone =
  /^\s*(#|purpose:|status:|effective:|current:|tracks:|appliesTo:|tags:|title:|reference:|description:|meaning:|- \{ method:|methods:|testing:|answers:|file|examples?:|controlledBy:|planes: \[machine\])|^$/

test('no line that says something can be dropped from a contract without a change', () => {
  const lines = specimen.split('\n')
  let dropped = 0
  for (const [index, line] of lines.entries()) {
    if (wordsAlone.test(line)) continue
    const parsed = parseContract({ text: lines.toSpliced(index, 1).join('\n'), file: 'after.yaml' })
    if (parsed.kind === 'problems') continue
    dropped += 1
    assert.ok(diffContracts({ before, after: parsed.contract }).length > 0, line)
  }
  assert.ok(dropped > 40, String(dropped))
  console.log(`${dropped} lines dropped, each of them a change; the others are needed`)
})

test('a seed without one of its lines permits more, or is no contract', () => {
  const file = '../../../contracts/agenticverz.yaml'
  const text = readFileSync(new URL(file, import.meta.url), 'utf8')
  const whole = contractOf(text)
  for (const line of [
    '      - truthy: [DEV_AUTH_ENABLED, JWT_ALLOW_DEV_TOKEN]\n',
    '    strict: true\n',
    '    - Create stub users or fake tokens\n',
    '    enabledBy: CUSTOMER_SANDBOX_ENABLED\n',
  ]) {
    const changes = diffContracts({ before: whole, after: contractOf(changedIn(text, line, '')) })
    assert.ok(
      changes.some(({ effect }) => effect === 'looser'),
      line,
    )
    assert.deepEqual(unapproved(changes, []), ['Platform'], 'who answers for the discriminators')
  }
})

const brokerAlone = readFileSync(new URL('../../../contracts/demo.yaml', import.meta.url), 'utf8')

test('an environment that joins a broker demands, and permits nothing', () => {
  const joined = `${brokerAlone}
variables:
  - { group: core, owner: Platform, vars: { AOS_MODE: { required: always }, DB_AUTHORITY: { required: always } } }
`
  const sides = { before: contractOf(brokerAlone), after: contractOf(joined) }
  assert.deepEqual(
    diffContracts(sides).map(({ effect, message }) => [effect, message]),
    [
      ['tighter', 'The variable AOS_MODE was added.'],
      ['tighter', 'The variable DB_AUTHORITY was added.'],
    ],
  )
})

test('another header of machine keys is a looser change, with an environment and without', () => {
  const changes = diffContracts({
    before: contractOf(brokerAlone),
    after: contractOf(changedIn(brokerAlone, 'X-AOS-Key', 'X-Other-Key')),
  })
  assert.deepEqual(
    changes.map(({ effect, message, owners }) => [effect, message, owners]),
    [['looser', 'The header of machine keys is X-Other-Key (was X-AOS-Key).', ['demo']]],
  )
})

test('each owner concerned must approve, however the name is written', () => {
  const text = changedIn(changedIn(specimen, 'every: 90d', 'every: 91d'), 'severity: high', 'severity: low')
  const changes = changesOf(text)
  assert.deepEqual(unapproved(changes, []), ['Board', 'Data'])
  assert.deepEqual(unapproved(changes, ['board']), ['Data'])
  assert.deepEqual(unapproved(changes, [' Board ', 'DATA', 'Nobody']), [])
  assert.deepEqual(unapproved(changesOf(changedIn(specimen, 'every: 90d', 'every: 1d')), []), [])
})

test('changes are shown with their place, and the looser ones with who answers for them', () => {
  const text = changedIn(specimen, 'every: 90d', 'every: 91d')
  const removed = changedIn(text, '  docs/rules.md: { role: document }\n', '')
  const files = { before: { file: 'before.yaml' }, after: { file: 'after.yaml' } }
  const line = (passage: string, where: string) => withLines(`«${passage}»`, where)
  assert.equal(
    formatDiff(changesOf(removed), files),
    [
      `looser   after.yaml:${line('every: 91d', removed)}:3  The window of database is 91d (was 90d). (Data)`,
      `other    before.yaml:${line('docs/rules.md', specimen)}:3  The file docs/rules.md was removed.`,
      '1 looser, 0 tighter, 1 neither.',
      '',
    ].join('\n'),
  )
  assert.equal(formatDiff([], files), 'The two permit and demand the same.\n')
})
