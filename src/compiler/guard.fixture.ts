import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { type Contract, requireContract } from '../contract/index.ts'
import type { GuardRules, VariableRule, Variables } from '../guard/index.ts'
import { guardRules } from './guard-rules.ts'

export function contractOf(name: string): Contract {
  const file = join(import.meta.dirname, '../../contracts', `${name}.yaml`)
  return requireContract({ text: readFileSync(file, 'utf8'), file })
}

/** The two contracts of the seeds, and one with everything that a variable may be. */
export function contractsUnderTest(): readonly GuardRules[] {
  return [
    guardRules(contractOf('agenticverz')),
    guardRules(contractOf('ficecal')),
    guardRules(requireContract({ text: everything, file: 'everything.yaml' })),
  ]
}

export const everything = String.raw`contract: environment/v1
metadata: { name: everything, onMismatch: fail-stop }
discriminators: [APP_MODE]
modes:
  LOCAL: { class: development, match: { APP_MODE: local } }
  PROD: { class: production, match: { APP_MODE: prod } }
scopes:
  runtime: { default: true }
  migrate: { commands: ["migrate *", "db up", " tool  * now "] }
  seed: { commands: [" ", "* seed *", "migrate down *", "a b c d e f g h i j *"] }
variables:
  - group: all
    owner: Platform
    vars:
      APP_MODE: { enum: [local, prod], required: always }
      A_TEXT: { required: { modes: [PROD] } }
      A_CHOICE: { enum: [one, "two words", "it's"], required: { scopes: [migrate] } }
      A_BOOLEAN: { type: boolean, const: { PROD: false } }
      AN_INTEGER: { type: integer, minimum: -7, maximum: 100 }
      A_NUMBER: { type: number, minimum: -1.5, maximum: 2.25, required: { modes: [LOCAL], scopes: [runtime] } }
      A_PORT: { type: port, minimum: 1024 }
      A_URI: { type: uri, schemes: [https, postgres+ssl], sensitive: true }
      A_DURATION: { type: duration }
      A_LIST: { type: list, required: always }
      SOME_JSON: { type: json }
      A_PATTERN: { pattern: '^[a-z][a-z0-9_-]{1,7}(\.[]a^[-]+)?$' }
      ANOTHER_PATTERN: { pattern: '[^-x]|^$|\[\^\]', sensitive: true }
      A_VERSION: { pattern: '^[0-9]+\.[0-9]+(-(alpha|beta)\+[\-\]\^\\]*)?$' }
      HOSTNAME: { pattern: '^h' }
      LC_ALL: { enum: [C, C.UTF-8] }
      A_KEY: { sensitive: true, internal: true, required: { scopes: [migrate] } }
      AN_OLD_FLAG: {}
      AN_OLD_SECRET: { sensitive: true }
prohibitions:
  old: { reason: "It's old", severity: high, detect: [{ truthy: [AN_OLD_FLAG] }, { present: [AN_OLD_SECRET] }] }
`

export type Case = { readonly env: Variables; readonly scope: string }

/** Values that hold a secret, as a mistake puts them into a variable that is none; each has `hunter2` or `EXAMPLE` in it. */
export const secretsInTheWrongPlace = [
  'https://user:hunter2@host/',
  'postgres://app:hunter2/x@db/app',
  'postgres://app:hunter2://x@db/app',
  'postgresql://db/app?user=a&password=hunter2',
  'EXAMPLE'.repeat(6),
  'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  'eyJhbGci.eyJFWEFNUExF.EXAMPLE-EXAMPLE_EXAMPLE',
  'EXAMPLE+EXAMPLE/EXAMPLE+EXAMPLE=',
  'hunter2\u001b[2J',
]

/** Words of a command: some as a pattern of the contract has them, and others. */
export function commands(rules: GuardRules): fc.Arbitrary<readonly string[]> {
  const patterns = rules.scopes.flatMap((scope) =>
    scope.commands.map((one) => one.split(' ').filter(Boolean)),
  )
  const any = fc.constantFrom(
    'x',
    '',
    '*',
    '(',
    '!',
    '-n',
    '=',
    "it's",
    'two words',
    'a\nb',
    ...patterns.flat(),
  )
  const fitting = fc
    .constantFrom(...patterns, ['x'])
    .chain((words) => fc.tuple(...words.map((word) => (word === '*' ? any : fc.constant(word)))))
  const cut = fc
    .tuple(fitting, fc.array(any, { maxLength: 3 }), fc.integer({ min: 0, max: 12 }))
    .map(([words, more, length]) => [...words, ...more].slice(0, length))
  return fc
    .tuple(fc.oneof(fitting, cut, fc.array(any, { maxLength: 4 })), fc.constantFrom('', '', '/nowhere/'))
    .map(([[program, ...words], folder]) => (program === undefined ? [] : [`${folder}${program}`, ...words]))
    .filter(([program]) => !program?.startsWith('-'))
}

/** Environments that are right, nearly right, and wrong in every way that one can be. */
export function cases(rules: GuardRules): fc.Arbitrary<Case> {
  const scope = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...rules.scopes.map(({ name }) => name)) },
    { weight: 1, arbitrary: fc.constantFrom('nowhere', '') },
  )
  const mode = fc.constantFrom(...rules.modes)
  const discriminators = fc.oneof(
    { weight: 8, arbitrary: mode.map(({ match }) => match) },
    {
      weight: 1,
      arbitrary: fc.record(
        Object.fromEntries(
          rules.discriminators.map((name) => [name, mode.map(({ match }) => match[name] ?? '')]),
        ),
        { requiredKeys: [] },
      ),
    },
    { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...rules.discriminators), wild, { maxKeys: 2 }) },
  )
  const needed = rules.variables.filter(
    ({ requiredAt, constByMode }) => requiredAt.size + constByMode.size > 0,
  )
  const usual = fc.tuple(...needed.map((rule) => fc.option(likely(rule), { freq: 20, nil: undefined })))
  const others = fc
    .uniqueArray(fc.constantFrom(...rules.variables), { maxLength: 4 })
    .chain((chosen) =>
      fc.tuple(
        ...chosen.map((rule) =>
          fc.oneof(likely(rule), likely(rule), wild).map((text) => [rule.name, text] as const),
        ),
      ),
    )
  const digest = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(undefined, rules.digest) },
    { weight: 1, arbitrary: fc.constant('sha256:0') },
  )
  return fc
    .tuple(scope, discriminators, usual, others, digest)
    .map(([scope, match, values, more, digest]) => {
      const env: Record<string, string | undefined> = {}
      for (const [index, rule] of needed.entries())
        if (values[index] !== undefined) env[rule.name] = values[index]
      for (const [name, text] of Object.entries(match)) env[name] = text
      for (const [name, text] of more) env[name] = text
      if (digest !== undefined) env['SALLYPORT_CONTRACT_DIGEST'] = digest
      return { env, scope }
    })
}

/** Text that an environment can hold: no NUL, and valid UTF-8. */
const wild = fc.oneof(
  fc.constantFrom(
    ...secretsInTheWrongPlace,
    ...[
      '',
      ' ',
      'x',
      'true',
      'false',
      'TRUE',
      '1',
      '0',
      '-0',
      '00',
      'off',
      'No',
      '65535',
      '65536',
      '080',
      '1e3',
      '+1',
      '1.',
      '.5',
    ],
    ...[
      '-1.5',
      '-1.50',
      '-1.51',
      '-0.0',
      '2.25',
      '2.2500000000001',
      '123456789012345',
      '1234567890123456',
      '0.12345678901234',
    ],
    ...[
      '0.123456789012345',
      'https://a',
      'https:',
      'HTTPS://a',
      'https://a b',
      'https://ä',
      ':x',
      'a:b',
      '1a:b',
      'postgres+ssl:x',
    ],
    ...[
      'postgresql://u:hunter2@h/d',
      '5s',
      '5ms',
      '5 s',
      's',
      '1234567890s',
      'a,b',
      ',a',
      'a,',
      'a,,b',
      ',',
      'a\nb',
      'a\n',
      '\ta',
    ],
    ...[
      '{}',
      '[]',
      '[1,2]',
      '{"a":1}',
      '{"a":[true,null,-0.5e+3]}',
      '"\\u00e4\\n"',
      '"\\x"',
      '01',
      '-',
      '1.e1',
      '[1,]',
      '{"a"}',
    ],
    ...[
      '{"a":1,}',
      'NaN',
      'nul',
      ' [ ] ',
      '"\t"',
      '[[[]]]',
      ']',
      '{]',
      '"',
      '"a" "b"',
      '1 2',
      'truefalse',
      '-1',
      '[1 ,2 ]',
      '{ }x',
    ],
    ...[
      '['.repeat(64) + ']'.repeat(64),
      '['.repeat(65) + ']'.repeat(65),
      'ab',
      'a1_-',
      'a.]',
      'ab.]a^[-',
      'aä',
      '1.0-beta+]',
      '1.0',
    ],
    ...[
      '-x',
      'x',
      '-',
      '[^]',
      '$(id)',
      '`id`',
      "it's",
      '"; id #',
      '*',
      '?',
      '[',
      '\\',
      '!',
      '(',
      '-n',
      '-e',
      '= x',
      '%s',
      'two words',
    ],
  ),
  fc.string({ maxLength: 12 }).map(printed),
  fc.string({ unit: 'grapheme', maxLength: 6 }).map(printed),
  fc.json({ maxDepth: 3 }).map(printed),
  fc.float().map(String),
  fc.integer().map(String),
)

function printed(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

/** Mostly what the variable may be. */
function likely({ value, constByMode }: VariableRule): fc.Arbitrary<string> {
  const fixed = [...constByMode.values()]
  const right = rightOf(value)
  return fc.oneof(
    { weight: 12, arbitrary: fixed.length > 0 ? fc.constantFrom(...fixed) : right },
    { weight: 1, arbitrary: wild },
  )
}

function rightOf(value: VariableRule['value']): fc.Arbitrary<string> {
  if ('enum' in value && value.enum) return fc.constantFrom(...value.enum)
  switch (value.kind) {
    case 'text':
      return 'pattern' in value
        ? fc.constantFrom('abc', 'a1.]^', '1.2', '1.2-beta+^', 'host', 'y')
        : fc.constantFrom('some', 'text')
    case 'boolean':
      return fc.constantFrom('true', 'false')
    case 'integer':
      return fc.integer({ min: -10, max: 120 }).map(String)
    case 'number':
      return fc.integer({ min: -200, max: 300 }).map((hundredths) => String(hundredths / 100))
    case 'port':
      return fc.integer({ min: 0, max: 70_000 }).map(String)
    case 'uri':
      return fc
        .constantFrom(...(value.schemes ?? ['http', 'redis']))
        .map((scheme) => `${scheme}://[::1]:8/d?e#f`)
    case 'duration':
      return fc.constantFrom('5s', '100ms', '7', '1d')
    case 'list':
      return fc.constantFrom('a', 'a,b', 'a b,c')
    case 'json':
      return fc.json({ maxDepth: 2 }).map(printed)
  }
}
