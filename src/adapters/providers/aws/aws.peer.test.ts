import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { AwsClient } from 'aws4fetch'
import type { Credential, Minted, MintOrder, Provider } from '../../../broker/index.ts'
import type { Action } from '../../../contract/index.ts'
import { Failure, Secret } from '../../../primitives/index.ts'
import { type Ministack, type MinistackRole, startMinistack } from '../../../testing/ministack.ts'
import { providerConformance, type Use } from '../../../testing/provider.ts'
import { leaseId, listBuckets, makeProvider, orderOf } from './fake-aws.fixture.ts'
import { parseMeans } from './means.ts'
import { sessionPolicy, sessionPolicyCharactersMax } from './policy.ts'

const never = new AbortController().signal

const readObject: Action = {
  name: 'read-object',
  resource: '{bucket}/{key+}',
  means: { actions: ['s3:GetObject'], resources: ['arn:aws:s3:::{bucket}/{key}'] },
  place: { line: 50, column: 7 },
}

/** A ministack with two buckets, and a role that could do everything with both: what narrows is the session policy alone. */
async function startWorld() {
  const ministack = await startMinistack()
  if (ministack.kind === 'unavailable') return ministack
  for (const bucket of ['bucket-123', 'bucket-124'])
    await ministack.createBucket(bucket, { 'a.txt': 'hello' })
  const role = await ministack.createRole({
    name: 'agents',
    statements: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
    userActions: ['iam:GetRolePolicy', 'iam:PutRolePolicy'],
  })
  return { kind: 'running' as const, ministack, role }
}

type Changes = Readonly<Record<string, unknown>>

function providerFor(ministack: Ministack, role: MinistackRole, changes: Changes = {}): Promise<Provider> {
  const { endpoint, account } = ministack
  const keys = { accessKeyId: { env: 'ID' }, secretAccessKey: { env: 'KEY' } }
  const places = { region: 'us-east-1', endpoint, iamEndpoint: endpoint, s3Endpoint: endpoint }
  return makeProvider({
    config: { ...places, role: role.arn, account, credentials: keys, ...changes },
    actions: [listBuckets, readObject],
    resolve: (value) => (JSON.stringify(value) === '{"env":"ID"}' ? role.accessKeyId : role.secretAccessKey),
  })
}

for (const revocation of ['deny-policy', 'none'])
  providerConformance(`aws with revocation ${revocation}`, async () => {
    const world = await startWorld()
    if (world.kind === 'unavailable') return { skip: world.reason }
    const { ministack, role } = world
    return {
      provider: await providerFor(ministack, role, { revocation }),
      clock: { now: Date.now, sleep: (milliseconds) => pause(milliseconds) },
      order: (id) => orderOf({ leaseId: id }),
      allows: { actions: ['s3:ListBucket'], resources: ['arn:aws:s3:::bucket-123'] },
      use: (credential) => getWith(credential, `${ministack.endpoint}/bucket-123?list-type=2`),
      useOutside: (credential) => getWith(credential, `${ministack.endpoint}/bucket-124?list-type=2`),
      close: () => ministack.stop(),
    }
  })

/** A signed request by another client than the provider's own. */
async function getWith(credential: Credential, url: string): Promise<Use> {
  const { access_key_id: accessKeyId, secret_access_key, session_token } = revealed(credential)
  const keys = { accessKeyId, secretAccessKey: secret_access_key, sessionToken: session_token }
  const client = new AwsClient({ ...keys, service: 's3', region: 'us-east-1', retries: 0 })
  const answer = await client.fetch(url)
  if (answer.status === 200) return 'accepted'
  if (answer.status === 403) return 'refused'
  throw new Error(`ministack answered ${answer.status}: ${await answer.text()}`)
}

function revealed({ fields }: Credential) {
  const field = (name: string) => {
    const value = fields[name]
    return value instanceof Secret ? value.reveal() : `${value}`
  }
  return {
    access_key_id: field('access_key_id'),
    secret_access_key: field('secret_access_key'),
    session_token: field('session_token'),
  }
}

describe('a credential in the hands of the real AWS CLI', { timeout: 120_000, concurrency: 3 }, () => {
  const cli = join(resolve(process.env['SALLYPORT_PEERS'] ?? '.peers'), 'py/bin/aws')
  let world: Awaited<ReturnType<typeof startWorld>> | undefined
  let home = ''

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'sallyport-aws-cli-'))
    world = await startWorld()
  })
  after(async () => {
    if (world?.kind === 'running') await world.ministack.stop()
    await rm(home, { recursive: true, force: true })
  })

  /** The world, or nothing and a skipped test. */
  function ready(context: TestContext) {
    if (!existsSync(cli)) context.skip(`no AWS CLI at ${cli}`)
    else if (world?.kind === 'unavailable') context.skip(world.reason)
    else return world
    return undefined
  }

  /** What the CLI printed: output, or the code of the error that AWS gave. */
  function run(credential: Credential, endpoint: string, words: readonly string[]): Promise<string> {
    const keys = revealed(credential)
    const env = {
      PATH: '/usr/bin:/bin',
      HOME: home,
      AWS_ACCESS_KEY_ID: keys.access_key_id,
      AWS_SECRET_ACCESS_KEY: keys.secret_access_key,
      AWS_SESSION_TOKEN: keys.session_token,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: endpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '1',
      AWS_PAGER: '',
    }
    const { promise, resolve: told } = Promise.withResolvers<string>()
    execFile(cli, ['s3api', ...words], { cwd: home, env, timeout: 30_000 }, (failure, output, complaint) => {
      const code = /An error occurred \((\w+)\)/.exec(complaint)?.[1]
      told(failure ? (code ?? `the CLI failed: ${complaint}`) : output)
    })
    return promise
  }

  const list = (bucket: string) => ['list-objects-v2', '--bucket', bucket, '--query', 'Contents[].Key']

  test("the seed's sample may list that bucket; another bucket and every other verb are refused", async (context) => {
    const here = ready(context)
    if (!here) return
    const { endpoint } = here.ministack
    const { credential } = await mintFor(
      await providerFor(here.ministack, here.role),
      orderOf({ leaseId: leaseId() }),
    )
    assert.deepEqual(JSON.parse(await run(credential, endpoint, list('bucket-123'))), ['a.txt'])
    const object = ['--bucket', 'bucket-123', '--key', 'a.txt']
    const others = [
      list('bucket-124'),
      ['get-object', ...object, join(home, 'out')],
      ['put-object', ...object],
      ['delete-object', ...object],
      ['list-buckets'],
    ]
    const told = await Promise.all(others.map((words) => run(credential, endpoint, words)))
    assert.deepEqual(told, Array(others.length).fill('AccessDenied'))
  })

  test('one object may be read, and no other', async (context) => {
    const here = ready(context)
    if (!here) return
    const parts = { bucket: 'bucket-123', key: 'a.txt', resource: 'bucket-123/a.txt' }
    const order = { ...orderOf({ leaseId: leaseId(), action: readObject }), resource: parts.resource, parts }
    const provider = await providerFor(here.ministack, here.role)
    const { credential } = await mintFor(provider, order)
    const get = (bucket: string) => ['get-object', '--bucket', bucket, '--key', 'a.txt', join(home, 'out')]
    assert.match(await run(credential, here.ministack.endpoint, get('bucket-123')), /ContentLength/)
    assert.equal(await run(credential, here.ministack.endpoint, get('bucket-124')), 'AccessDenied')
    assert.equal(
      await provider.probe?.({ leaseId: order.leaseId, handle: '', providerNotAfter: 0 }, credential, never),
      'accepted',
    )
  })

  test('after its seconds it is refused, although STS keeps the session for fifteen minutes', async (context) => {
    const here = ready(context)
    if (!here) return
    const provider = await providerFor(here.ministack, here.role)
    const order = orderOf({ leaseId: leaseId(), seconds: 4 })
    const minted = await mintFor(provider, order)
    const probe = () => provider.probe?.({ leaseId: order.leaseId, ...minted }, minted.credential, never)
    assert.equal(await probe(), 'accepted')
    assert.ok(minted.providerNotAfter - minted.notAfter > 800_000, 'the residual is told')
    await pause(minted.notAfter - Date.now() + 50)
    assert.equal(await probe(), 'refused')
    assert.equal(await run(minted.credential, here.ministack.endpoint, list('bucket-123')), 'AccessDenied')
  })

  test('after its revocation it is refused, and a credential of another lease is not', async (context) => {
    const here = ready(context)
    if (!here) return
    const { endpoint } = here.ministack
    const provider = await providerFor(here.ministack, here.role, { revocation: 'deny-policy' })
    const order = orderOf({ leaseId: leaseId() })
    const minted = await mintFor(provider, order)
    const kept = await mintFor(provider, orderOf({ leaseId: leaseId() }))
    const reference = { leaseId: order.leaseId, handle: '', providerNotAfter: minted.providerNotAfter }
    await provider.revoke(reference, never)
    assert.equal(await provider.probe?.(reference, minted.credential, never), 'refused')
    assert.equal(await run(minted.credential, endpoint, list('bucket-123')), 'AccessDenied')
    assert.deepEqual(JSON.parse(await run(kept.credential, endpoint, list('bucket-123'))), ['a.txt'])
  })

  test('a condition on the prefix of keys holds', async (context) => {
    const here = ready(context)
    if (!here) return
    const conditions = { StringEquals: { 's3:prefix': 'a' } }
    const action = { ...listBuckets, means: { ...listBuckets.means, conditions } }
    const provider = await providerFor(here.ministack, here.role)
    const { credential } = await mintFor(provider, orderOf({ leaseId: leaseId(), action }))
    const prefixed = [...list('bucket-123'), '--prefix', 'a']
    assert.deepEqual(JSON.parse(await run(credential, here.ministack.endpoint, prefixed)), ['a.txt'])
    assert.equal(await run(credential, here.ministack.endpoint, list('bucket-123')), 'AccessDenied')
  })

  test('the longest policy that is sent is one that STS takes', async (context) => {
    const here = ready(context)
    if (!here) return
    const { account } = here.ministack
    const { means } = listBuckets
    const provider = await providerFor(here.ministack, here.role)
    const { text } = sessionPolicy(parseMeans(listBuckets), { bucket: 'b' }, { notAfterSeconds: 1, account })
    const longest = 'b'.repeat(1 + sessionPolicyCharactersMax - text.length)
    const { effective } = await mintFor(provider, orderOf({ leaseId: leaseId(), bucket: longest }))
    assert.deepEqual(effective, { actions: means['actions'], resources: [`arn:aws:s3:::${longest}`] })
    await assert.rejects(
      mintFor(provider, orderOf({ leaseId: leaseId(), bucket: `${longest}b` })),
      (thrown) => thrown instanceof Failure && thrown.code === 'provider_policy_too_large',
    )
  })

  test('resources of another account are out of reach', async (context) => {
    const here = ready(context)
    if (!here) return
    const provider = await providerFor(here.ministack, here.role, { account: '999999999999' })
    const { credential } = await mintFor(provider, orderOf({ leaseId: leaseId() }))
    assert.equal(await run(credential, here.ministack.endpoint, list('bucket-123')), 'AccessDenied')
  })

  test('a role whose trust policy does not name the broker is a refusal', async (context) => {
    const here = ready(context)
    if (!here) return
    const deny = { Effect: 'Deny', Action: '*', Resource: '*' }
    const other = await here.ministack.createRole({ name: 'others', statements: [deny] })
    const provider = await providerFor(here.ministack, { ...here.role, arn: other.arn })
    await assert.rejects(
      mintFor(provider, orderOf({ leaseId: leaseId() })),
      (thrown) =>
        thrown instanceof Failure &&
        thrown.code === 'provider_refused' &&
        /AccessDenied/.test(`${thrown.internal}`),
    )
  })
})

function mintFor(provider: Provider, order: MintOrder): Promise<Minted> {
  return provider.mint(order, never)
}
