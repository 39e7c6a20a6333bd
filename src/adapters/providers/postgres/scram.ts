import { createHash, createHmac, createSecretKey, type KeyObject, pbkdf2, pbkdf2Sync } from 'node:crypto'
import { promisify } from 'node:util'
import type { Secret } from '../../../primitives/index.ts'

/** PostgreSQL's own default (`scram_iterations`), and the least that RFC 7677 §4 advises and every client takes. */
export const scramIterationsDefault = 4096

/**
 * What PostgreSQL stores instead of a password: `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey` (RFC 5802 §3, RFC 7677). Computed
 * here, so that the password is in no statement. The password must be ASCII: SASLprep (RFC 4013) leaves that as it is.
 */
export async function scramVerifier(
  password: Secret,
  { salt, iterations }: { readonly salt: Uint8Array; readonly iterations: number },
): Promise<string> {
  const deriveKey = iterations <= iterationsHere ? pbkdf2Sync : deriveElsewhere
  const salted = await deriveKey(password.reveal(), salt, iterations, 32, 'sha256')
  // A key object is made once for both; from bytes each HMAC would make its own, which takes longer than the HMAC.
  const key = createSecretKey(salted)
  const storedKey = createHash('sha256').update(hmac(key, 'Client Key')).digest('base64')
  const serverKey = hmac(key, 'Server Key').toString('base64')
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString('base64')}$${storedKey}:${serverKey}`
}

const deriveElsewhere = promisify(pbkdf2)

/** So few take less time (20 µs) than the way to another thread and back. */
const iterationsHere = 100

function hmac(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
