import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Failure } from '../../../primitives/index.ts'
import { keptUntil, readDenials, renderDenials } from './denials.ts'

test('what is written is read again, and nothing is forgotten early', (context) => {
  const id = fc.stringMatching(/^lease_[0-9a-z]{26}$/)
  const denials = fc.array(fc.tuple(id, fc.integer({ min: 1, max: 4_000_000_000 })), { maxLength: 30 })
  let cases = 0
  fc.assert(
    fc.property(denials, (entries) => {
      cases += 1
      const given = new Map(entries)
      const read = readDenials(renderDenials(given))
      assert.equal(read.size, given.size)
      for (const [lease, until] of given) {
        assert.equal(read.get(lease), keptUntil(until))
        assert.ok(keptUntil(until) >= until)
      }
    }),
    { numRuns: 300 },
  )
  context.diagnostic(`${cases} cases`)
})

test('sessions that end at about the same time share one statement', () => {
  const { Statement } = JSON.parse(
    renderDenials(
      new Map([
        ['lease_a', 601],
        ['lease_b', 1200],
        ['lease_c', 1201],
      ]),
    ),
  )
  assert.deepEqual(
    Statement.map(({ Condition }: { Condition: { StringLike: unknown } }) => Condition.StringLike),
    [{ 'aws:userid': ['*:lease_a', '*:lease_b'] }, { 'aws:userid': ['*:lease_c'] }],
  )
})

const deny = { Sid: 'Until600', Effect: 'Deny', Action: '*', Resource: '*' }
const foreign = {
  'an allow': { ...deny, Effect: 'Allow', Condition: { StringLike: { 'aws:userid': ['*:lease_a'] } } },
  'no condition': deny,
  'a denial of everybody': { ...deny, Condition: { StringLike: { 'aws:userid': ['*'] } } },
  'a Sid of its own': { ...deny, Sid: 'Mine', Condition: { StringLike: { 'aws:userid': ['*:lease_a'] } } },
}
for (const [what, statement] of Object.entries(foreign))
  test(`a policy with ${what} is somebody else's and is not read`, () => {
    const text = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
    assert.throws(
      () => readDenials(text),
      (thrown) => thrown instanceof Failure && thrown.code === 'provider_answer_invalid',
    )
  })
