import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Credential, Issued } from '../../client/src/index.ts'
import { type Ministack, startMinistack } from '../../src/testing/ministack.ts'
import { contractText } from './contract.ts'
import { makeSite, type Outcome, root, runProgram, type Serving, type Site } from './site.ts'

const cli = join(root, process.env['SALLYPORT_PEERS'] ?? '.peers', 'py/bin/aws')

/** Seed 004 §2, as it stands. */
const sample = { service: 'aws-s3', action: 'list-buckets', resource: 'bucket-123' } as const

describe("the seed's sample request, from the wire to AWS's own command line", { timeout: 240_000 }, () => {
  let world: World | { readonly skip: string }
  before(async () => {
    world = await startWorld()
  })
  after(async () => {
    if (!('skip' in world)) await world.close()
  })
  const ready = (context: TestContext): World | undefined => {
    if (!('skip' in world)) return world
    context.skip(world.skip)
    return undefined
  }

  test('is answered with a session and the truth about it', async (context) => {
    const here = ready(context)
    if (!here) return
    const before = Date.now()
    const issued = await here.issue()
    assert.equal(issued.meaning, 'List the objects of one bucket: s3:ListBucket on arn:aws:s3:::bucket-123')
    assert.deepEqual(issued.effective.actions, ['s3:ListBucket'])
    assert.deepEqual(issued.effective.resources, ['arn:aws:s3:::bucket-123'])
    assert.equal(issued.enforced_by, 'session-policy-date')
    assert.equal(issued.revocation, 'eventual')
    assert.match(issued.revocation_note, /AWS cannot recall a session/)
    // The contract's default is fifteen minutes, which is also STS's least: nothing is left over but the rounding.
    assert.ok(issued.residual_seconds <= 2, `${issued.residual_seconds}`)
    const life = Date.parse(issued.expires_at) - before
    assert.ok(life > 890_000 && life <= 905_000, `${life} ms`)
    const five = await here.issue('5m')
    assert.ok(five.residual_seconds >= 598 && five.residual_seconds <= 602, `${five.residual_seconds}`)
    assert.equal(Date.parse(five.provider_not_after) - Date.parse(five.expires_at) >= 597_000, true)
  })

  test('in the plain environment of the AWS CLI opens that bucket to that verb, and nothing else', async (context) => {
    const here = ready(context)
    if (!here) return
    const { credential } = await here.issue()
    const aws = (words: readonly string[]) => here.awsWith(credential, words)
    assert.deepEqual(JSON.parse((await aws(list('bucket-123'))).out), ['a.txt'])
    for (const words of others(here.site))
      assert.match((await aws(words)).told, /AccessDenied/, words.join(' '))
  })

  test('through `sallyport run` works in the child alone, whose exit code comes back and with which the lease ends', async (context) => {
    const here = ready(context)
    if (!here) return
    const allowed = await here.run(['--', cli, ...list('bucket-123')])
    assert.deepEqual([allowed.code, JSON.parse(allowed.out)], [0, ['a.txt']], allowed.told)
    const refused = await here.run(['--', cli, ...list('bucket-124')])
    assert.notEqual(refused.code, 0)
    assert.match(refused.told, /AccessDenied/)
    const { leases } = await here.serving.client('agent-7').leases({ limit: 2 })
    assert.deepEqual(
      leases.map(({ state, end_reason }) => [state, end_reason]),
      [
        ['ended', 'revoked'],
        ['ended', 'revoked'],
      ],
    )
    assert.ok(
      leases.every(({ refused_at }) => refused_at !== undefined),
      'each dead session was tried',
    )
  })

  test('is refused after its time, although AWS itself keeps the session', async (context) => {
    const here = ready(context)
    if (!here) return
    const script = `sleep 5; exec "$0" "$@"`
    const late = await here.run(['--duration', '4s', '--', 'sh', '-c', script, cli, ...list('bucket-123')])
    assert.match(late.told, /AccessDenied/)
    const { credential, expires_at } = await here.issue('6s')
    await pause(Date.parse(expires_at) - Date.now() + 50)
    assert.match((await here.awsWith(credential, list('bucket-123'))).told, /AccessDenied/)
  })

  test('is refused after `sallyport lease revoke`, and the session of another lease is not', async (context) => {
    const here = ready(context)
    if (!here) return
    const [gone, kept] = [await here.issue(), await here.issue()]
    const revoked = await here.site.cli('agent-7', ['lease', 'revoke', gone.lease_id], here)
    assert.match(revoked.out, /ended: the dead credential was tried, and refused/)
    assert.match((await here.awsWith(gone.credential, list('bucket-123'))).told, /AccessDenied/)
    assert.deepEqual(JSON.parse((await here.awsWith(kept.credential, list('bucket-123'))).out), ['a.txt'])
    const again = await here.site.cli('agent-7', ['lease', 'revoke', gone.lease_id], here)
    assert.equal(again.code, 0)
  })

  test('leaves the child no ambient credential, whatever the parent has', async (context) => {
    const here = ready(context)
    if (!here) return
    const ambient = {
      AWS_ACCESS_KEY_ID: 'AKIAAMBIENT',
      AWS_SECRET_ACCESS_KEY: 'ambient',
      AWS_PROFILE: 'ambient',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:1/',
      AWS_WEB_IDENTITY_TOKEN_FILE: '/nowhere',
      GITHUB_TOKEN: 'ambient',
      PGPASSWORD: 'ambient',
      SALLYPORT_TOKEN_FILE: '',
    }
    const shown = await here.run(['--', process.execPath, '-p', 'JSON.stringify(process.env)'], ambient)
    assert.equal(shown.code, 0, shown.told)
    assert.doesNotMatch(shown.out, /ambient|AMBIENT/)
    const variables = Object.entries<string>(JSON.parse(shown.out)).filter(([name]) =>
      /^(AWS|PG|SALLYPORT|GITHUB)/.test(name),
    )
    // What only says that there is nothing to be found elsewhere.
    const opened = variables.filter(([, value]) => !/^(|true|\/dev\/null.*)$/.test(value))
    assert.deepEqual(opened.map(([name]) => name).sort(), [
      'AWS_ACCESS_KEY_ID',
      'AWS_DEFAULT_REGION',
      'AWS_ENDPOINT_URL',
      'AWS_REGION',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
    ])
    const whose = await here.run(['--', cli, 'configure', 'list'], ambient)
    assert.match(whose.out, /access_key.*env/, whose.told)
    assert.doesNotMatch(whose.out, /shared-credentials-file/)
  })

  test('that asks for more than was granted mints nothing', async (context) => {
    const here = ready(context)
    if (!here) return
    const client = here.serving.client('agent-7')
    const denials = [
      await client.request({ ...sample, resource: 'bucket-999' }),
      await client.request({ ...sample, resource: '*' }),
      await here.serving.client('robot').request(sample),
    ]
    assert.deepEqual(
      denials.map((answer) => answer.kind),
      ['denied', 'denied', 'denied'],
    )
  })
})

type World = {
  readonly site: Site
  readonly serving: Serving
  issue(duration?: string): Promise<Issued>
  run(words: readonly string[], environment?: Record<string, string>): Promise<Outcome>
  awsWith(credential: Credential, words: readonly string[]): Promise<Outcome>
  close(): Promise<void>
}

async function startWorld(): Promise<World | { readonly skip: string }> {
  if (!existsSync(cli)) return { skip: `no AWS CLI at ${cli}` }
  const ministack = await startMinistack()
  if (ministack.kind === 'unavailable') return { skip: ministack.reason }
  const role = await ministack.createRole({
    name: 'agents',
    statements: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
    userActions: ['iam:GetRolePolicy', 'iam:PutRolePolicy'],
  })
  for (const bucket of ['bucket-123', 'bucket-124'])
    await ministack.createBucket(bucket, { 'a.txt': 'hello' })
  const site = await makeSite(contract(ministack, role.arn))
  leaveAmbientFiles(site)
  const keys = { AWS_ID: role.accessKeyId.reveal(), AWS_KEY: role.secretAccessKey.reveal() }
  const serving = await site.serve({ environment: keys })
  const endpoint = { AWS_ENDPOINT_URL: ministack.endpoint, AWS_MAX_ATTEMPTS: '1' }
  return {
    site,
    serving,
    async issue(duration) {
      const answer = await serving.client('agent-7').request({ ...sample, ...(duration ? { duration } : {}) })
      assert.ok(answer.kind === 'issued', JSON.stringify(answer))
      return answer
    },
    run(words, environment = {}) {
      const asked = ['--service', sample.service, '--action', sample.action, '--resource', sample.resource]
      const how = { serving, environment: { ...endpoint, ...environment } }
      return site.cli('agent-7', ['run', ...asked, '--keep', 'AWS_ENDPOINT_URL', ...words], how)
    },
    awsWith: (credential, words) => {
      const env = { PATH: '/usr/bin:/bin', HOME: site.folder, ...endpoint, ...awsEnvironment(credential) }
      return runProgram([cli, ...words], env)
    },
    async close() {
      await site.close()
      await ministack.stop()
    },
  }
}

/** What an ambient profile would look like; nobody may ever use it. */
function leaveAmbientFiles(site: Site): void {
  mkdirSync(site.path('.aws'))
  const profile = 'aws_access_key_id = AKIAAMBIENT\naws_secret_access_key = ambient\n'
  writeFileSync(site.path('.aws/credentials'), `[default]\n${profile}[ambient]\n${profile}`)
}

function awsEnvironment(credential: Credential): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: String(credential['access_key_id']),
    AWS_SECRET_ACCESS_KEY: String(credential['secret_access_key']),
    AWS_SESSION_TOKEN: String(credential['session_token']),
    AWS_REGION: String(credential['region']),
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}

function contract({ endpoint, account }: Ministack, role: string): string {
  return contractText({
    providers: `aws:
  kind: aws
  config:
    region: us-east-1
    role: ${role}
    account: "${account}"
    endpoint: ${endpoint}
    iamEndpoint: ${endpoint}
    s3Endpoint: ${endpoint}
    credentials: { accessKeyId: { env: AWS_ID }, secretAccessKey: { env: AWS_KEY } }
    revocation: deny-policy`,
    services: `aws-s3:
  provider: aws
  actions:
    list-buckets:
      title: List the objects of one bucket
      resource: "{bucket}"
      means: { actions: ["s3:ListBucket"], resources: ["arn:aws:s3:::{bucket}"] }`,
    grants: `- id: agent-7-lists-one-bucket
  tenant: acme
  agents: [agent-7]
  service: aws-s3
  actions: [list-buckets]
  resources: [bucket-123]
  modes: [TEST]
  maxDuration: 15m`,
  })
}

function list(bucket: string): readonly string[] {
  return ['s3api', 'list-objects-v2', '--bucket', bucket, '--query', 'Contents[].Key', '--output', 'json']
}

/** Another bucket, and every other verb on this one. */
function others(site: Site): readonly (readonly string[])[] {
  const object = ['--bucket', 'bucket-123', '--key', 'a.txt']
  return [
    list('bucket-124'),
    ['s3api', 'get-object', ...object, site.path('out')],
    ['s3api', 'put-object', ...object],
    ['s3api', 'delete-object', ...object],
    ['s3api', 'list-buckets'],
  ]
}
