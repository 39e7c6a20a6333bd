import type { Credential, Probe } from '../../../broker/index.ts'
import { Secret } from '../../../primitives/index.ts'
import type { AwsConfig, AwsKeys } from './config.ts'
import { errorOf, failureOf } from './errors.ts'
import type { Answer, Exchange } from './exchange.ts'
import type { Conditions, Means } from './means.ts'
import type { SessionPolicy } from './policy.ts'

export interface Prober {
  /** Notes how this credential can be tried, for as long as somebody holds it. */
  remember(credential: Credential, policy: SessionPolicy): void
  probe(credential: Credential | undefined, signal: AbortSignal): Promise<Probe>
}

/** Tries credentials of this process by a request to S3 that was granted and changes nothing; what it cannot try is `unknown`. */
export function createProber({ s3Endpoint, region }: AwsConfig, exchange: Exchange): Prober {
  // Held by the credential's own secret: the request is forgotten together with it.
  const targets = new WeakMap<Secret, ProbeTarget>()
  return {
    remember(credential, policy) {
      const keys = keysOf(credential)
      const target = probeTarget(policy, s3Endpoint)
      if (keys && target) targets.set(keys.secretAccessKey, target)
    },
    async probe(credential, signal) {
      const keys = credential && keysOf(credential)
      const target = keys && targets.get(keys.secretAccessKey)
      if (!target) return 'unknown'
      const { url, headers } = target
      return verdict(target, await exchange({ url, service: 's3', region, headers }, keys, signal))
    },
  }
}

/** Whether some of what is minted for this can be tried. `sts:GetCallerIdentity` would prove nothing: AWS answers it whatever is denied. */
export function isProbeable({ actions, conditions }: Means): boolean {
  const isFree = Object.keys(conditions).length === 0
  return (
    (actions.includes('s3:ListBucket') && (isFree || onlyPrefix(conditions) !== undefined)) ||
    (actions.includes('s3:GetObject') && isFree)
  )
}

/** The request that tries a credential with this policy; `undefined` where none is known that is both safe and sure. */
function probeTarget(policy: SessionPolicy, endpoint: URL): ProbeTarget | undefined {
  const { actions, conditions } = policy
  const isFree = Object.keys(conditions).length === 0
  const prefix = onlyPrefix(conditions)
  const bucket = named(policy, /^arn:[^:]+:s3:::([^/*?]+)$/)
  if (bucket && actions.includes('s3:ListBucket') && (isFree || prefix !== undefined))
    return { action: 's3:ListBucket', url: listing(bucket, prefix, endpoint), headers: {} }
  const object = named(policy, /^arn:[^:]+:s3:::([^/*?]+\/[^*?]+)$/)
  if (object && actions.includes('s3:GetObject') && isFree)
    return { action: 's3:GetObject', url: path(object, endpoint), headers: { range: 'bytes=0-0' } }
  return undefined
}

/** A request that does what was granted and changes nothing. */
type ProbeTarget = {
  readonly action: 's3:ListBucket' | 's3:GetObject'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
}

/** What S3's answer says about the credential. Throws the port's failures when S3 is throttling or failing. */
function verdict({ action }: ProbeTarget, answer: Answer): Probe {
  if (answer.status === 429 || answer.status >= 500) throw failureOf(answer, 'S3')
  // 416: the object is empty, so there was no first byte to read, but reading was allowed.
  if (answer.status === 200 || answer.status === 206 || answer.status === 416) return 'accepted'
  const error = errorOf(answer)
  if (!error) return 'unknown'
  if (deadCodes.has(error.code)) return 'refused'
  if (error.code === 'NoSuchKey') return 'accepted'
  if (error.code !== 'AccessDenied') return 'unknown'
  // S3 also denies reading a key that is not there, to callers who may not list; only a denial of this very action counts.
  return action === 's3:ListBucket' || error.message.includes(action) ? 'refused' : 'unknown'
}

const deadCodes: ReadonlySet<string> = new Set(['ExpiredToken', 'InvalidToken', 'InvalidAccessKeyId'])

/** The prefix, when that is the one condition there is. */
function onlyPrefix(conditions: Conditions): string | undefined {
  const [[operator, keys] = ['', {}], another] = Object.entries(conditions)
  const [[key, texts] = ['', []], anotherKey] = Object.entries(keys)
  return operator === 'StringEquals' && key === 's3:prefix' && !another && !anotherKey ? texts[0] : undefined
}

function named({ resources }: SessionPolicy, shape: RegExp): string | undefined {
  for (const resource of resources) {
    const match = shape.exec(resource)
    if (match) return match[1]
  }
  return undefined
}

function listing(bucket: string, prefix: string | undefined, endpoint: URL): URL {
  const url = path(bucket, endpoint)
  url.searchParams.set('list-type', '2')
  url.searchParams.set('max-keys', '1')
  if (prefix !== undefined) url.searchParams.set('prefix', prefix)
  return url
}

function path(name: string, endpoint: URL): URL {
  return new URL(`/${name.split('/').map(encodeURIComponent).join('/')}`, endpoint)
}

function keysOf({ fields }: Credential): AwsKeys | undefined {
  const { access_key_id: id, secret_access_key: secretAccessKey, session_token: sessionToken } = fields
  if (typeof id !== 'string' || !(secretAccessKey instanceof Secret) || !(sessionToken instanceof Secret))
    return undefined
  return { accessKeyId: new Secret(id), secretAccessKey, sessionToken }
}
