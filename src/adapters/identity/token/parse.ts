import type { TokenFlaw } from './flaw.ts'
import { type JsonObject, parseJsonObject } from './json.ts'

/** No token is longer than this; it is measured before anything is read. */
export const tokenBytesMax = 16 * 1024

/** A token whose shape holds and nothing else: no signature, issuer or time has been checked. */
export type ParsedToken = {
  readonly algorithm: string
  readonly keyId?: string
  readonly issuer: string
  readonly claims: JsonObject
}

/**
 * Reads a JWS in compact form (RFC 7515 §7.1) with claims inside (RFC 7519); else what is wrong with it, which includes that it asks for
 * an extension (`crit`), or says that it is another kind of token (`typ`), such as a logout token or a DPoP proof.
 */
export function parseToken(text: string): ParsedToken | TokenFlaw {
  // An unsigned token (`alg: none`) has an empty last part: it is read, so that it can be refused for its algorithm.
  const match = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*$/.exec(text)
  const header = parseJsonObject(decode(match?.[1]))
  const claims = parseJsonObject(decode(match?.[2]))
  if (!header || !claims) return 'shape'
  const { alg: algorithm, kid: keyId, typ: type } = header
  const { iss: issuer } = claims
  if (typeof issuer !== 'string') return 'issuer'
  if (typeof algorithm !== 'string') return 'algorithm'
  if ('crit' in header || 'b64' in header) return 'extension'
  if (type !== undefined && !(typeof type === 'string' && types.has(type.toLowerCase()))) return 'type'
  if (keyId === undefined) return { algorithm, issuer, claims }
  return typeof keyId === 'string' ? { algorithm, keyId, issuer, claims } : 'keyId'
}

/** RFC 7519 §5.1, RFC 9068 §2.1, JWT-SVID §2. */
const types = new Set(['jwt', 'jose', 'at+jwt', 'application/jwt', 'application/at+jwt'])

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode(part: string | undefined): string {
  try {
    return utf8.decode(Buffer.from(part ?? '', 'base64url'))
  } catch {
    return ''
  }
}
