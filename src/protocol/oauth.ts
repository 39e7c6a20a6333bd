import { z } from 'zod'
import { protocolLimits } from './limits.ts'
import type { Operation } from './operation.ts'

/** RFC 7662 §2.1 and RFC 7009 §2.1. What else stands there is ignored, but may stand once only (RFC 6749 §3.2). */
export const tokenForm = z
  .object({
    token: z.string().min(1).max(protocolLimits.tokenCharactersMax),
    token_type_hint: z.string().max(protocolLimits.tokenHintCharactersMax).optional(),
  })
  .catchall(z.string())

const form = {
  type: 'application/x-www-form-urlencoded',
  schema: tokenForm,
} as const

export const getJwks: Operation = {
  id: 'jwks',
  method: 'GET',
  path: '/.well-known/jwks.json',
  summary: 'The public keys of the tokens that the broker signs (RFC 7517)',
  access: 'public',
  planes: ['machine'],
  answers: {
    200: {
      description: 'JWK Set.',
      type: 'application/json',
      schema: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
    },
  },
}

export const getServerMetadata: Operation = {
  id: 'authorizationServerMetadata',
  method: 'GET',
  path: '/.well-known/oauth-authorization-server',
  summary: 'Where to introspect and revoke (RFC 8414)',
  access: 'public',
  planes: ['machine'],
  answers: {
    200: {
      description: 'Metadata.',
      type: 'application/json',
      schema: z.object({
        issuer: z.string(),
        jwks_uri: z.string(),
        introspection_endpoint: z.string(),
        revocation_endpoint: z.string(),
        response_types_supported: z
          .array(z.string())
          .meta({ description: 'None: there is no authorization endpoint.' }),
      }),
    },
  },
}

export const introspectToken: Operation = {
  id: 'introspect',
  method: 'POST',
  path: '/oauth2/introspect',
  summary: 'Whether a token works now (RFC 7662)',
  access: 'identified',
  planes: ['machine'],
  body: form,
  answers: {
    200: {
      description: 'Active with its claims, or not active.',
      type: 'application/json',
      schema: z.object({ active: z.boolean() }).catchall(z.unknown()),
    },
  },
}

export const revokeAccessToken: Operation = {
  id: 'revokeToken',
  method: 'POST',
  path: '/oauth2/revoke',
  summary: 'End a token (RFC 7009); an unknown token is ignored',
  access: 'identified',
  planes: ['machine'],
  body: form,
  answers: { 200: { description: 'Done, or there was nothing to do.', type: 'text/plain' } },
}
