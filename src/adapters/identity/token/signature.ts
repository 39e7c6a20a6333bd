import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { ecdsaToDer } from '../../../primitives/index.ts'
import type { JsonObject } from './json.ts'

/** The public key of a JWK that suits its algorithm; `undefined` for one that is broken. RSA below 2048 bits is no key (RFC 7518 §3.3). */
export function readPublicKey(jwk: JsonObject): KeyObject | undefined {
  // Only the public members are read, whatever the issuer published.
  const text = (name: string) => (typeof jwk[name] === 'string' ? { [name]: jwk[name] } : {})
  const members = { ...text('kty'), ...text('crv'), ...text('x'), ...text('y'), ...text('n'), ...text('e') }
  try {
    const key = createPublicKey({ key: members, format: 'jwk' })
    const { modulusLength } = key.asymmetricKeyDetails ?? {}
    return modulusLength !== undefined && modulusLength < rsaBitsMin ? undefined : key
  } catch {
    return undefined
  }
}

/**
 * Whether the signature of a compact JWS holds (RFC 7515 §5.2, RFC 7518 §3, RFC 8037 §3.1) for a key of that algorithm. In the calling
 * thread: handing it to another one takes longer than an elliptic curve does.
 */
export function signatureHolds(text: string, key: KeyObject, algorithm: string): boolean {
  const end = text.lastIndexOf('.')
  const encoded = text.slice(end + 1)
  const signature = Buffer.from(encoded, 'base64url')
  // The decoder forgives stray characters; a token has one spelling.
  if (signature.toString('base64url') !== encoded) return false
  const signed = Buffer.from(text.slice(0, end))
  const hash = `sha${algorithm.slice(2)}`
  switch (algorithm.slice(0, 2)) {
    case 'RS':
      return verify(hash, signed, key, signature)
    case 'PS':
      return verify(hash, signed, { key, ...pss }, signature)
    case 'ES':
      return signature.length === joseBytes[algorithm] && verify(hash, signed, key, ecdsaToDer(signature))
    default:
      return algorithm === 'EdDSA' && verify(null, signed, key, signature)
  }
}

const rsaBitsMin = 2048
/** RFC 7518 §3.5: the salt is as long as the hash. */
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
/** RFC 7518 §3.4: both numbers of a signature, each as long as the curve's order. */
const joseBytes: Readonly<Record<string, number>> = { ES256: 64, ES384: 96, ES512: 132 }
