import type { JsonObject } from './json.ts'

const curves: Readonly<Record<string, string>> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
}

/** Whether a key of a JWK Set (RFC 7517 §4) is one for checking signatures of that algorithm, which is one of the contract's (RFC 7518 §3.1, RFC 8037). */
export function keySuits(jwk: JsonObject, algorithm: string): boolean {
  const curve = curves[algorithm]
  const type = curve === undefined ? 'RSA' : curve === 'Ed25519' ? 'OKP' : 'EC'
  if (jwk['kty'] !== type || jwk['crv'] !== curve) return false
  const { alg, use, key_ops: operations } = jwk
  return (
    (alg === undefined || alg === algorithm) &&
    (use === undefined || use === 'sig') &&
    (operations === undefined || (Array.isArray(operations) && operations.includes('verify')))
  )
}
