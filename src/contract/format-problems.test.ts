import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatProblems } from './format-problems.ts'

const problem = (column: number, line = 1) => ({
  message: 'It is wrong.',
  place: { line, column },
  next: 'mend it',
})

test('a problem shows its place, its line with a caret and what to do next', () => {
  const shown = formatProblems([problem(8)], { file: 'a.yaml', text: 'modes: none\n' })
  assert.equal(
    shown,
    [
      'a.yaml:1:8  It is wrong.',
      '    1 | modes: none',
      '      |        ^',
      'Next: mend it',
      '',
      '1 problem in a.yaml.',
      '',
    ].join('\n'),
  )
})

test('the caret stays under its column behind tabs, masks and the cut of a long line', () => {
  for (const [text, at] of [
    [`a:\tb: HERE`, 'HERE'],
    ['{ url: "https://u:sesame@h", HERE: 1 }', 'HERE'],
    [`a: ${'word '.repeat(100)}HERE${' word'.repeat(100)}`, 'HERE'],
  ] as const) {
    const shown = formatProblems([problem(text.indexOf(at) + 1)], { file: 'a.yaml', text }).split('\n')
    assert.equal(shown[2]?.indexOf('^'), shown[1]?.indexOf(at), shown.join('\n'))
    assert.ok((shown[1] ?? '').length <= 110)
  }
})

test('nothing reaches the terminal that it would act on', () => {
  const shown = formatProblems([problem(1)], { file: 'a.yaml', text: 'a: \u001b[2J\u009b1m\u202e\r\n' })
  assert.match(shown, /\| a: \?\[2J\?1m\?\n/)
})

test('a masked value does not change where anything stands', () => {
  const shown = formatProblems([problem(1)], { file: 'a.yaml', text: 'apiToken: abc # d\n' })
  assert.match(shown, /\| apiToken: \*{7}\n/)
})

test('of very many problems a hundred are shown and all are counted', () => {
  const many = Array.from({ length: 101 }, (_, index) => problem(1, index + 1))
  const shown = formatProblems(many, { file: 'a.yaml', text: 'a\n'.repeat(101) })
  assert.equal(shown.match(/It is wrong/g)?.length, 100)
  assert.match(shown, /101 problems in a\.yaml\. The first 100 are shown\.\n$/)
})
