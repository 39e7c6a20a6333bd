import { isAbsolute, join } from 'node:path'
import type {
  Capabilities,
  Minted,
  MintOrder,
  ProviderDefinition,
  TokenAuthority,
} from '../../../broker/index.ts'
import { type Action, fillTemplate } from '../../../contract/index.ts'
import { type Clock, Failure, Secret } from '../../../primitives/index.ts'
import { isScopeToken, type JwtConfig, readConfig, readMeans, type TokenMeans } from './config.ts'
import { type Claims, readSignedToken, signToken, tokenBytesMax } from './jws.ts'
import { openSigningKeys, type SigningKeys } from './signing-keys.ts'

/** Access tokens (RFC 9068) for the user's own services, signed by keys of the broker's own. See `docs/providers/jwt.md`. */
export const jwt: ProviderDefinition = {
  kind: 'jwt',
  developmentOnly: false,
  async create(entry, actions, world) {
    const config = readConfig(entry)
    const meanings = new Map(actions.map((action) => [action, readMeans(action, config)]))
    const meansOf = (action: Action) => meanings.get(action) ?? readMeans(action, config)
    const { clock } = world
    const keys = openSigningKeys({
      path: keyFilePath(config, entry.name, world.keyFolder),
      algorithm: config.algorithm,
      clock,
      ttlSecondsMax: capabilities.ttlSecondsMax,
    })
    return {
      capabilities,
      authority: createAuthority({ config, keys, clock }),
      async mint(order, signal) {
        signal.throwIfAborted()
        return mintToken(order, { config, keys, clock, means: meansOf(order.action) })
      },
      // The lease store is what introspection asks; there is nothing to undo here.
      async revoke(_, signal) {
        signal.throwIfAborted()
      },
      async rotate(target, signal) {
        signal.throwIfAborted()
        if (target !== 'signing-key')
          throw new Failure('rotation_unsupported', 'A token provider rotates its signing-key alone.')
        return `signing-key is now ${keys.rotate()}`
      },
    }
  },
}

const capabilities: Capabilities = {
  revocation: 'eventual',
  revocationNote:
    'Introspection refuses it at once; a service that verifies offline accepts it until it expires.',
  endsByItself: true,
  providerTtlSecondsMin: 1,
  ttlSecondsMax: 86_400,
  probes: false,
  mintsLocally: true,
  rotates: ['signing-key'],
}

function keyFilePath(config: JwtConfig, name: string, keyFolder: string): string {
  const file = config.keyFile ?? `jwt-${encodeURIComponent(name)}.jwks.json`
  return isAbsolute(file) ? file : join(keyFolder, file)
}

type MintWorld = {
  readonly config: JwtConfig
  readonly keys: SigningKeys
  readonly clock: Clock
  readonly means: TokenMeans
}

function mintToken(order: MintOrder, { config, keys, clock, means }: MintWorld): Minted {
  const scopes = means.scopes.map((template) => fillTemplate(template, order.parts))
  if (!scopes.every(isScopeToken))
    throw new Failure('provider_refused', 'The resource cannot stand in a scope of a token.')
  const resource = fillTemplate(means.resource, order.parts)
  const lifetime = lifetimeSeconds(order, clock)
  const claims = claimsOf(order, {
    issuer: config.issuer,
    audience: means.audience,
    scopes,
    resource,
    lifetime,
  })
  const token = signToken(claims, keys.current())
  if (token.length > tokenBytesMax)
    throw new Failure('provider_refused', 'The token would be too large for those who verify it.')
  const notAfter = lifetime.exp * 1000
  return {
    credential: {
      type: 'jwt',
      fields: {
        token_type: 'Bearer',
        access_token: new Secret(token),
        audience: means.audience,
        scope: scopes.join(' '),
      },
    },
    handle: order.leaseId,
    effective: { actions: scopes, resources: [resource] },
    notAfter,
    providerNotAfter: notAfter,
    enforcedBy: 'token-exp',
  }
}

type Lifetime = { readonly iat: number; readonly exp: number }

function lifetimeSeconds(order: MintOrder, clock: Clock): Lifetime {
  const iat = Math.floor(clock.now() / 1000)
  const exp = Math.floor(order.notAfter / 1000)
  if (exp * 1000 <= clock.now())
    throw new Failure('provider_refused', 'A token lives for one second at least.')
  // A longer one would outlive the key that verifies it after a rotation.
  if (order.notAfter - clock.now() > capabilities.ttlSecondsMax * 1000)
    throw new Failure('provider_refused', 'A token lives for one day at most.')
  return { iat, exp }
}

type TokenContent = {
  readonly issuer: string
  readonly audience: string
  readonly scopes: readonly string[]
  readonly resource: string
  readonly lifetime: Lifetime
}

/** RFC 9068 §2.2, with the authorization details of RFC 9396 §9.1 and the confirmation of RFC 8705 §3.1. */
function claimsOf(order: MintOrder, content: TokenContent): Claims {
  const { issuer, audience, scopes, resource, lifetime } = content
  return {
    iss: issuer,
    sub: order.agent,
    aud: audience,
    ...lifetime,
    jti: order.leaseId,
    client_id: order.agent,
    tenant: order.tenant,
    scope: scopes.join(' '),
    resource,
    authorization_details: [
      { type: 'sallyport_action', locations: [audience], actions: [order.action.name], identifier: resource },
    ],
    ...(order.confirmation && { cnf: { 'x5t#S256': order.confirmation.certificateSha256 } }),
  }
}

function createAuthority(world: { config: JwtConfig; keys: SigningKeys; clock: Clock }): TokenAuthority {
  const { config, keys, clock } = world
  return {
    issuer: config.issuer,
    jwks: () => ({ keys: keys.published() }),
    async verify(token) {
      const claims = readSignedToken(token.reveal(), keys.find)
      if (!claims || claims['iss'] !== config.issuer) return undefined
      const { aud, exp, jti } = claims
      if (typeof aud !== 'string' || !config.audiences.includes(aud)) return undefined
      if (typeof exp !== 'number' || exp * 1000 <= clock.now()) return undefined
      return typeof jti === 'string' ? { leaseId: jti, claims } : undefined
    },
  }
}
