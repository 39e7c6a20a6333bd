import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { ContractProblem } from './contract.ts'
import { contractBytesMax, contractDepthMax } from './document.ts'
import { parseContract } from './parse.ts'

const demo = readFileSync(new URL('../../contracts/demo.yaml', import.meta.url), 'utf8')

function problemsOf(text: string): readonly ContractProblem[] {
  const parsed = parseContract({ text, file: 'x.yaml' })
  return parsed.kind === 'problems' ? parsed.problems : []
}

function refused(text: string, message: string | RegExp, line: number, column: number): void {
  const problems = problemsOf(text)
  const found = problems.find((problem) =>
    typeof message === 'string' ? problem.message === message : message.test(problem.message),
  )
  assert.ok(found, JSON.stringify(problems.slice(0, 5)))
  assert.deepEqual(found.place, { line, column })
  assert.ok(found.next)
}

const cases: readonly (readonly [string, string, string | RegExp, number, number])[] = [
  ['nothing', '', 'The file is empty.', 1, 1],
  ['comments alone', '# nothing\n', 'The file is empty.', 1, 1],
  ['a word', 'hello', 'The contract is text, but must be a mapping.', 1, 1],
  ['a list', '- a\n', 'The contract is a list, but must be a mapping.', 1, 1],
  ['a quote that is not closed', 'a: "b\n', /^This is not YAML: Missing closing/, 2, 1],
  ['a bracket that is not closed', 'a: [b\nc: d\n', /^This is not YAML: /, 2, 1],
  ['a tab for indentation', 'a:\n\t- b', 'A tab cannot indent a line.', 2, 1],
  ['two documents', 'a: 1\n---\nb: 1\n', 'The file holds more than one document.', 2, 1],
  ['a version line', '%YAML 1.1\n---\na: yes\n', 'A `%YAML` line cannot be used.', 1, 1],
  ['a custom tag', 'a: !secret x\n', 'A tag (`!…`) cannot be used.', 1, 12],
  ['a core tag', 'a: !!str 3\n', 'A tag (`!…`) cannot be used.', 1, 10],
  ['an anchor', 'a: &x 1\n', 'An anchor (`&x`) cannot be used.', 1, 7],
  ['an alias', 'a: *x\n', 'An alias (`*x`) cannot be used.', 1, 4],
  ['a bare star', 'a: [*]\n', 'A bare `*` begins an alias, and an alias cannot be used.', 1, 5],
  ['a merge key', 'a:\n  <<: { b: 1 }\n', 'A merge key (`<<`) cannot be used.', 2, 3],
  ['a key twice', 'a: 1\nb: 2\na: 3\n', 'The key "a" stands twice; the first is on line 1.', 3, 1],
  [
    'a key twice, once in quotes',
    'x: { a: 1, "a": 2 }',
    'The key "a" stands twice; the first is on line 1.',
    1,
    12,
  ],
  ['a mapping as a key', '? { a: 1 }\n: 2\n', 'A key must be text.', 1, 3],
  ['__proto__', 'a:\n  __proto__: { polluted: true }\n', 'No key may be called `__proto__`.', 2, 3],
  ['an escape character', 'a: "\u001b[31m"\n', 'The character U+001B cannot stand in a contract.', 1, 5],
  ['text that runs backwards', 'a: b # \u202e\n', 'The character U+202E cannot stand in a contract.', 1, 8],
  ['bytes that were not UTF-8', 'a: \ufffd\n', 'The character U+FFFD cannot stand in a contract.', 1, 4],
  ['half a character', 'a: \ud800\n', 'The character U+D800 cannot stand in a contract.', 1, 4],
]

for (const [title, text, message, line, column] of cases)
  test(`${title} is refused at its place`, () => refused(text, message, line, column))

test('a bomb of aliases is refused and never unfolded', () => {
  const levels = Array.from({ length: 30 }, (_, level) => {
    const before = level === 0 ? 'lol' : `*l${level - 1}`
    return `l${level}: &l${level} [${Array.from({ length: 10 }, () => before).join(', ')}]`
  })
  const problems = problemsOf(levels.join('\n'))
  assert.ok(problems.some(({ message }) => message === 'An alias (`*l28`) cannot be used.'))
})

test('no key reaches a prototype', () => {
  problemsOf(
    '__proto__: { polluted: 1 }\nmodes: { __proto__: { polluted: 1 }, constructor: { prototype: { polluted: 1 } } }\n',
  )
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})

test('a contract may have exactly as many bytes as the limit, and not one more', () => {
  const filler = '#'.repeat(contractBytesMax - Buffer.byteLength(demo))
  assert.deepEqual(problemsOf(demo + filler), [])
  refused(`${demo}${filler}#`, `The file is larger than ${contractBytesMax} bytes.`, 1, 1)
  refused(`${demo}${filler.slice(1)}é`, `The file is larger than ${contractBytesMax} bytes.`, 1, 1)
})

test('values may stand as deep as the limit, and not one deeper', () => {
  const config = (depth: number) =>
    demo.replace('{ env: ORDERS_DB_ADMIN_URL }', '['.repeat(depth) + ']'.repeat(depth))
  // `providers`, the provider, `config` and `url` are levels too.
  assert.deepEqual(problemsOf(config(contractDepthMax - 3)), [])
  assert.equal(problemsOf(config(contractDepthMax - 2)).length, 1)
})

for (const [title, text] of [
  ['brackets', `a: ${'['.repeat(200_000)}`],
  ['list items', `${'- '.repeat(200_000)}a`],
  ['questions', '? '.repeat(100_000)],
] as const)
  test(`hundreds of thousands of nested ${title} are a problem, not a crash`, () => {
    assert.ok(problemsOf(text).length > 0)
  })

test('a byte order mark and Windows line ends change nothing', () => {
  assert.deepEqual(problemsOf(`\ufeff${demo.replaceAll('\n', '\r\n')}`), [])
})
