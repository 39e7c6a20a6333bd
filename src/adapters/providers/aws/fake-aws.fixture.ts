import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { MintOrder, Provider, ProviderWorld } from '../../../broker/index.ts'
import type { Action } from '../../../contract/index.ts'
import { newId, Secret } from '../../../primitives/index.ts'
import { aws } from './provider.ts'

/** For tests: a server on loopback that says what a test wants AWS to say, and remembers what it was asked. */
export type FakeAws = {
  readonly endpoint: string
  readonly asked: Asked[]
  close(): Promise<void>
}

export type Asked = {
  readonly path: string
  readonly authorization: string
  readonly form: Readonly<Record<string, string>>
}

export type Say = (asked: Asked, response: ServerResponse) => void

export async function startFakeAws(say: Say): Promise<FakeAws> {
  const asked: Asked[] = []
  const server = createServer(async (request: IncomingMessage, response) => {
    const form = Object.fromEntries(new URLSearchParams(await text(request)))
    const one = { path: request.url ?? '', authorization: request.headers.authorization ?? '', form }
    asked.push(one)
    say(one, response)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('It does not listen.')
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    asked,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

/** What AssumeRole answers, with changes to its fields. */
export function assumed(leaseId: string, changes: Readonly<Record<string, string>> = {}): string {
  const fields = {
    AccessKeyId: 'ASIAEXAMPLEEXAMPLE00',
    SecretAccessKey: 'never+seen/secret',
    SessionToken: 'never/seen+token==',
    Expiration: new Date(Date.now() + 900_000).toISOString().replace(/\.\d+Z/, 'Z'),
    AssumedRoleId: `AROAEXAMPLE:${leaseId}`,
    ...changes,
  }
  const tag = (name: keyof typeof fields) => `<${name}>${fields[name]}</${name}>`
  return [
    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>',
    `<AssumedRoleUser>${tag('AssumedRoleId')}<Arn>arn:aws:sts::111122223333:assumed-role/agents/x</Arn></AssumedRoleUser>`,
    `<Credentials>${tag('AccessKeyId')}${tag('SecretAccessKey')}${tag('SessionToken')}${tag('Expiration')}</Credentials>`,
    '<PackedPolicySize>6</PackedPolicySize></AssumeRoleResult></AssumeRoleResponse>',
  ].join('')
}

export function errorAnswer(code: string, message = 'upstream words'): string {
  return `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`
}

const place = { line: 44, column: 7 }

export const listBuckets: Action = {
  name: 'list-buckets',
  resource: '{bucket}',
  means: { actions: ['s3:ListBucket'], resources: ['arn:aws:s3:::{bucket}'] },
  place,
}

export function configuration(endpoint: string): Record<string, unknown> {
  return {
    region: 'eu-central-1',
    role: 'arn:aws:iam::111122223333:role/agents',
    endpoint,
    iamEndpoint: endpoint,
    s3Endpoint: endpoint,
    credentials: { accessKeyId: { env: 'ID' }, secretAccessKey: { env: 'KEY' } },
  }
}

export type Making = {
  readonly config: Readonly<Record<string, unknown>>
  readonly actions?: readonly Action[]
  readonly resolve?: ProviderWorld['resolve']
}

export function makeProvider({ config, actions = [listBuckets], resolve }: Making): Promise<Provider> {
  return aws.create({ name: 'cloud', kind: 'aws', config, place: { line: 12, column: 3 } }, actions, {
    clock: { now: Date.now, sleep: () => Promise.reject(new Error('No provider sleeps.')) },
    random: (size) => crypto.getRandomValues(new Uint8Array(size)),
    resolve: resolve ?? (() => new Secret('AKIAEXAMPLEEXAMPLE00')),
    keyFolder: '/nowhere',
    brokerName: 'sallyport',
  })
}

export function leaseId(): string {
  return newId({
    prefix: 'lease',
    now: Date.now(),
    random: (size) => crypto.getRandomValues(new Uint8Array(size)),
  })
}

export function orderOf(options: {
  leaseId: string
  seconds?: number
  bucket?: string
  action?: Action
}): MintOrder {
  const { bucket = 'bucket-123', seconds = 300, action = listBuckets } = options
  return {
    leaseId: options.leaseId,
    tenant: 'acme',
    agent: 'agent-7',
    action,
    resource: bucket,
    parts: { bucket, resource: bucket },
    notAfter: Date.now() + seconds * 1000,
    requestId: 'request',
  }
}
