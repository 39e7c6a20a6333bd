import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sarifLog } from './sarif.ts'

const rules = [
  { id: 'first', level: 'error', text: 'The first.' },
  { id: 'second', level: 'note', text: 'The second.' },
] as const

test('a result points to its rule, its file and its line', () => {
  const log = sarifLog({
    version: '1.2.3',
    rules,
    results: [
      {
        ruleId: 'second',
        level: 'note',
        message: 'It is so.',
        file: 'a b/c.yaml',
        place: { line: 3, column: 7 },
      },
    ],
  })
  assert.equal(log.version, '2.1.0')
  const [run] = log.runs
  assert.equal(run?.tool.driver.version, '1.2.3')
  assert.deepEqual(
    run?.tool.driver.rules.map(({ id }) => id),
    ['first', 'second'],
  )
  assert.deepEqual(run?.results, [
    {
      ruleId: 'second',
      ruleIndex: 1,
      level: 'note',
      message: { text: 'It is so.' },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'a%20b/c.yaml' },
            region: { startLine: 3, startColumn: 7 },
          },
        },
      ],
    },
  ])
})

test('a result of no line and no listed rule still has its file', () => {
  const log = sarifLog({
    version: '1.2.3',
    rules: [],
    results: [{ ruleId: 'other', level: 'error', message: 'It is wrong.', file: 'a.yaml' }],
  })
  assert.deepEqual(log.runs[0]?.results, [
    {
      ruleId: 'other',
      level: 'error',
      message: { text: 'It is wrong.' },
      locations: [{ physicalLocation: { artifactLocation: { uri: 'a.yaml' } } }],
    },
  ])
})
