import { createHash, createHmac, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import type { Secret } from '../../../primitives/index.ts'

/** PostgreSQL's own default (`scram_iterations`); the password has 192 random bits, so more would only cost logins. */
const iterations = 4096

/**
 * What PostgreSQL stores instead of a password: `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey` (RFC 5802 §3, RFC 7677). Computed here,
 * so that the password is in no statement. The password must be ASCII: SASLprep (RFC 4013) leaves that as it is.
 */
export async function scramVerifier(password: Secret, salt: Uint8Array): Promise<string> {
  const salted = await promisify(pbkdf2)(password.reveal(), salt, iterations, 32, 'sha256')
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest('base64')
  const serverKey = hmac(salted, 'Server Key').toString('base64')
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString('base64')}$${storedKey}:${serverKey}`
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
