import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { secretKindOf } from '../references/index.ts'
import { formatProblems } from './format-problems.ts'
import { lintContract } from './lint/lint.ts'
import { parseContract } from './parse.ts'
import { specimen } from './passage.fixture.ts'

const demo = readFileSync(new URL('../../contracts/demo.yaml', import.meta.url), 'utf8')

// What breaks parsers and prototypes.
const nasty = [
  '',
  ' ',
  '\t',
  '\n',
  ':',
  '-',
  '*',
  '&a',
  '!!map',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '|',
  '>',
  '#',
  '---',
  '<<',
  '~',
  'null',
  'true',
  '0',
  '-1',
  '1e999',
  '.inf',
  '__proto__',
  'constructor',
  'default',
  '\u0000',
  '\u2028',
  '💥',
  '\ud800',
  'a'.repeat(300),
]

type Mutation = (text: string) => string

/** What somebody could do to a contract. */
function mutationsOf(original: string): fc.Arbitrary<Mutation> {
  const words = [...new Set(original.match(/[\w.*/{}:-]+/g) ?? [])]
  const at = fc.nat({ max: original.length })
  const line = fc.nat({ max: original.split('\n').length - 1 })
  const token = fc.oneof(
    fc.constantFrom(...nasty),
    fc.constantFrom(...words),
    fc.string({ unit: 'binary', maxLength: 5 }),
  )

  return fc.oneof(
    fc.tuple(at, token).map(
      ([offset, piece]): Mutation =>
        (text) =>
          text.slice(0, offset) + piece + text.slice(offset),
    ),
    fc.tuple(at, fc.nat({ max: 8 })).map(
      ([offset, size]): Mutation =>
        (text) =>
          text.slice(0, offset) + text.slice(offset + size),
    ),
    fc.tuple(fc.constantFrom(...words), token).map(
      ([word, piece]): Mutation =>
        (text) =>
          text.replace(word, () => piece),
    ),
    line.map(
      (index): Mutation =>
        (text) =>
          text.split('\n').toSpliced(index, 1).join('\n'),
    ),
    fc.tuple(line, line).map(
      ([from, to]): Mutation =>
        (text) => {
          const lines = text.split('\n')
          return lines.toSpliced(to, 0, lines[from] ?? '').join('\n')
        },
    ),
    fc.tuple(line, fc.nat({ max: 4 })).map(
      ([index, spaces]): Mutation =>
        (text) => {
          const lines = text.split('\n')
          return lines
            .with(Math.min(index, lines.length - 1), ' '.repeat(spaces) + (lines[index] ?? '').trim())
            .join('\n')
        },
    ),
    at.map(
      (offset): Mutation =>
        (text) =>
          text.slice(0, offset),
    ),
  )
}

for (const [name, original, numRuns] of [
  ['demo', demo, 1000],
  ['specimen', specimen, 300],
] as const)
  test(`whatever is done to the ${name}, it is a contract or has problems inside the file`, () => {
    const mutation = mutationsOf(original)
    const counts = { cases: 0, contracts: 0, problems: 0 }
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const text = mutations.reduce((changed, mutate) => mutate(changed), original)
        const parsed = parseContract({ text, file: 'demo.yaml' })
        counts.cases += 1
        if (parsed.kind === 'contract') {
          counts.contracts += 1
          for (const { message } of lintContract(parsed.contract, { secretKindOf }))
            assert.doesNotMatch(message, /undefined|\[object/)
          return
        }
        counts.problems += parsed.problems.length
        assert.ok(parsed.problems.length > 0)
        const lines = text.split('\n')
        for (const { place, message, next } of parsed.problems) {
          const length = lines[place.line - 1]?.length
          assert.ok(length !== undefined && place.line >= 1, `${message} on line ${place.line}`)
          assert.ok(
            place.column >= 1 && place.column <= length + 1,
            `${message} at ${place.line}:${place.column}`,
          )
          assert.ok(message !== '' && next !== undefined)
          assert.doesNotMatch(message, /[\u0000-\u001f]|undefined|\[object/)
        }
        formatProblems(parsed.problems, { file: 'demo.yaml', text })
      }),
      { numRuns },
    )
    assert.ok(counts.cases >= numRuns && counts.contracts > 0 && counts.problems > 0)
    console.log(
      `${counts.cases} mutated contracts: ${counts.contracts} held, ${counts.problems} problems in the others`,
    )
  })

test('a secret under a secret name never reaches the message or the shown line', () => {
  const marker = 'Hunter2Zebra'
  const keys = [
    'password',
    'adminPassword',
    'api_key',
    'CLIENT_SECRET',
    'token',
    'credentials',
    'private-key',
  ]
  const shapes = [
    (key: string) => `{ ${key}: ${marker}, other: 1 }`,
    (key: string) => `{ "${key}": "${marker} x" }`,
    (key: string) => `{ ${key}: [${marker}, 1] }`,
    (key: string) => `\n      ${key}: '${marker}, and more'`,
    (key: string) => `\n      ${key}:\n        ${marker}`,
    (key: string) => `\n      ${key}:\n        - ${marker}`,
    (key: string) => `\n      ${key}: |\n        ${marker}`,
    (key: string) => `\n      deep:\n        - { ${key}: ${marker}, kind: 3 }`,
    () => `{ url: "https://user:${marker}@example.test" }`,
  ]
  let cases = 0
  for (const key of keys)
    for (const shape of shapes) {
      const text = demo
        .replace('{ url: { env: ORDERS_DB_ADMIN_URL } }', () => shape(key))
        .replace('kind: postgres', 'kind: 3')
      const parsed = parseContract({ text, file: 'demo.yaml' })
      assert.ok(parsed.kind === 'problems' && parsed.problems.length >= 2, text)
      assert.doesNotMatch(
        formatProblems(parsed.problems, { file: 'demo.yaml', text }),
        new RegExp(marker),
        shape(key),
      )
      cases += 1
    }
  console.log(`${cases} secrets written inline, none shown`)
})
