import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Action } from '../../../contract/index.ts'
import { Failure, Secret } from '../../../primitives/index.ts'
import {
  assumed,
  configuration,
  type FakeAws,
  leaseId,
  listBuckets,
  makeProvider,
  orderOf,
  startFakeAws,
} from './fake-aws.fixture.ts'

const running: FakeAws[] = []
after(() => Promise.all(running.map((fake) => fake.close())))

const never = new AbortController().signal

/** Mints, then tries the credential against an S3 that answers so. */
async function probed(action: Action, status: number, body: string) {
  const fake = await startFakeAws(({ form }, response) => {
    const name = form['RoleSessionName']
    if (name) response.end(assumed(name))
    else response.writeHead(status).end(body)
  })
  running.push(fake)
  const provider = await makeProvider({ config: configuration(fake.endpoint), actions: [action] })
  const id = leaseId()
  const { credential, handle, providerNotAfter } = await provider.mint(
    orderOf({ leaseId: id, action }),
    never,
  )
  const probe = provider.probe ?? assert.fail('there is no probe')
  return {
    seen: await probe({ leaseId: id, handle, providerNotAfter }, credential, never).catch(
      (thrown: unknown) => (thrown instanceof Failure ? thrown.code : assert.fail('no failure')),
    ),
    path: fake.asked.at(-1)?.path,
    probe,
  }
}

const denied = (message: string) => `<Error><Code>AccessDenied</Code><Message>${message}</Message></Error>`
const readObject: Action = {
  ...listBuckets,
  means: { actions: ['s3:GetObject'], resources: ['arn:aws:s3:::{bucket}/day/one'] },
}
const conditioned = (conditions: unknown): Action => ({
  ...listBuckets,
  means: { ...listBuckets.means, conditions },
})

const seen: readonly (readonly [string, Action, number, string, string])[] = [
  ['a listing is accepted', listBuckets, 200, '', 'accepted'],
  ['a listing that is denied is refused', listBuckets, 403, denied('Access Denied'), 'refused'],
  [
    'a session that is over is refused',
    listBuckets,
    400,
    '<Error><Code>ExpiredToken</Code></Error>',
    'refused',
  ],
  [
    'a clock that is wrong proves nothing',
    listBuckets,
    403,
    '<Error><Code>RequestTimeTooSkewed</Code></Error>',
    'unknown',
  ],
  [
    'a bucket that moved proves nothing',
    listBuckets,
    301,
    '<Error><Code>PermanentRedirect</Code></Error>',
    'unknown',
  ],
  ['a denial by something that is not S3 proves nothing', listBuckets, 403, 'Forbidden', 'unknown'],
  ['S3 failing is a failure', listBuckets, 503, '<Error><Code>SlowDown</Code></Error>', 'provider_throttled'],
  ['the first byte of an object is accepted', readObject, 206, 'x', 'accepted'],
  ['an object that is empty is accepted', readObject, 416, '', 'accepted'],
  [
    'an object that is not there was still looked for',
    readObject,
    404,
    '<Error><Code>NoSuchKey</Code></Error>',
    'accepted',
  ],
  [
    'an object that is denied is refused',
    readObject,
    403,
    denied('not authorized to perform: s3:GetObject'),
    'refused',
  ],
  [
    'a denied object that may just be missing proves nothing',
    readObject,
    403,
    denied('Access Denied'),
    'unknown',
  ],
]
for (const [what, action, status, body, expected] of seen)
  test(what, async () => {
    assert.equal((await probed(action, status, body)).seen, expected)
  })

test('the probe asks for what was granted and no more', async () => {
  assert.equal((await probed(listBuckets, 200, '')).path, '/bucket-123?list-type=2&max-keys=1')
  assert.equal((await probed(readObject, 200, '')).path, '/bucket-123/day/one')
  const prefixed = conditioned({ StringEquals: { 's3:prefix': 'reports' } })
  assert.equal((await probed(prefixed, 200, '')).path, '/bucket-123?list-type=2&max-keys=1&prefix=reports')
})

test('a credential that is gone, or another one, is unknown', async () => {
  const { probe } = await probed(listBuckets, 200, '')
  const reference = { leaseId: leaseId(), handle: '', providerNotAfter: 0 }
  assert.equal(await probe(reference, undefined, never), 'unknown')
  const fields = { access_key_id: 'A', secret_access_key: new Secret('b'), session_token: new Secret('c') }
  assert.equal(await probe(reference, { type: 'aws', fields }, never), 'unknown')
})

test('a provider says whether it can try anything', async () => {
  const config = configuration('http://127.0.0.1:1')
  const send = { actions: ['sqs:SendMessage'], resources: ['arn:aws:sqs:eu-central-1:111122223333:{bucket}'] }
  for (const [action, probes] of [
    [listBuckets, true],
    [{ ...listBuckets, means: send }, false],
    [conditioned({ IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } }), false],
  ] as const) {
    const provider = await makeProvider({ config, actions: [action] })
    assert.equal(provider.capabilities.probes, probes)
    assert.equal(typeof provider.probe === 'function', probes)
  }
})
