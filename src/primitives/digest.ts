import { createHash, hash, timingSafeEqual } from 'node:crypto'

/** SHA-256 of text or bytes as 64 lower-case hexadecimal characters. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex')
}

/** SHA-256 as 32 bytes. */
export function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}

/** Whether two texts are equal, in time that does not depend on where they differ. */
export function equalInConstantTime(left: string, right: string): boolean {
  return timingSafeEqual(sha256(left), sha256(right))
}
