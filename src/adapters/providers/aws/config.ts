import { z } from 'zod'
import type { ProviderEntry, ValueSource } from '../../../contract/index.ts'
import { parseDurationSeconds, type Secret } from '../../../primitives/index.ts'
import { contractInvalid, parseAt, type Reading } from './parse.ts'
import { type Partition, partitions } from './partitions.ts'

/** The role that is assumed, read from its ARN. */
export type Role = {
  readonly arn: string
  readonly partition: Partition
  readonly name: string
}

/** A provider entry of kind `aws`, parsed; nothing is resolved yet. */
export type AwsConfig = {
  readonly region: string
  readonly role: Role
  /** The only account whose resources may be reached. */
  readonly account?: string | undefined
  readonly externalId?: string | undefined
  readonly stsEndpoint: URL
  readonly s3Endpoint: URL
  readonly iamEndpoint: URL
  readonly credentials: Readonly<Record<'accessKeyId' | 'secretAccessKey', ValueSource>> & {
    readonly sessionToken?: ValueSource | undefined
  }
  readonly revocation: 'deny-policy' | 'none'
  /** The name of the inline policy on the role that holds the denials. */
  readonly revocationPolicy: string
  readonly sourceIdentity: boolean
  readonly sessionTags: readonly SessionTag[]
  readonly timeoutSeconds: number
}

export type SessionTag = 'tenant' | 'agent'

/** The broker's own keys, resolved. */
export type AwsKeys = {
  readonly accessKeyId: Secret
  readonly secretAccessKey: Secret
  readonly sessionToken?: Secret | undefined
}

/** Parses and completes the configuration without any I/O; throws `contract_invalid`. */
export function parseConfig(entry: ProviderEntry): AwsConfig {
  const reading: Reading = { owner: `provider ${entry.name}`, key: 'config', place: entry.place }
  const {
    role: arn,
    endpoint,
    s3Endpoint,
    iamEndpoint,
    timeout,
    ...rest
  } = parseAt(schema, entry.config, reading)
  const role = parseRole(arn)
  if (!role) throw contractInvalid(reading, [{ path: ['role'], message: roleShape }])
  const { partition } = role
  return {
    ...rest,
    role,
    stsEndpoint: endpoint ?? new URL(`https://sts.${rest.region}.${partition.domain}`),
    s3Endpoint: s3Endpoint ?? new URL(`https://s3.${rest.region}.${partition.domain}`),
    iamEndpoint: iamEndpoint ?? new URL(partition.iamEndpoint),
    timeoutSeconds: timeout,
  }
}

const roleShape = 'must be the ARN of a role, such as arn:aws:iam::111122223333:role/agents'

function parseRole(arn: string): Role | undefined {
  const match = /^arn:(aws[a-z-]*):iam::[0-9]{12}:role\/(?:[\w+=,.@/-]{1,511}\/)?([\w+=,.@-]{1,64})$/.exec(
    arn,
  )
  const partition = partitions.get(match?.[1] ?? '')
  const name = match?.[2]
  return partition && name ? { arn, partition, name } : undefined
}

const timeoutSecondsMax = 30

const valueSource = z.union(
  [z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })],
  'must be {env: NAME} or {file: PATH}; a key never stands in the contract',
)

const endpoint = z
  .url('must be a URL')
  .transform((text) => new URL(text))
  .refine(isSafeEndpoint, 'must be an https URL without user, query or path; http only on loopback')

const schema = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z]{2}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}$/, 'must be a region, such as eu-central-1'),
  role: z.string(roleShape),
  account: z
    .string()
    .regex(/^[0-9]{12}$/, 'must be 12 digits in quotes')
    .optional(),
  externalId: z
    .string()
    .regex(/^[\w+=,.@:/-]{2,1224}$/, 'must be 2 to 1224 of the characters that STS allows')
    .optional(),
  endpoint: endpoint.optional(),
  s3Endpoint: endpoint.optional(),
  iamEndpoint: endpoint.optional(),
  credentials: z.strictObject({
    accessKeyId: valueSource,
    secretAccessKey: valueSource,
    sessionToken: valueSource.optional(),
  }),
  revocation: z.enum(['deny-policy', 'none']).default('none'),
  revocationPolicy: z
    .string()
    .regex(/^[\w+=,.@-]{1,128}$/, 'must be a policy name')
    .default('sallyport-revoked'),
  sourceIdentity: z.boolean().default(true),
  sessionTags: z
    .array(z.enum(['tenant', 'agent']))
    .max(2)
    .default([]),
  timeout: z
    .string()
    .default('10s')
    .transform((text) => parseDurationSeconds(text) ?? 0)
    .refine((seconds) => seconds >= 1 && seconds <= timeoutSecondsMax, `must be 1s to ${timeoutSecondsMax}s`),
})

/** What is signed here opens an account: it goes over TLS, or stays on this machine. */
function isSafeEndpoint(url: URL): boolean {
  const bare =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  const loopback = /^(?:127(?:\.[0-9]{1,3}){3}|\[::1\]|localhost)$/.test(url.hostname)
  return bare && (url.protocol === 'https:' || (url.protocol === 'http:' && loopback))
}
