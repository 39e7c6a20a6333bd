import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../primitives/index.ts'
import { parseMeans } from './means.ts'

const parse = (means: Readonly<Record<string, unknown>>, resource = '{bucket}/{key+}') =>
  parseMeans({ name: 'read', resource, means, place: { line: 44, column: 7 } })

const object = { actions: ['s3:GetObject'], resources: ['arn:aws:s3:::{bucket}/{key}'] }
const reason = 'AWS adds six random characters to the name'

test('actions, resources and conditions are read, and one value is a list of one', () => {
  const means = parse({
    actions: ['s3:ListBucket'],
    resources: ['arn:aws:s3:::{bucket}'],
    conditions: { StringEquals: { 's3:prefix': '{key}' } },
  })
  assert.deepEqual(means.conditions, { StringEquals: { 's3:prefix': ['{key}'] } })
})

test('what AWS cannot be told more exactly needs a word and a reason', () => {
  const resources = ['arn:aws:secretsmanager:eu-central-1:111122223333:secret:{name}-??????']
  const secret = { actions: ['secretsmanager:GetSecretValue'], resources }
  assert.ok(parse({ ...secret, unscopable: true, reason }, '{name}'))
  const all = { actions: ['s3:ListAllMyBuckets'], resources: ['*'], unscopable: true, reason }
  assert.ok(parse(all, '{account}'), 'parts cannot be used where there is nothing to name')
  assert.throws(() => parse({ ...secret, unscopable: true }, '{name}'))
  assert.throws(() => parse({ ...secret, unscopable: true, reason: 'because' }, '{name}'))
  assert.throws(() => parse({ ...secret, reason }, '{name}'))
})

test('actions, resources and the values of a condition are twenty at most', () => {
  const many = (length: number, start: string) => Array.from({ length }, (_, nth) => `${start}${nth}`)
  const lists = {
    actions: (length: number) => ({ ...object, actions: many(length, 's3:GetObject') }),
    resources: (length: number) => ({ ...object, resources: many(length, 'arn:aws:s3:::{bucket}/{key}') }),
    conditions: (length: number) => ({
      ...object,
      conditions: { StringEquals: { 'aws:PrincipalTag/team': many(length, 'team-') } },
    }),
  }
  for (const [name, means] of Object.entries(lists)) {
    assert.ok(parse(means(20)), name)
    assert.throws(() => parse(means(21)), new RegExp(`means\\.${name}`))
  }
})

const wrong: Readonly<Record<string, readonly [Readonly<Record<string, unknown>>, RegExp]>> = {
  'a wildcard action': [{ ...object, actions: ['s3:*'] }, /means\.actions\.0: .*without a wildcard/],
  'half a wildcard action': [{ ...object, actions: ['s3:Get*'] }, /means\.actions\.0/],
  'every action': [{ ...object, actions: ['*'] }, /means\.actions\.0/],
  'one unknown character in an action': [{ ...object, actions: ['s3:GetObjec?'] }, /means\.actions\.0/],
  'no action': [{ ...object, actions: [] }, /means\.actions/],
  'every resource': [{ ...object, resources: ['*'] }, /means\.resources\.0: .*wildcard/],
  'every object': [{ ...object, resources: ['arn:aws:s3:::{bucket}/*'] }, /means\.resources\.0: .*wildcard/],
  'a part that the resource does not have': [
    { ...object, resources: ['arn:aws:s3:::{bucket}/{key}/{day}'] },
    /names \{day\}/,
  ],
  'a part that is not used': [{ ...object, resources: ['arn:aws:s3:::{bucket}/all'] }, /leaves \{key\}/],
  'no part at all': [{ ...object, resources: ['arn:aws:s3:::fixed'] }, /leaves \{bucket\}.*leaves \{key\}/],
  'a policy variable': [
    { ...object, resources: [`arn:aws:s3:::{bucket}/{key}/$${'{aws:username}'}`] },
    /policy variable/,
  ],
  'what is no ARN': [{ ...object, resources: ['{bucket}/{key}'] }, /must be an ARN/],
  NotAction: [{ ...object, NotAction: ['s3:GetObject'] }, /NotAction/],
  'an effect': [{ ...object, Effect: 'Allow' }, /Effect/],
  "a second date beside the broker's": [
    { ...object, conditions: { StringEquals: { 'AWS:currenttime': 'x' } } },
    /is set by the broker/,
  ],
  'an unknown operator': [
    { ...object, conditions: { DateLessThan: { 'aws:TokenIssueTime': 'x' } } },
    /conditions/,
  ],
  'an operator that an absent key satisfies': [
    { ...object, conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': '{key}' } } },
    /conditions/,
  ],
}
for (const [what, [means, words]] of Object.entries(wrong))
  test(`${what} does not load, and the message names action and line`, () => {
    assert.throws(
      () => parse(means),
      (thrown) => {
        assert.ok(thrown instanceof Failure && thrown.code === 'contract_invalid')
        assert.match(thrown.message, /^Line 44: action read: /)
        assert.match(thrown.message, words)
        return true
      },
    )
  })
