const crockford = '0123456789abcdefghjkmnpqrstvwxyz'

/** Ten random bytes from a cryptographic source. */
export type RandomBytes = (size: number) => Uint8Array

/**
 * A time-ordered id: the prefix, then 26 characters of lower-case Crockford base32 (48 bits of milliseconds, 80 random
 * bits; the layout of a ULID). Only `[a-z0-9_]`, so that it can be planted in role names and session names as it is.
 */
export function newId(options: { prefix: string; now: number; random: RandomBytes }): string {
  let time = options.now
  let head = ''
  for (let place = 0; place < 10; place += 1) {
    head = (crockford[time % 32] ?? '0') + head
    time = Math.floor(time / 32)
  }
  let tail = ''
  for (const byte of options.random(16)) tail += crockford[byte & 31] ?? '0'
  return `${options.prefix}_${head}${tail}`
}

/** Whether the text is an id with that prefix, as `newId` makes them. */
export function isId(text: string, prefix: string): boolean {
  return text.startsWith(`${prefix}_`) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(prefix.length + 1))
}
