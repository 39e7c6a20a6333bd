import { sign, verify } from 'node:crypto'
import { z } from 'zod'
import { ecdsaFromDer, ecdsaToDer } from '../../../primitives/index.ts'
import type { SigningKey, SigningKeys } from './signing-keys.ts'

/** Longer tokens are not looked at. */
export const tokenBytesMax = 8192

export type Claims = Readonly<Record<string, unknown>>

/**
 * A compact JWS (RFC 7515 §3.1) of type `at+jwt` (RFC 9068 §2.1). Signed in the calling thread: measured at a fifth of what a
 * library with asynchronous WebCrypto needs.
 */
export function signToken(claims: Claims, key: ReturnType<SigningKeys['current']>): string {
  const signed = `${headerOf(key)}.${encode(claims)}`
  return `${signed}.${signatureOf(Buffer.from(signed, 'latin1'), key).toString('base64url')}`
}

/** The claims of a token that one of these keys signed; `undefined` for anything else. Time and issuer are not looked at. */
export function readSignedToken(token: string, find: SigningKeys['find']): Claims | undefined {
  // Attacker-controlled: nothing of it is believed before the signature holds, but which of our own keys to try.
  if (token.length > tokenBytesMax) return undefined
  const [header = '', claims = '', signature = '', ...more] = token.split('.')
  if (more.length > 0) return undefined
  const read = headerSchema.safeParse(decode(header))
  const key = read.success ? find(read.data.kid) : undefined
  // The algorithm is the key's own; the token's word for it must only agree.
  if (!read.success || key?.algorithm !== read.data.alg) return undefined
  if (!signatureHolds(`${header}.${claims}`, signature, key)) return undefined
  const body = claimsSchema.safeParse(decode(claims))
  return body.success ? body.data : undefined
}

// Strict: `crit`, `jwk`, `jku`, `x5c` and whatever else would ask to be obeyed is no header of ours.
const headerSchema = z.strictObject({
  typ: z.literal('at+jwt'),
  alg: z.enum(['ES256', 'EdDSA']),
  kid: z.string(),
})
const claimsSchema = z.record(z.string(), z.unknown())

function signatureHolds(signed: string, signature: string, key: SigningKey): boolean {
  const bytes = Buffer.from(signature, 'base64url')
  // The decoder forgives stray characters; a token has one spelling.
  if (bytes.toString('base64url') !== signature) return false
  if (key.algorithm === 'EdDSA') return verify(null, Buffer.from(signed), key.publicKey, bytes)
  return (
    bytes.length === 2 * p256Bytes && verify('sha256', Buffer.from(signed), key.publicKey, ecdsaToDer(bytes))
  )
}

const headers = new WeakMap<SigningKey, string>()

function headerOf(key: SigningKey): string {
  const header = headers.get(key) ?? encode({ typ: 'at+jwt', alg: key.algorithm, kid: key.kid })
  headers.set(key, header)
  return header
}

function signatureOf(signed: Buffer, { algorithm, privateKey }: ReturnType<SigningKeys['current']>): Buffer {
  if (algorithm === 'EdDSA') return sign(null, signed, privateKey)
  return ecdsaFromDer(sign('sha256', signed, privateKey), p256Bytes)
}

const p256Bytes = 32

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
