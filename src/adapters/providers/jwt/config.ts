import { z } from 'zod'
import { type Action, type Place, type ProviderEntry, templateParts } from '../../../contract/index.ts'
import { Failure } from '../../../primitives/index.ts'

export type Algorithm = 'ES256' | 'EdDSA'

export type JwtConfig = {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly algorithm: Algorithm
  readonly keyFile: string | undefined
}

/** What an action means in a token. `scopes` and `resource` are templates over the parts of the action's resource. */
export type TokenMeans = {
  readonly scopes: readonly string[]
  readonly audience: string
  readonly resource: string
}

/** The provider's `config`; throws `contract_invalid` naming the line. */
export function readConfig(entry: ProviderEntry): JwtConfig {
  const config = parse(configSchema, entry.config, {
    what: `provider ${entry.name}: config`,
    place: entry.place,
  })
  const audiences = typeof config.audience === 'string' ? [config.audience] : config.audience
  return { issuer: config.issuer, audiences, algorithm: config.algorithm, keyFile: config.keyFile }
}

/** The action's `means`; throws `contract_invalid` naming the line. */
export function readMeans(action: Action, config: JwtConfig): TokenMeans {
  const at = { what: `action ${action.name}: means`, place: action.place }
  const means = parse(meansSchema, action.means, at)
  const scopes = typeof means.scope === 'string' ? [means.scope] : means.scope
  const parts = templateParts(action.resource)
  for (const template of [...scopes, means.resource])
    for (const part of templateParts(template))
      if (part !== 'resource' && !parts.includes(part))
        throw invalid(at, `{${part}} is no part of the resource ${action.resource}`)
  // A token that leaves a part out would be good for more than the resource that was asked for.
  const named = templateParts(means.resource)
  const missing = parts.find((part) => !named.includes(part) && !named.includes('resource'))
  if (missing !== undefined) throw invalid(at, `resource leaves {${missing}} out`)
  return { scopes, resource: means.resource, audience: chooseAudience(means.audience, config.audiences, at) }
}

// Printable ASCII without space, quote and backslash: one scope can never be read as two (RFC 6749 §3.3).
const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/

export function isScopeToken(text: string): boolean {
  return scopeToken.test(text)
}

const audienceSchema = z.string().min(1).max(2048)
const scopeSchema = z
  .string()
  .regex(scopeToken, 'a scope is printable ASCII without space, quote or backslash')

const configSchema = z.strictObject({
  issuer: z.string().refine(isIssuer, 'an https URL without query or fragment (http on loopback only)'),
  audience: z.union([audienceSchema, z.array(audienceSchema).min(1).max(64)]),
  algorithm: z.enum(['ES256', 'EdDSA']).default('ES256'),
  keyFile: z.string().min(1).optional(),
})

const meansSchema = z.strictObject({
  scope: z.union([scopeSchema, z.array(scopeSchema).min(1).max(16)]),
  audience: audienceSchema.optional(),
  resource: z.string().min(1).max(1024).default('{resource}'),
})

/** RFC 8414 §2: an issuer is an https URL with neither query nor fragment. */
function isIssuer(text: string): boolean {
  const url = URL.parse(text)
  if (!url || url.username || url.password || text.includes('?') || text.includes('#')) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname))
}

const loopback = new Set(['127.0.0.1', '[::1]', 'localhost'])

function chooseAudience(asked: string | undefined, allowed: readonly string[], at: Where): string {
  const [only] = allowed
  if (asked === undefined && allowed.length === 1 && only !== undefined) return only
  if (asked === undefined) throw invalid(at, 'audience is missing: the provider has several to choose from')
  if (!allowed.includes(asked)) throw invalid(at, "audience is none of the provider's")
  return asked
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
