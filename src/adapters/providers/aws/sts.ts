import type { Credential, MintOrder } from '../../../broker/index.ts'
import { type Clock, Failure, Secret, timestamp } from '../../../primitives/index.ts'
import type { AwsConfig, AwsKeys } from './config.ts'
import { failureOf } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { SessionPolicy } from './policy.ts'
import { malformed, parseXml, textAt } from './xml.ts'

/** The shortest and the longest life that STS gives to a session (STS API Reference, AssumeRole, `DurationSeconds`). */
export const sessionSecondsMin = 900
export const sessionSecondsMax = 43_200

/** A session of the role: the port's credential, STS's own name of it (`AROA…:<lease id>`) and when STS forgets it (milliseconds since 1970). */
export type Session = {
  readonly credential: Credential
  readonly handle: string
  readonly providerNotAfter: number
}

export type Assuming = {
  readonly config: AwsConfig
  readonly keys: AwsKeys
  readonly exchange: Exchange
  readonly clock: Clock
}

/** Calls AssumeRole with the policy and the lease id as session name. Throws the port's failures. */
export async function assumeRole(
  { config, keys, exchange, clock }: Assuming,
  order: MintOrder,
  policy: SessionPolicy,
  signal: AbortSignal,
): Promise<Session> {
  const form = assumeRoleForm(config, order, policy, clock.now())
  const answer = await exchange(
    { url: config.stsEndpoint, service: 'sts', region: config.region, form },
    keys,
    signal,
  )
  if (answer.status !== 200) throw failureOf(answer, 'STS')
  const session = readSession(answer.text, order, config.region)
  if (session.providerNotAfter <= clock.now()) throw malformed('the session is already over')
  return session
}

function assumeRoleForm(
  config: AwsConfig,
  order: MintOrder,
  policy: SessionPolicy,
  now: number,
): Record<string, string> {
  return {
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: config.role.arn,
    RoleSessionName: sessionName(order.leaseId),
    DurationSeconds: `${sessionSeconds(order.notAfter - now)}`,
    Policy: policy.text,
    ...(config.sourceIdentity ? { SourceIdentity: order.leaseId } : {}),
    ...(config.externalId ? { ExternalId: config.externalId } : {}),
    ...tagFields(config, order),
  }
}

function sessionName(leaseId: string): string {
  if (/^[\w+=,.@-]{2,64}$/.test(leaseId)) return leaseId
  throw new Failure('provider_refused', 'The lease id cannot be the name of a session.')
}

function sessionSeconds(remainingMilliseconds: number): number {
  const seconds = Math.ceil(remainingMilliseconds / 1000)
  if (seconds > sessionSecondsMax)
    throw new Failure('provider_refused', `AWS gives no session longer than ${sessionSecondsMax} seconds.`, {
      next: 'Ask for a shorter time.',
    })
  return Math.max(sessionSecondsMin, seconds)
}

/** Transitive, so that they stay with the session when it assumes a further role. */
function tagFields(config: AwsConfig, order: MintOrder): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [index, tag] of config.sessionTags.entries()) {
    fields[`Tags.member.${index + 1}.Key`] = tag
    fields[`Tags.member.${index + 1}.Value`] = order[tag]
    fields[`TransitiveTagKeys.member.${index + 1}`] = tag
  }
  return fields
}

function readSession(text: string, order: MintOrder, region: string): Session {
  const root = parseXml(text)
  if (root.name !== 'AssumeRoleResponse') throw malformed('it is not an AssumeRoleResponse')
  const at = (...path: string[]) => textAt(root, ['AssumeRoleResult', ...path])
  const handle = at('AssumedRoleUser', 'AssumedRoleId')
  // Were the lease id not in it, nothing could find or revoke this session.
  if (!handle.endsWith(`:${order.leaseId}`)) throw malformed('the session does not bear the lease id')
  const providerNotAfter = readTime(at('Credentials', 'Expiration'))
  const fields = {
    access_key_id: filled(at('Credentials', 'AccessKeyId')),
    secret_access_key: new Secret(filled(at('Credentials', 'SecretAccessKey'))),
    session_token: new Secret(filled(at('Credentials', 'SessionToken'))),
    region,
    expiration: timestamp(providerNotAfter),
  }
  return { credential: { type: 'aws', fields }, handle, providerNotAfter }
}

function filled(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) throw malformed('a field of the credential is empty or no plain text')
  return text
}

function readTime(text: string): number {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw malformed('its expiration is no time')
  return time
}
