import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { inspect } from 'node:util'
import { Failure, type FailureCode, Secret } from '../../../primitives/index.ts'
import { answerBytesMax } from './exchange.ts'
import {
  assumed,
  configuration,
  errorAnswer,
  type FakeAws,
  leaseId,
  makeProvider,
  orderOf,
  type Say,
  startFakeAws,
} from './fake-aws.fixture.ts'

const running: FakeAws[] = []
after(() => Promise.all(running.map((fake) => fake.close())))

async function sts(say: Say, changes: Readonly<Record<string, unknown>> = {}) {
  const fake = await startFakeAws(say)
  running.push(fake)
  return { fake, provider: await makeProvider({ config: { ...configuration(fake.endpoint), ...changes } }) }
}

const never = new AbortController().signal
const answers =
  (status: number, body: string): Say =>
  (_, response) =>
    response.writeHead(status).end(body)

const mints: Say = ({ form }, response) => response.end(assumed(form['RoleSessionName'] ?? ''))

test('the call bears the lease, the exact policy and a signature, and no redirect target', async () => {
  const { fake, provider } = await sts(mints, {
    externalId: 'ours',
    account: '111122223333',
    sessionTags: ['tenant', 'agent'],
  })
  const order = orderOf({ leaseId: leaseId() })
  const minted = await provider.mint(order, never)
  const { form, authorization } = fake.asked[0] ?? assert.fail('nothing was asked')
  const { Policy, ...fields } = form
  assert.deepEqual(fields, {
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: 'arn:aws:iam::111122223333:role/agents',
    RoleSessionName: order.leaseId,
    SourceIdentity: order.leaseId,
    DurationSeconds: '900',
    ExternalId: 'ours',
    'Tags.member.1.Key': 'tenant',
    'Tags.member.1.Value': 'acme',
    'Tags.member.2.Key': 'agent',
    'Tags.member.2.Value': 'agent-7',
    'TransitiveTagKeys.member.1': 'tenant',
    'TransitiveTagKeys.member.2': 'agent',
  })
  const end = `${new Date(minted.notAfter).toISOString().slice(0, 19)}Z`
  assert.equal(JSON.parse(Policy ?? '').Statement[0].Condition.DateLessThan['aws:CurrentTime'], end)
  assert.match(
    authorization,
    /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLEEXAMPLE00\/\d{8}\/eu-central-1\/sts\/aws4_request/,
  )
  assert.ok(minted.notAfter <= order.notAfter && minted.notAfter > order.notAfter - 1000)
  assert.ok(minted.providerNotAfter > minted.notAfter, 'STS gives no less than fifteen minutes')
  assert.equal(minted.handle, `AROAEXAMPLE:${order.leaseId}`)
  assert.deepEqual(minted.effective, { actions: ['s3:ListBucket'], resources: ['arn:aws:s3:::bucket-123'] })
})

test('a session as long as STS allows is asked for exactly, and a second more is refused before the call', async () => {
  const { fake, provider } = await sts(({ form }, response) => {
    const Expiration = new Date(Date.now() + Number(form['DurationSeconds']) * 1000).toISOString()
    response.end(assumed(form['RoleSessionName'] ?? '', { Expiration }))
  })
  await provider.mint(orderOf({ leaseId: leaseId(), seconds: 43_200 }), never)
  assert.equal(fake.asked[0]?.form['DurationSeconds'], '43200')
  await refuses(provider.mint(orderOf({ leaseId: leaseId(), seconds: 43_202 }), never), 'provider_refused')
  assert.equal(fake.asked.length, 1)
})

test('what AWS could read wider, what is too long and what is already over never reaches STS', async () => {
  const { fake, provider } = await sts(mints)
  const id = leaseId()
  await refuses(provider.mint(orderOf({ leaseId: id, bucket: '*' }), never), 'provider_refused')
  await refuses(
    provider.mint(orderOf({ leaseId: id, bucket: 'b'.repeat(2048) }), never),
    'provider_policy_too_large',
  )
  await refuses(provider.mint(orderOf({ leaseId: id, seconds: 0 }), never), 'provider_refused')
  await refuses(provider.mint(orderOf({ leaseId: 'lease/1' }), never), 'provider_refused')
  assert.equal(fake.asked.length, 0)
})

const told: Readonly<Record<string, readonly [Say, FailureCode]>> = {
  'Throttling is to be tried later': [answers(400, errorAnswer('Throttling')), 'provider_throttled'],
  'too many requests without a document is to be tried later': [answers(429, ''), 'provider_throttled'],
  'a failing STS is to be tried later': [answers(500, 'oops'), 'provider_unreachable'],
  'STS unavailable is to be tried later': [
    answers(503, errorAnswer('ServiceUnavailable')),
    'provider_unreachable',
  ],
  'a role that may not be assumed is a refusal': [
    answers(403, errorAnswer('AccessDenied')),
    'provider_refused',
  ],
  'a time beyond the role is a refusal': [answers(400, errorAnswer('ValidationError')), 'provider_refused'],
  'a malformed policy is a refusal': [
    answers(400, errorAnswer('MalformedPolicyDocument')),
    'provider_refused',
  ],
  'keys of the broker that are over are a refusal': [
    answers(403, errorAnswer('ExpiredToken')),
    'provider_refused',
  ],
  'unknown keys of the broker are a refusal': [
    answers(403, errorAnswer('InvalidClientTokenId')),
    'provider_refused',
  ],
  'a wrong signature is a refusal': [answers(403, errorAnswer('SignatureDoesNotMatch')), 'provider_refused'],
  'a packed policy over the limit is a refusal': [
    answers(400, errorAnswer('PackedPolicyTooLarge')),
    'provider_policy_too_large',
  ],
  'a refusal in words that nobody knows is no answer': [
    answers(403, '<html>Forbidden'),
    'provider_answer_invalid',
  ],
  'rubbish is no answer': [answers(200, 'not XML'), 'provider_answer_invalid'],
  'half a document is no answer': [answers(200, assumed('lease_x').slice(0, 200)), 'provider_answer_invalid'],
  'the answer to something else is no answer': [
    answers(200, '<GetCallerIdentityResponse/>'),
    'provider_answer_invalid',
  ],
  'an answer with one field missing is no answer': [
    ({ form }, response) =>
      response.end(assumed(form['RoleSessionName'] ?? '').replace(/<SessionToken>.*<\/SessionToken>/, '')),
    'provider_answer_invalid',
  ],
  'an empty secret is no answer': [
    ({ form }, response) => response.end(assumed(form['RoleSessionName'] ?? '', { SecretAccessKey: '' })),
    'provider_answer_invalid',
  ],
  "somebody else's session is no answer": [
    answers(200, assumed('lease_of_another')),
    'provider_answer_invalid',
  ],
  'a session that is over is no answer': [
    ({ form }, response) =>
      response.end(assumed(form['RoleSessionName'] ?? '', { Expiration: '2020-01-01T00:00:00Z' })),
    'provider_answer_invalid',
  ],
  'a time that is none is no answer': [
    ({ form }, response) => response.end(assumed(form['RoleSessionName'] ?? '', { Expiration: 'soon' })),
    'provider_answer_invalid',
  ],
  'an endless answer is not read to its end': [
    (_, response) => response.end('x'.repeat(answerBytesMax + 1)),
    'provider_answer_invalid',
  ],
  'a broken-off answer is to be tried later': [
    ({ form }, response) => {
      const whole = assumed(form['RoleSessionName'] ?? '')
      response.writeHead(200, { 'content-length': whole.length })
      response.write(whole.slice(0, 100), () => response.destroy())
    },
    'provider_unreachable',
  ],
  'a connection that is dropped is to be tried later': [
    (_, response) => response.destroy(),
    'provider_unreachable',
  ],
  'silence is a timeout': [() => undefined, 'provider_timeout'],
  'an answer that begins and never ends is a timeout': [
    (_, response) => void response.writeHead(200).write('<AssumeRoleResponse>'),
    'provider_timeout',
  ],
}
for (const [what, [say, code]] of Object.entries(told))
  test(what, async () => {
    const { provider } = await sts(say, { timeout: '1s' })
    await refuses(provider.mint(orderOf({ leaseId: leaseId() }), never), code)
  })

test('an answer of the largest size is read', async () => {
  const { provider } = await sts(({ form }, response) => {
    const answer = assumed(form['RoleSessionName'] ?? '')
    response.end(answer + ' '.repeat(answerBytesMax - answer.length))
  })
  assert.ok(await provider.mint(orderOf({ leaseId: leaseId() }), never))
})

test('a redirect is not followed, so no signature travels on', async () => {
  const { fake: other } = await sts(mints)
  const { provider } = await sts((_, response) => response.writeHead(307, { location: other.endpoint }).end())
  await refuses(provider.mint(orderOf({ leaseId: leaseId() }), never), 'provider_answer_invalid')
  assert.equal(other.asked.length, 0)
})

test('an STS that nobody runs is unreachable, and was sent nothing; one that hangs up may have minted', async () => {
  const { fake, provider } = await sts(mints)
  await fake.close()
  const { provider: rude } = await sts((_, response) => response.destroy())
  for (const [asked, unsent] of [
    [provider, true],
    [rude, false],
  ] as const)
    await assert.rejects(
      asked.mint(orderOf({ leaseId: leaseId() }), never),
      (thrown) =>
        thrown instanceof Failure && thrown.code === 'provider_unreachable' && thrown.unsent === unsent,
    )
})

for (const [words, seconds] of [
  ['30', 30],
  ['3600', 3600],
  ['3601', undefined],
  ['0', undefined],
  ['-1', undefined],
  ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
] as const)
  test(`a throttling STS that says Retry-After: ${words} is ${seconds === undefined ? 'not ' : ''}believed`, async () => {
    const { provider } = await sts((_, response) =>
      response.writeHead(400, { 'retry-after': words }).end(errorAnswer('Throttling')),
    )
    await assert.rejects(
      provider.mint(orderOf({ leaseId: leaseId() }), never),
      (thrown) => thrown instanceof Failure && thrown.retryAfterSeconds === seconds,
    )
  })

test('a mint whose answer was lost is repeated under the same name, so that one revocation ends both', async () => {
  const sessions: string[] = []
  const { provider } = await sts(({ form }, response) => {
    sessions.push(form['RoleSessionName'] ?? '')
    if (sessions.length === 1) response.destroy()
    else response.end(assumed(sessions[0] ?? ''))
  })
  const order = orderOf({ leaseId: leaseId() })
  await refuses(provider.mint(order, never), 'provider_unreachable')
  await provider.mint(order, never)
  assert.deepEqual(sessions, [order.leaseId, order.leaseId])
})

test('temporary keys of the broker are read anew for every call', async () => {
  let reads = 0
  const fake = await startFakeAws(mints)
  running.push(fake)
  const source = { env: 'X' }
  const provider = await makeProvider({
    config: {
      ...configuration(fake.endpoint),
      credentials: { accessKeyId: source, secretAccessKey: source, sessionToken: source },
    },
    resolve: () => {
      reads += 1
      return new Secret(`AKIA${reads}`)
    },
  })
  await provider.mint(orderOf({ leaseId: leaseId() }), never)
  await provider.mint(orderOf({ leaseId: leaseId() }), never)
  const ids = fake.asked.map(({ authorization }) => /Credential=(\w+)/.exec(authorization)?.[1])
  assert.notEqual(ids[0], ids[1])
})

test('upstream words are for the log alone, and no failure holds a secret', async () => {
  const { provider } = await sts(answers(403, errorAnswer('AccessDenied', 'role agents in 111122223333')))
  const failure = await refuses(provider.mint(orderOf({ leaseId: leaseId() }), never), 'provider_refused')
  assert.doesNotMatch(`${failure.message} ${failure.next}`, /111122223333/)
  assert.match(failure.internal ?? '', /AccessDenied: role agents/)
  const half = await sts(answers(200, assumed('lease_x').slice(0, -5)))
  const unreadable = await refuses(
    half.provider.mint(orderOf({ leaseId: leaseId() }), never),
    'provider_answer_invalid',
  )
  assert.doesNotMatch(inspect(unreadable, { depth: 5 }), /never.seen/)
})

async function refuses(promise: Promise<unknown>, code: FailureCode): Promise<Failure> {
  const thrown = await promise.then(
    () => assert.fail('it was minted'),
    (reason: unknown) => reason,
  )
  assert.ok(thrown instanceof Failure, inspect(thrown))
  assert.equal(thrown.code, code, thrown.internal)
  return thrown
}
