import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { AwsV4Signer } from 'aws4fetch'
import { Secret } from '../primitives/index.ts'
import { freePort } from './free-port.ts'

/** A running ministack that enforces signatures, trust, role and session policies and their dates. It stands for AWS in peer tests. */
export type Ministack = {
  readonly kind: 'running'
  /** One endpoint for every service, such as `http://127.0.0.1:40123`. */
  readonly endpoint: string
  readonly account: string
  /** A role with this policy that a new user may assume, with that user's keys. `userActions` is what the user may do to the role. */
  createRole(options: RoleOptions): Promise<MinistackRole>
  /** A bucket with these objects, by key. */
  createBucket(name: string, objects?: Readonly<Record<string, string>>): Promise<void>
  /** A query call as root; resolves to the answer's text, throws for any status but 200. */
  asRoot(service: 'iam' | 'sts', form: Readonly<Record<string, string>>): Promise<string>
  stop(): Promise<void>
}

export type RoleOptions = {
  readonly name: string
  /** What the role may do, before any session policy. */
  readonly statements: readonly unknown[]
  readonly userActions?: readonly string[]
}

export type MinistackRole = {
  readonly arn: string
  readonly accessKeyId: Secret
  readonly secretAccessKey: Secret
}

export type MinistackMissing = { readonly kind: 'unavailable'; readonly reason: string }

const region = 'us-east-1'
const account = '000000000000'
const readySecondsMax = 20

/** Starts one on a free loopback port, or says why it cannot. */
export async function startMinistack(): Promise<Ministack | MinistackMissing> {
  const binary = join(resolve(process.env['SALLYPORT_PEERS'] ?? '.peers'), 'ministack/bin/ministack')
  if (!existsSync(binary)) return { kind: 'unavailable', reason: `no ministack at ${binary}` }
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-ministack-'))
  const port = await freePort()
  const child = spawn(binary, [], {
    cwd: folder,
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      TMPDIR: folder,
      AUTH: 'true',
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: `${port}`,
      MINISTACK_ACCOUNT_ID: account,
    },
  })
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  const stop = async () => {
    process.off('exit', killed)
    await stopChild(child, folder)
  }
  const endpoint = `http://127.0.0.1:${port}`
  try {
    await untilReady(endpoint, child)
  } catch (cause) {
    await stop()
    throw new Error('ministack did not become ready.', { cause })
  }
  return { kind: 'running', endpoint, account, ...administration(endpoint), stop }
}

function administration(endpoint: string): Pick<Ministack, 'asRoot' | 'createRole' | 'createBucket'> {
  const asRoot: Ministack['asRoot'] = (service, form) =>
    callAsRoot({ url: endpoint, service, method: 'POST', body: new URLSearchParams(form).toString() })
  return {
    asRoot,
    async createRole({ name, statements, userActions = [] }) {
      const arn = `arn:aws:iam::${account}:role/${name}`
      const user = `${name}-broker-${randomBytes(4).toString('hex')}`
      const userArn = `arn:aws:iam::${account}:user/${user}`
      const iam = (Action: string, form: Readonly<Record<string, string>>) =>
        asRoot('iam', { Action, Version: '2010-05-08', ...form })
      await iam('CreateUser', { UserName: user })
      await iam('CreateRole', {
        RoleName: name,
        AssumeRolePolicyDocument: policy([
          {
            Effect: 'Allow',
            Principal: { AWS: userArn },
            Action: ['sts:AssumeRole', 'sts:SetSourceIdentity', 'sts:TagSession'],
          },
        ]),
      })
      await iam('PutRolePolicy', {
        RoleName: name,
        PolicyName: 'permissions',
        PolicyDocument: policy(statements),
      })
      await iam('PutUserPolicy', {
        UserName: user,
        PolicyName: 'broker',
        PolicyDocument: policy([
          { Effect: 'Allow', Action: ['sts:AssumeRole', ...userActions], Resource: arn },
        ]),
      })
      const keys = await iam('CreateAccessKey', { UserName: user })
      const field = (tag: string) => new Secret(new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(keys)?.[1] ?? '')
      return { arn, accessKeyId: field('AccessKeyId'), secretAccessKey: field('SecretAccessKey') }
    },
    async createBucket(name, objects = {}) {
      const put = (path: string, body: string) =>
        callAsRoot({ url: `${endpoint}/${path}`, service: 's3', method: 'PUT', body })
      await put(name, '')
      for (const [key, body] of Object.entries(objects)) await put(`${name}/${key}`, body)
    },
  }
}

function policy(statements: readonly unknown[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

type RootCall = {
  readonly url: string
  readonly service: string
  readonly method: string
  readonly body: string
}

async function callAsRoot(call: RootCall): Promise<string> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  // `test` is ministack's root; its signature is not looked at, but the key id in it is.
  const keys = { accessKeyId: 'test', secretAccessKey: 'test' }
  const signed = await new AwsV4Signer({ ...call, ...keys, headers, region }).sign()
  const answer = await fetch(signed.url, {
    method: signed.method,
    headers: signed.headers,
    body: call.body,
    signal: AbortSignal.timeout(10_000),
  })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`ministack answered ${answer.status}: ${text}`)
  return text
}

async function untilReady(endpoint: string, child: ChildProcess): Promise<void> {
  const deadline = AbortSignal.timeout(readySecondsMax * 1000)
  while (child.exitCode === null) {
    deadline.throwIfAborted()
    const isReady = await fetch(`${endpoint}/_ministack/health`, { signal: deadline }).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isReady) return
    await pause(50)
  }
  throw new Error(`It ended with ${child.exitCode}.`)
}

async function stopChild(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const { promise, resolve: ended } = Promise.withResolvers<void>()
    child.once('exit', () => ended())
    child.kill('SIGKILL')
    await promise
  }
  await rm(folder, { recursive: true, force: true })
}
