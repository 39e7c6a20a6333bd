import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { corpus } from './guess-corpus.fixture.ts'
import { contract } from './hygiene.fixture.ts'
import { findInSource, sourceCharactersMax } from './index.ts'

test('the corpus has exactly the guesses that it is known to have', () => {
  for (const [path, text, expected] of corpus) {
    const found = findInSource(contract, { path, text }).filter(({ code }) => code === 'guess')
    const told = found.map(({ variable, line }) => `${variable}:${line}`).sort()
    assert.deepEqual(told, [...expected].sort(), `${path}\n${text}`)
  }
  console.log(`${corpus.length} samples`)
})

test('a default of a discriminator or a secret is worse than one of a setting', () => {
  const severity = (name: string) =>
    findInSource(contract, { path: 'a.py', text: `os.getenv("${name}", "x")` }).map((found) => found.severity)
  assert.deepEqual(severity('AOS_MODE'), ['high'])
  assert.deepEqual(severity('JWT_SECRET'), ['high'])
  assert.deepEqual(severity('CUSTOMER_SANDBOX_ENABLED'), ['medium'])
  assert.deepEqual(severity('PORT'), ['low'])
})

test('the default itself is never told', () => {
  const secret = `s${Math.random().toString(36).slice(2)}`
  for (const text of [`os.getenv("JWT_SECRET", "${secret}")`, `os.environ.get("JWT_SECRET") or "${secret}"`])
    assert.ok(!JSON.stringify(findInSource(contract, { path: 'a.py', text })).includes(secret))
})

test('whatever stands around a guess, it is found at its line, and in a comment it is not', () => {
  const runs = 300
  const around = fc.array(fc.constantFrom('x = 1', '# note', 'y = "a # b"', "z = 'it'", '', 'def f(): pass'))
  fc.assert(
    fc.property(around, around, (before, after) => {
      const guess = 'm = os.getenv("AOS_MODE", "preprod")'
      const found = (line: string) =>
        findInSource(contract, { path: 'a.py', text: [...before, line, ...after].join('\n') })
          .filter(({ code }) => code === 'guess')
          .map(({ line }) => line)
      assert.deepEqual(found(guess), [before.length + 1])
      assert.deepEqual(found(`# ${guess}`), [])
    }),
    { numRuns: runs },
  )
  console.log(`${runs} files`)
})

test('no text makes the search fail or take its time', () => {
  const runs = 300
  const piece = fc.constantFrom(
    'os.getenv(',
    '"AOS_MODE"',
    ',',
    ' ',
    '\n',
    `\${AOS_MODE:-`,
    '}',
    '"""',
    "'",
    '`',
    '/*',
    'ENV ',
    '=',
    '{',
    'process.env',
    'x = ',
    'if not x',
    ':',
    'kind: ConfigMap\n',
    'data:\n',
    'literals:\n',
    '- ',
    '{{ default ',
    '?? ',
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 200 }),
      fc.constantFrom('a.py', 'a.ts', 'Dockerfile', 'compose.yml', 'a.go', 'a.rb', 'A.java', 'values.yaml'),
      (pieces, path) => {
        findInSource(contract, { path, text: pieces.join('') })
      },
    ),
    { numRuns: runs },
  )
  for (const path of [
    'a.py',
    'a.ts',
    'Dockerfile',
    'compose.yml',
    'a.java',
    'a.rb',
    'a.go',
    'a.sh',
    'values.yaml',
  ])
    for (const unit of [
      'x = os.getenv("A")\n',
      'x = process.env.A\n',
      'x := os.Getenv("A")\n',
      'data:\n',
      '- a=',
      'if not x ',
      '"',
      "'''",
      '`',
      '{',
      'ENV A=',
      'process.env.A ',
      'getenv("A" ',
      '\\\n',
      ' \n',
      'a_',
    ])
      findInSource(contract, { path, text: unit.repeat(4000) })
  console.log(`${runs} texts`)
})

/** What a pattern would go through once for each of its parts, up to the size of a file that is read. */
const longest: readonly (readonly [string, string, string])[] = [
  ['a.js', '"', '\\"'],
  ['a.js', '', ' /* '],
  ['a.js', '`', '\\`'],
  ['a.js', '', '= /[('],
  ['a.js', 'process.env.AOS_MODE', '\n'],
  ['a.js', 'const m = process.env.AOS_MODE\n', 'm ? "'],
  ['a.js', '', 'import { env env '],
  ['a.py', '', '"""a""" b\n'],
  ['a.py', 'x = os.getenv("AOS_MODE"', '\n'],
  ['a.py', '', `if not x${' '.repeat(1900)}\n`],
  ['a.sh', '', `[ -z $AOS_MODE${' '.repeat(1900)}\n`],
  ['a.go', '', `AOS_MODE ==${' '.repeat(1900)}\n`],
  ['values.yaml', '', Array.from({ length: 1400 }, (_, at) => `${' '.repeat(at)}literals:\n`).join('')],
]

test('a source of the permitted size is gone through once, whatever stands in it', () => {
  for (const [path, start, unit] of longest) {
    const text = (start + unit.repeat(Math.ceil(sourceCharactersMax / unit.length))).slice(
      0,
      sourceCharactersMax,
    )
    assert.deepEqual(
      findInSource(contract, { path, text }).filter(({ code }) => code === 'guess'),
      [],
    )
  }
  console.log(`${longest.length} sources`)
})
