import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secretKindOf } from '../../references/index.ts'
import { requireContract } from '../parse.ts'
import { changedIn, marked, specimen, withLines } from '../passage.fixture.ts'
import { type LintCode, lintCodes } from './finding.ts'
import { formatLint } from './format-lint.ts'
import { lintContract } from './lint.ts'

const file = 'sallyport.yaml'

function findingsOf(text: string) {
  return lintContract(requireContract({ text, file }), { secretKindOf })
}

type Case = {
  readonly code: LintCode
  readonly from: string
  /** With `▸` where the finding must point. */
  readonly to: string
  /** With `«passage»` for the line on which that passage begins. */
  readonly message: string
  readonly next?: string
}

const cases: readonly Case[] = [
  {
    code: 'mode-without-role',
    from: '  STAGE:\n    class: staging\n    match: { APP_MODE: stage }\n    ceiling: { duration: 30m }\n    auth: { inherit: PROD }\n',
    to: '  STAGE:\n    class: staging\n    match: { APP_MODE: stage }\n    ceiling: { duration: 30m }\n    auth: { inherit: PROD }\n  ▸EXTRA:\n    class: staging\n    match: { APP_MODE: extra }\n    ceiling: { duration: 30m }\n    auth: { inherit: PROD }\n',
    message: 'The mode EXTRA has no database role.',
  },
  {
    code: 'mode-without-plane',
    from: '  PROD:\n    class: production\n    match: { APP_MODE: prod }\n    ceiling: { duration: 15m, residual: 15m }\n    auth: { human: required, machine: required, sandbox: forbidden }',
    to: '  ▸PROD:\n    class: production\n    match: { APP_MODE: prod }\n    ceiling: { duration: 15m, residual: 15m }\n    auth: { human: required, machine: required }',
    message: 'The mode PROD does not say whether credentials of the plane sandbox are taken.',
    next: 'add `sandbox: forbidden` or another permission to its `auth`',
  },
  {
    code: 'plane-unlocked',
    from: 'const: { STAGE: false, PROD: false }',
    to: 'const: { STAGE: false }',
    message: 'The mode PROD forbids the plane sandbox, but SANDBOX_ENABLED may be true there.',
    next: 'write `const: { PROD: false }` for SANDBOX_ENABLED',
  },
  {
    code: 'plane-contradicted',
    from: 'const: { STAGE: false, PROD: false }',
    to: 'const: { STAGE: false, PROD: true }',
    message: 'The mode PROD forbids the plane sandbox, but SANDBOX_ENABLED must be true there.',
  },
  {
    code: 'plane-contradicted',
    from: 'auth: { human: optional, machine: allowed, sandbox: opt-in }',
    to: 'auth: { human: optional, machine: allowed, sandbox: allowed }\n',
    message: 'The mode TEST takes credentials of the plane sandbox, but SANDBOX_ENABLED must be false there.',
  },
  {
    code: 'discriminator-value-unused',
    from: 'APP_MODE: { enum: [test, stage, prod],',
    to: '▸APP_MODE: { enum: [test, stage, prod, local],',
    message: 'APP_MODE may be local, but no mode has it.',
  },
  {
    code: 'discriminator-default',
    from: 'APP_MODE: { enum: [test, stage, prod],',
    to: '▸APP_MODE: { example: test, enum: [test, stage, prod],',
    message:
      'APP_MODE tells modes apart, and its example makes test the mode of whoever copies the example file.',
    next: 'remove `example`: there is no default mode',
  },
  {
    code: 'discriminator-optional',
    from: 'APP_MODE: { enum: [test, stage, prod], required: always }',
    to: '▸APP_MODE: { enum: [test, stage, prod], required: { modes: [PROD] } }',
    message: 'APP_MODE tells modes apart, and may be absent.',
  },
  {
    code: 'example-secret',
    from: 'POOL: { type: integer, minimum: 1, maximum: 64 }',
    to: '▸POOL: { example: ghp_16C7e42F292c6912E7710c838347Ae178B4a }',
    message: 'The example of POOL looks like a secret (GitHub token).',
    next: 'write a placeholder that is nothing of anybody, and rotate what stood there if it was real',
  },
  {
    code: 'example-secret',
    from: 'API_KEY: { sensitive: true, secretRef: app/keys }',
    to: '▸API_KEY: { sensitive: true, secretRef: app/keys, example: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY }',
    message: 'The example of API_KEY looks like a secret (random text).',
  },
  {
    code: 'bypass-registered',
    from: 'truthy: [BYPASS]',
    to: 'present: [API_KEY]',
    message:
      'API_KEY is registered, and the prohibition bypass (line «  bypass:») forbids that it is ever set.',
    next: 'have Auth remove it from the code, and then from here',
  },
  {
    code: 'owner-unspecified',
    from: 'group: auth\n    owner: Auth',
    to: 'group: auth\n    owner: TBD',
    message: 'Nobody answers for API_KEY (auth).',
  },
  {
    code: 'secret-unmarked',
    from: 'names: [DATABASE_HOST]',
    to: 'names: [DATABASE_HOST, ▸SIGNING_SECRET]',
    message: 'SIGNING_SECRET looks like a secret, and is not marked.',
  },
  {
    code: 'secret-unmarked',
    from: 'POOL: { type: integer, minimum: 1, maximum: 64 }',
    to: '▸POOL: { type: uri, schemes: [amqps] }',
    message: 'POOL looks like a secret, and is not marked.',
  },
  {
    code: 'secret-without-path',
    from: 'CONFIRMED: { type: boolean }',
    to: 'CONFIRMED: { type: boolean }\n      ▸SIGNER: { sensitive: true }',
    message: 'SIGNER is sensitive, and no secret path is known.',
    next: 'have Platform name the path where it lives, as `secretRef`',
  },
  {
    code: 'secret-without-path',
    from: 'CONFIRMED: { type: boolean }',
    to: 'CONFIRMED: { type: boolean }\n      ▸SIGNER: { sensitive: true, secretRef: unspecified }',
    message: 'SIGNER is sensitive, and no secret path is known.',
  },
  {
    code: 'stored-unmarked',
    from: 'API_KEY: { sensitive: true, secretRef: app/keys }',
    to: '▸API_KEY: { type: port, secretRef: app/keys }',
    message: 'API_KEY lives at app/keys, and is not marked as sensitive.',
  },
  {
    code: 'sources-differ',
    from: 'secretRef: app/keys',
    to: 'secretRef: [app/keys, app/others]',
    message: 'API_KEY has 2 sources, app/keys and app/others; the first wins.',
  },
  {
    code: 'owners-differ',
    from: 'BYPASS: { type: boolean, owner: Auth }',
    to: 'BYPASS: { type: boolean }\n      ▸OTHER: { owner: Board, sensitive: true, secretRef: app/others }',
    message: 'OTHER belongs to Board, and its path app/others (line «app/others:») to Data.',
  },
  {
    code: 'name-undeclared',
    from: 'app/keys: { owner: Auth, keys: [API_KEY] }',
    to: '▸app/keys: { owner: [Auth, Data], keys: [API_KEY, ADMIN_KEY] }',
    message: 'The path app/keys holds ADMIN_KEY, which is no variable of the registry.',
    next: 'add ADMIN_KEY under `variables`, with the owner Auth or Data',
  },
  {
    code: 'path-unclaimed',
    from: 'app/keys: { owner: Auth, keys: [API_KEY] }',
    to: '▸app/keys: { owner: Auth, keys: [API_KEY, POOL] }',
    message: 'The path app/keys holds POOL, which does not name it (line «POOL: {»).',
  },
  {
    code: 'rotation-undocumented',
    from: '  keys: { secrets: [app/keys, STORE_TOKEN, "cred://orders/read"], every: 30d, owner: Security }\n',
    to: '',
    message: 'No rotation window is documented for API_KEY, STORE_TOKEN.',
  },
  {
    code: 'gate-undocumented',
    from: '    reference: src/debug.py\n',
    to: '',
    message: 'The gate DEBUG-1 does not say where it is implemented or written down.',
  },
  {
    code: 'gate-everywhere',
    from: 'modes: [TEST, STAGE]\n    otherwise',
    to: 'modes: [TEST, STAGE, PROD]\n    otherwise',
    message: 'The gate DEBUG-1 is open in every mode.',
  },
  {
    code: 'prohibition-undetected',
    from: 'references:\n',
    to: '  ▸rudeness: { reason: Hurts, severity: low }\nreferences:\n',
    message: 'Nothing detects rudeness.',
  },
  {
    code: 'grant-unusable',
    from: 'tenants: [acme]',
    to: 'tenants: [acme, globex]',
    message: 'No identity can use the grant nobody: globex has none on the machine plane.',
    next: 'add an identity of globex under `identities`, or remove the grant',
  },
  {
    code: 'grant-resource-impossible',
    from: 'resources: ["order-*"]',
    to: 'resources: ["order-*", ▸"orders/*/lines"]',
    message: 'No resource of read can ever be of orders/*/lines.',
    next: 'write it as the resource is written: {order}',
  },
  {
    code: 'grant-action-idle',
    from: 'actions: [read]',
    to: 'actions: [read, ▸list]',
    message: 'No resource of the grant worker-reads is one of list, so it is never allowed.',
  },
  {
    code: 'grant-wide',
    from: 'resources: ["order-*"]',
    to: 'resources: [▸"*"]',
    message: '* leaves out no resource of read, also in STAGE, PROD.',
  },
  {
    code: 'grant-every-agent',
    from: 'agents: [worker]',
    to: 'agents: [▸"*"]',
    message: 'The grant worker-reads is for every agent of acme, those to come as well, also in STAGE, PROD.',
  },
  {
    code: 'grant-inside',
    from: 'alerts:\n',
    to: '  - ▸id: again\n    tenant: acme\n    agents: [worker]\n    service: orders\n    actions: [read]\n    resources: ["order-1*", order-22]\n    modes: [TEST]\n    maxDuration: 5m\nalerts:\n',
    message: 'The grant again allows nothing that worker-reads (line «id: worker-reads») does not allow.',
    next: 'remove it, or make worker-reads narrower',
  },
  {
    code: 'action-wide',
    from: 'means: { scope: "orders:read" }',
    to: 'means: { scope: ▸"*" }',
    message: 'The action read of orders means *, which is everything of its kind.',
  },
  {
    code: 'action-wide',
    from: 'means: { scope: "orders:read" }',
    to: 'means: { actions: [s3:GetObject, ▸"s3:*"] }',
    message: 'The action read of orders means s3:*, which is everything of its kind.',
  },
  {
    code: 'reference-ungranted',
    from: 'resource: order-1 }',
    to: 'resource: invoice-1 }',
    message: 'cred://orders/read stands for orders read invoice-1, which no grant allows anyone.',
  },
  {
    code: 'role-unknown',
    from: 'enum: [rehearsal, canonical, copy]',
    to: 'enum: [rehearsal, canonical]',
    message: 'copy is a database role, but DATABASE_ROLE cannot be it.',
  },
  {
    code: 'role-unknown',
    from: 'enum: [rehearsal, canonical, copy]',
    to: 'enum: [rehearsal, canonical, copy, spare]',
    message: 'DATABASE_ROLE may be spare, which is no database role.',
  },
  {
    code: 'confirmation-impossible',
    from: 'confirm: { CONFIRMED: "true" }',
    to: 'confirm: { CONFIRMED: "yes" }',
    message: 'The role canonical is confirmed by CONFIRMED=yes, which it can never be.',
  },
  {
    code: 'reference-pattern-open',
    from: 'pattern: "^cred://[a-z]+/[a-z]+$"',
    to: 'pattern: "cred://[a-z]+/[a-z]+"',
    message:
      'The pattern of references is not bound to the whole text, so more than a reference could stand there.',
    next: 'write `^cred://[a-z]+/[a-z]+$`',
  },
  {
    code: 'reference-not-required',
    from: 'requiredModes: [STAGE, PROD]',
    to: 'requiredModes: [PROD]',
    message: 'Requests in STAGE need no credential reference.',
  },
  {
    code: 'adapter-without-reference',
    from: 'adapters:\n  ingest:',
    to: 'adapters:\n  ▸ingest:',
    message: 'The adapter ingest takes requests, and nothing says what a credential reference is.',
  },
]

/** What a case needs besides its own change. */
const prepared: Readonly<Record<string, (text: string) => string>> = {
  'mode-without-role': (text) =>
    changedIn(text, 'enum: [test, stage, prod]', 'enum: [test, stage, prod, extra]'),
  'sources-differ': (text) =>
    changedIn(text, 'app/keys: {', 'app/others: { owner: Auth, keys: [API_KEY] }\n      app/keys: {'),
  'owners-differ': (text) =>
    changedIn(text, 'app/keys: {', 'app/others: { owner: Data, keys: [OTHER] }\n      app/keys: {'),
  'grant-unusable': (text) =>
    changedIn(
      text,
      'alerts:\n',
      '  - id: nobody\n    tenant: globex\n    agents: ["*"]\n    service: orders\n    actions: [read]\n    resources: [order-1]\n    modes: [TEST]\n    maxDuration: 5m\nalerts:\n',
    ),
  'grant-action-idle': (text) =>
    changedIn(
      text,
      '    actions:\n      read:',
      '    actions:\n      list: { resource: "{shop}/orders", means: {} }\n      read:',
    ),
  'adapter-without-reference': (text) =>
    text.replace(/\nreferences:\n( .*\n)+/, '\n').replace(', "cred://orders/read"', ''),
}

/** What the specimen has by itself. */
const usual = new Set(findingsOf(specimen).map(({ message }) => message))

for (const { code, from, to, message, next } of cases)
  test(`${code}: ${message}`, () => {
    const extra = message.includes('must be false')
      ? (text: string) => changedIn(text, 'const: { STAGE: false,', 'const: { TEST: false, STAGE: false,')
      : (prepared[code] ?? ((text: string) => text))
    const expected = to.includes('▸') ? marked(extra(changedIn(specimen, from, to))) : undefined
    const text = expected?.text ?? extra(changedIn(specimen, from, to))
    const wanted = withLines(message, text)
    const found = findingsOf(text).find((finding) => finding.message === wanted)
    assert.ok(found, JSON.stringify(findingsOf(text), undefined, 1))
    assert.ok(!usual.has(wanted))
    assert.equal(found.code, code)
    assert.equal(found.level, lintCodes[code][0])
    if (expected) assert.deepEqual(found.place, { line: expected.line, column: expected.column })
    if (next !== undefined) assert.equal(found.next, next)
  })

test('every code has a case', () => {
  const covered = new Set(cases.map(({ code }) => code))
  assert.deepEqual(
    Object.keys(lintCodes).filter((code) => !cases.some((one) => one.code === code)),
    ['example-wrong', 'file-missing', 'gate-reference-missing'],
  )
  console.log(`${covered.size} codes in ${cases.length} cases`)
})

test('files that are not there are told where somebody can look for them', () => {
  const contract = requireContract({ text: specimen, file })
  const found = (isThere: (path: string) => boolean) =>
    lintContract(contract, { secretKindOf, isThere }).flatMap(({ code, message }) =>
      usual.has(message) ? [] : [[code, message]],
    )
  assert.deepEqual(
    found(() => true),
    [],
  )
  assert.deepEqual(
    found((path) => path.startsWith('.env')),
    [
      ['gate-reference-missing', 'The gate DEBUG-1 refers to src/debug.py, which is not there.'],
      ['file-missing', 'docs/rules.md is not there.'],
    ],
  )
})

test('the findings of the specimen are what somebody decided to live with', () => {
  assert.deepEqual(
    findingsOf(specimen).map(({ code }) => code),
    ['sources-differ', 'bypass-registered'],
  )
})

test('of names without a rotation window five are shown, and more are counted', () => {
  const told = (count: number) => {
    const names = Array.from({ length: count - 2 }, (_, nth) => `KEY_${nth}`)
    const more = names.map((name) => `      ${name}: { sensitive: true, secretRef: app/keys }\n`).join('')
    const [rotation, path] = [
      '  keys: { secrets: [app/keys, STORE_TOKEN, "cred://orders/read"], every: 30d, owner: Security }\n',
      'app/keys: { owner: Auth, keys: [API_KEY] }',
    ]
    const without = changedIn(
      changedIn(specimen, rotation, ''),
      path,
      `app/keys: { owner: Auth, keys: [API_KEY, ${names}] }`,
    )
    const text = changedIn(without, '      STORE_TOKEN: {', `${more}      STORE_TOKEN: {`)
    return findingsOf(text).find(({ code }) => code === 'rotation-undocumented')?.message
  }
  assert.equal(told(5), 'No rotation window is documented for API_KEY, KEY_0, KEY_1, KEY_2, STORE_TOKEN.')
  assert.equal(
    told(6),
    'No rotation window is documented for API_KEY, KEY_0, KEY_1, KEY_2, KEY_3 and 1 more.',
  )
})

test('a contract for a broker alone has no findings', () => {
  const text = `contract: environment/v1
metadata: { name: a, onMismatch: fail-stop }
discriminators: [A]
modes: { X: { class: test, match: { A: x }, ceiling: { duration: 1h } } }
planes:
  machine: { scheme: { type: apiKey, in: header, name: X-Key } }
  human: { scheme: { type: http, scheme: bearer } }
tenants: [acme]
identities: {}
providers: {}
services: {}
grants: []
`
  assert.deepEqual(findingsOf(text), [])
  assert.equal(formatLint([], { file }), 'Nothing in sallyport.yaml contradicts itself.\n')
})

test('a finding is shown with its place, its level, its code and what to do next', () => {
  const shown = formatLint(findingsOf(specimen).slice(1), { file })
  const line = withLines('«BYPASS: {»', specimen)
  assert.equal(
    shown,
    `sallyport.yaml:${line}:7  warning  BYPASS is registered, and the prohibition bypass (line ${withLines('«  bypass:»', specimen)}) forbids that it is ever true. (bypass-registered)\n  Next: have Auth remove it from the code, and then from here\n0 errors, 1 warning, 0 notes in sallyport.yaml.\n`,
  )
})
