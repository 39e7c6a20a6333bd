import type { Broker } from '../../broker/index.ts'
import { Failure, Secret } from '../../primitives/index.ts'
import {
  getJwks,
  getServerMetadata,
  introspectToken,
  revokeAccessToken,
  tokenForm,
} from '../../protocol/index.ts'
import { identified, open, parsed, type Route } from './exchange.ts'

/** Keys, introspection (RFC 7662) and revocation (RFC 7009) of the tokens that the broker signs. */
export function oauthRoutes(broker: Broker): readonly Route[] {
  return [
    open(getJwks, async () => ({
      status: 200,
      value: { keys: broker.authorities().flatMap((authority) => authority.jwks().keys) },
    })),
    open(getServerMetadata, async () => ({ status: 200, value: metadata(broker) })),
    identified(introspectToken, async ({ caller, requestId, body }) => {
      const { token } = parsed(tokenForm, body, 'body')
      const seen = await broker.introspect({ caller, requestId, token: new Secret(token) })
      return { status: 200, value: seen.active ? { ...seen.claims, active: true } : { active: false } }
    }),
    identified(revokeAccessToken, async ({ caller, requestId, body }) => {
      const { token } = parsed(tokenForm, body, 'body')
      await broker.revokeToken({ caller, requestId, token: new Secret(token) })
      return { status: 200, text: '' }
    }),
  ]
}

function metadata(broker: Broker) {
  const issuer = broker.authorities()[0]?.issuer
  if (issuer === undefined) throw new Failure('not_found', 'This broker signs no tokens.')
  const base = issuer.replace(/\/$/, '')
  return {
    issuer,
    jwks_uri: `${base}/.well-known/jwks.json`,
    introspection_endpoint: `${base}/oauth2/introspect`,
    revocation_endpoint: `${base}/oauth2/revoke`,
    response_types_supported: [],
  }
}
