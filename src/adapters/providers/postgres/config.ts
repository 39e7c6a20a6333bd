import { resolve } from 'node:path'
import { z } from 'zod'
import {
  type Action,
  fillTemplate,
  type Place,
  type ProviderEntry,
  type ResourceParts,
  templateParts,
} from '../../../contract/index.ts'
import { Failure, parseDurationSeconds, Secret } from '../../../primitives/index.ts'
import { scramIterationsDefault } from './scram.ts'

export type PostgresConfig = {
  readonly server: Server
  readonly poolMax: number
  readonly leaseStatementTimeoutSeconds: number
  readonly connectionsPerLeaseMax: number
  /** Rounds of SCRAM-SHA-256 in the verifier of a minted role's password. */
  readonly scramIterations: number
  /** Roles whose password `rotate` may change, and the file that takes the new one. */
  readonly rotates: ReadonlyMap<string, string>
}

/** Where the database is and how the broker logs in. */
export type Server = {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: Secret
  /** `undefined` is a plain connection: on loopback, or because the contract says `tls: off`. */
  readonly tls: { readonly caFile: string | undefined } | undefined
}

export const privileges = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const
export type Privilege = (typeof privileges)[number]

/** One verb on one table. `schema` and `table` are templates over the parts of the action's resource. */
export type Means = {
  readonly privilege: Privilege
  readonly schema: string
  readonly table: string
  /** Absent is the whole row. */
  readonly columns?: readonly string[] | undefined
}

/** The same with names in it, each one checked to be an identifier. */
export type Target = Means & { readonly name: string }

/** The provider's `config`; throws `contract_invalid` naming the line. Reads the value source of `url`, and nothing else. */
export function readConfig(
  entry: ProviderEntry,
  resolve: (value: unknown, place: Place) => Secret,
): PostgresConfig {
  const at = { what: `provider ${entry.name}: config`, place: entry.place }
  const config = parse(configSchema, entry.config, at)
  return {
    server: readServer(resolve(config.url, entry.place), config.tls, at),
    poolMax: config.poolMax,
    leaseStatementTimeoutSeconds: config.statementTimeout,
    connectionsPerLeaseMax: config.maxConnectionsPerRole,
    scramIterations: config.scramIterations,
    rotates: new Map(config.rotates.map(({ role, file }) => [role, file])),
  }
}

/** The action's `means`; throws `contract_invalid` naming the line. */
export function readMeans(action: Action): Means {
  const at = { what: `action ${action.name}: means`, place: action.place }
  const means = parse(meansSchema, action.means, at)
  const parts = templateParts(action.resource)
  const used = [means.schema, means.table].flatMap(templateParts)
  for (const part of used)
    if (part !== 'resource' && !parts.includes(part))
      throw invalid(at, `{${part}} is no part of the resource ${action.resource}`)
  // A part that is left out would let two different requests mean the same table.
  const ignored = used.includes('resource') ? undefined : parts.find((part) => !used.includes(part))
  if (ignored) throw invalid(at, `{${ignored}} of the resource stands in neither schema nor table`)
  for (const template of [means.schema, means.table])
    if (!identifier.test(template.replaceAll(/\{[a-z][a-z0-9_]*\+?\}/g, 'x')))
      throw invalid(at, `${template} cannot become an identifier`)
  if (means.columns && means.privilege === 'DELETE') throw invalid(at, 'DELETE takes whole rows, not columns')
  if (isSystemSchema(means.schema)) throw invalid(at, `${means.schema} belongs to PostgreSQL itself`)
  return means
}

/** The table that this resource names. Throws `provider_refused` for a name that is not a plain identifier. */
export function readTarget(means: Means, parts: ResourceParts): Target {
  // The parts are attacker-controlled: only an identifier goes on, and it is quoted where it is used.
  const schema = fillTemplate(means.schema, parts)
  const table = fillTemplate(means.table, parts)
  for (const name of [schema, table])
    if (!identifier.test(name))
      throw new Failure('provider_refused', 'The resource does not name a table that can be granted.', {
        next: 'name schema and table with letters, digits and underscores only',
      })
  if (isSystemSchema(schema))
    throw new Failure('provider_refused', `The schema ${schema} belongs to PostgreSQL itself.`)
  const columns = means.columns ? `(${means.columns.join(',')})` : ''
  return { ...means, schema, table, name: `${schema}.${table}${columns}` }
}

// PostgreSQL cuts longer names (NAMEDATALEN - 1 = 63), and a cut name could be another table's.
const identifier = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/

function isSystemSchema(schema: string): boolean {
  return schema === 'information_schema' || schema.startsWith('pg_')
}

const identifierSchema = z.string().regex(identifier, 'not an identifier')

/** More is refused by `pg` (`scramMaxIterations`), with which the broker itself tries whether a credential is dead. */
export const scramIterationsMax = 100_000

const configSchema = z.strictObject({
  url: z.unknown(),
  tls: z.union([z.literal('off'), z.strictObject({ ca: z.string().min(1).optional() })]).optional(),
  poolMax: z.int().min(1).max(50).default(10),
  statementTimeout: z
    .union([z.string(), z.int()])
    .transform((text) => parseDurationSeconds(String(text)) ?? 0)
    .refine((seconds) => seconds >= 1 && seconds <= 3600, 'a duration from 1s to 1h')
    .default(30),
  maxConnectionsPerRole: z.int().min(1).max(20).default(2),
  scramIterations: z.int().min(1).max(scramIterationsMax).default(scramIterationsDefault),
  rotates: z
    .array(z.strictObject({ role: identifierSchema, file: z.string().min(1) }))
    .max(64)
    .refine(areApart, 'each role once, each with a file of its own, which is the .next or .draft of none')
    .default([]),
})

const meansSchema = z.strictObject({
  privilege: z.enum(privileges),
  schema: z.string().min(1).max(128),
  table: z.string().min(1).max(128),
  columns: z.array(identifierSchema).min(1).max(64).optional(),
})

/** One role's password in the file of another would be in the place of the only copy of that. */
function areApart(rotates: readonly { role: string; file: string }[]): boolean {
  const roles = rotates.map(({ role }) => role)
  const files = rotates.flatMap(({ file }) => ['', '.next', '.draft'].map((end) => resolve(`${file}${end}`)))
  return new Set(roles).size === roles.length && new Set(files).size === files.length
}

const loopback = new Set(['127.0.0.1', '[::1]', '::1', 'localhost'])

/** A URL of libpq. What would weaken TLS stands in `tls`, in sight of the contract's readers; the URL itself is a secret. */
function readServer(source: Secret, tls: z.infer<typeof configSchema>['tls'], at: Where): Server {
  const url = URL.parse(source.reveal())
  const isWhole = url && /^postgres(ql)?:$/.test(url.protocol) && url.hostname && url.username && url.password
  if (!isWhole) throw invalid(at, 'url must be postgres://user:password@host:port/database')
  const sslmode = url.searchParams.get('sslmode')
  for (const name of url.searchParams.keys())
    if (!['sslmode', 'channel_binding'].includes(name))
      throw invalid(at, `the url has the parameter ${name}, which is not read`)
  if (sslmode !== null && !['require', 'verify-ca', 'verify-full'].includes(sslmode))
    throw invalid(at, 'the url may ask for more TLS, not for less; say `tls: off` in the contract')
  const plain = tls === 'off' || (tls === undefined && sslmode === null && loopback.has(url.hostname))
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 5432),
    database: decoded(url.pathname.slice(1) || url.username, at),
    user: decoded(url.username, at),
    password: new Secret(decoded(url.password, at)),
    tls: plain ? undefined : { caFile: tls?.ca },
  }
}

function decoded(part: string, at: Where): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid(at, 'the url holds a % that escapes nothing')
  }
}

type Where = { readonly what: string; readonly place: Place }

function parse<Shape>(schema: z.ZodType<Shape>, value: unknown, at: Where): Shape {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [first] = result.error.issues
  throw invalid(at, `${first?.path.join('.') || 'the whole'}: ${first?.message ?? 'not valid'}`)
}

function invalid(at: Where, problem: string): Failure {
  return new Failure('contract_invalid', `Line ${at.place.line}: ${at.what}: ${problem}.`)
}
