import { crc32 } from 'node:zlib'
import type { IdentityRefused } from '../../../broker/index.ts'
import { type RandomBytes, Secret, sha256Hex } from '../../../primitives/index.ts'

/**
 * What a secret scanner looks for: `sp_`, 30 random characters of base62 (178 bits), and 6 more that are the CRC-32 of everything
 * before them. A scanner that checks them has no false alarms and asks nobody.
 */
export const machineKeyPattern = /\bsp_[0-9A-Za-z]{36}\b/

/** A new key to hand over once, and `sha256:<hex>` to write into the contract. `random` must be cryptographic. */
export function createMachineKey(random: RandomBytes): { readonly key: Secret; readonly digest: string } {
  const body = `sp_${randomBase62(random, 30)}`
  const key = body + checksum(body)
  return { key: new Secret(key), digest: `sha256:${sha256Hex(key)}` }
}

/** Whether the text has the shape and checksum of a machine key. */
export function isMachineKey(text: string): boolean {
  return /^sp_[0-9A-Za-z]{36}$/.test(text) && checksum(text.slice(0, -6)) === text.slice(-6)
}

/** A key of the contract. `sha256` is hexadecimal; `subject` is its first seven characters. */
export type KnownKey = { readonly kind: 'known'; readonly sha256: string; readonly subject: string }

/** Looks for the key among those digests (hexadecimal SHA-256); refuses with `machine_key_invalid`. */
export function verifyMachineKey(
  shown: Secret,
  digests: { has(sha256: string): boolean },
): KnownKey | IdentityRefused {
  // Attacker-controlled: what is no key of ours may be somebody else's secret, so nothing of it is kept.
  const text = shown.reveal()
  if (!isMachineKey(text)) return { kind: 'refused', ...invalid }
  // Looked up by digest: how long that takes says nothing about a key that the asker does not have.
  const sha256 = sha256Hex(text)
  const subject = `${text.slice(0, 7)}…`
  return digests.has(sha256) ? { kind: 'known', sha256, subject } : { kind: 'refused', ...invalid, subject }
}

const invalid = {
  code: 'machine_key_invalid',
  message: 'The machine key is not one of this contract.',
} as const

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Draws are limited so that a broken source of randomness stops the process instead of looping for ever. */
const drawsMax = 64

function randomBase62(random: RandomBytes, length: number): string {
  let text = ''
  for (let draw = 0; draw < drawsMax; draw += 1)
    for (const byte of random(length)) {
      // 248 is 4 × 62: what lies above would make some characters likelier than others.
      if (byte < 248) text += base62[byte % 62] ?? ''
      if (text.length === length) return text
    }
  throw new RangeError('The source of randomness gives no usable bytes.')
}

function checksum(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let place = 0; place < 6; place += 1) {
    text = (base62[rest % 62] ?? '') + text
    rest = Math.floor(rest / 62)
  }
  return text
}
