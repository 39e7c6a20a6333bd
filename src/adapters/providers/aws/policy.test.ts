import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchResource } from '../../../contract/index.ts'
import { Failure } from '../../../primitives/index.ts'
import { sessionPolicy, sessionPolicyCharactersMax } from './policy.ts'

const notAfterSeconds = Date.UTC(2026, 10, 22, 4, 25) / 1000
const list = { actions: ['s3:ListBucket'], resources: ['arn:aws:s3:::{bucket}'], conditions: {} }
const hasCode = (code: string) => (thrown: unknown) => thrown instanceof Failure && thrown.code === code

test("the seed's sample becomes one action on one bucket until one second", () => {
  const policy = sessionPolicy(list, { bucket: 'bucket-123' }, { notAfterSeconds, account: '111122223333' })
  assert.deepEqual(JSON.parse(policy.text), {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: 'arn:aws:s3:::bucket-123',
        Condition: {
          DateLessThan: { 'aws:CurrentTime': '2026-11-22T04:25:00Z' },
          StringEquals: { 'aws:ResourceAccount': '111122223333' },
        },
      },
    ],
  })
  assert.deepEqual(policy.resources, ['arn:aws:s3:::bucket-123'])
})

test("conditions of the contract stand beside the broker's own", () => {
  const conditions = { StringEquals: { 's3:prefix': ['{key}'] }, Bool: { 'aws:SecureTransport': ['true'] } }
  const { text } = sessionPolicy(
    { ...list, conditions },
    { bucket: 'b', key: 'reports' },
    { notAfterSeconds, account: '1' },
  )
  assert.deepEqual(JSON.parse(text).Statement[0].Condition, {
    StringEquals: { 's3:prefix': 'reports', 'aws:ResourceAccount': '1' },
    Bool: { 'aws:SecureTransport': 'true' },
    DateLessThan: { 'aws:CurrentTime': '2026-11-22T04:25:00Z' },
  })
})

test('an action without a resource is not compared with an account that it does not have', () => {
  const all = { actions: ['s3:ListAllMyBuckets'], resources: ['*'], conditions: {} }
  assert.doesNotMatch(sessionPolicy(all, {}, { notAfterSeconds, account: '1' }).text, /ResourceAccount/)
})

for (const bucket of [
  '*',
  'a*',
  'b?cket',
  `$${'{aws:username}'}`,
  'a"b',
  'a\\b',
  'a b',
  'a\nb',
  'ü',
  '{bucket}',
])
  test(`the part ${JSON.stringify(bucket)} is refused`, () => {
    assert.throws(() => sessionPolicy(list, { bucket }, { notAfterSeconds }), hasCode('provider_refused'))
  })

test('a colon cannot move the rest of an ARN into another field', () => {
  const queue = {
    actions: ['sqs:SendMessage'],
    resources: ['arn:aws:sqs:{region}:{account}:{queue}'],
    conditions: {},
  }
  const parts = { region: 'eu-central-1', account: '1', queue: 'orders' }
  assert.ok(sessionPolicy(queue, parts, { notAfterSeconds }))
  assert.throws(
    () => sessionPolicy(queue, { ...parts, region: 'eu-central-1:2' }, { notAfterSeconds }),
    hasCode('provider_refused'),
  )
})

test('a policy at the limit is sent, and one character more is a refusal', () => {
  const spare =
    sessionPolicyCharactersMax - sessionPolicy(list, { bucket: 'a' }, { notAfterSeconds }).text.length
  const longest = 'a'.repeat(1 + spare)
  assert.equal(
    sessionPolicy(list, { bucket: longest }, { notAfterSeconds }).text.length,
    sessionPolicyCharactersMax,
  )
  assert.throws(
    () => sessionPolicy(list, { bucket: `${longest}a` }, { notAfterSeconds }),
    hasCode('provider_policy_too_large'),
  )
})

test('whatever is asked for, the policy names that alone or there is none', (context) => {
  const means = { actions: ['s3:GetObject'], resources: ['arn:aws:s3:::{bucket}/{key}'], conditions: {} }
  const plain = fc.constantFrom(...'ab1-._')
  const odd = fc.constantFrom(...('*?$' + '{}/:"\\ \n'), 'é')
  const unit = fc.oneof({ weight: 19, arbitrary: plain }, { weight: 1, arbitrary: odd })
  const texts = fc
    .tuple(fc.string({ unit, minLength: 1 }), fc.string({ unit, minLength: 1 }))
    .map((pair) => pair.join('/'))
  let cases = 0
  let minted = 0
  fc.assert(
    fc.property(texts, (resource) => {
      const parts = matchResource('{bucket}/{key+}', resource)
      if (!parts) return
      cases += 1
      try {
        const [statement] = JSON.parse(sessionPolicy(means, parts, { notAfterSeconds }).text).Statement
        assert.equal(statement.Resource, `arn:aws:s3:::${resource}`)
        assert.doesNotMatch(resource, /[*?$]/)
        minted += 1
      } catch (thrown) {
        if (!hasCode('provider_refused')(thrown)) throw thrown
        assert.match(resource, /[^a-z0-9._:/-]/)
      }
    }),
    { numRuns: 3000 },
  )
  context.diagnostic(`${cases} cases, ${minted} of them minted`)
  assert.ok(minted > 0 && minted < cases)
})
