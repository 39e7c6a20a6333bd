import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { Secret, sha256Hex } from '../../../primitives/index.ts'
import { createMachineKey, isMachineKey, machineKeyPattern, verifyMachineKey } from './index.ts'

test('a new key is known by its digest, and by its first seven characters in the log', () => {
  const { key, digest } = createMachineKey(randomBytes)
  assert.equal(digest, `sha256:${sha256Hex(key.reveal())}`)
  const digests = new Set([digest.slice('sha256:'.length)])
  assert.deepEqual(verifyMachineKey(key, digests), {
    kind: 'known',
    sha256: sha256Hex(key.reveal()),
    subject: `${key.reveal().slice(0, 7)}…`,
  })
})

test('a key that is well-formed but not in the contract is refused by name', () => {
  const { key } = createMachineKey(randomBytes)
  const answer = verifyMachineKey(key, new Set())
  assert.ok(answer.kind === 'refused' && answer.code === 'machine_key_invalid')
  assert.equal(answer.subject, `${key.reveal().slice(0, 7)}…`)
})

test('what is no key is never looked up, and nothing of it is kept', () => {
  const digests = { has: () => assert.fail('it was looked up') }
  const { key } = createMachineKey(randomBytes)
  const text = key.reveal()
  for (const wrong of [
    '',
    'sp_',
    text.slice(0, -1),
    `${text}a`,
    ` ${text}`,
    `${text}\n`,
    text.toUpperCase(),
    `sk${text.slice(2)}`,
  ]) {
    const answer = verifyMachineKey(new Secret(wrong), digests)
    assert.ok(
      answer.kind === 'refused' && answer.code === 'machine_key_invalid' && answer.subject === undefined,
    )
  }
})

test('the checksum is the CRC-32 in base62, by another way of computing it', () => {
  // The check value that is published for CRC-32/ISO-HDLC shows that the other way is right.
  const body = `sp_${'0'.repeat(30)}`
  assert.equal(isMachineKey(`${body}${base62OfCrc32(body)}`), true)
  assert.equal(crc32BitByBit('123456789'), 0xcbf43926)
})

test('a key with one character changed fails its checksum, and every key suits the scanner’s pattern', () => {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  let cases = 0
  fc.assert(
    fc.property(fc.integer({ min: 3, max: 38 }), fc.constantFrom(...alphabet), (place, letter) => {
      cases += 1
      const text = createMachineKey(randomBytes).key.reveal()
      const changed = text.slice(0, place) + letter + text.slice(place + 1)
      assert.equal(machineKeyPattern.exec(`key: "${text}",`)?.[0], text)
      assert.equal(isMachineKey(changed), changed === text)
    }),
    { numRuns: 2000 },
  )
  console.log(`${cases} changed keys were recognised`)
})

test('every character is equally likely, and a source that gives nothing usable stops', () => {
  let next = 0
  const { key } = createMachineKey((size) => Uint8Array.from({ length: size }, () => next++ % 256))
  assert.ok(isMachineKey(key.reveal()))
  const draws = new Map<string, number>()
  for (let round = 0; round < 1000; round += 1)
    for (const letter of createMachineKey(randomBytes).key.reveal().slice(3, 33))
      draws.set(letter, (draws.get(letter) ?? 0) + 1)
  assert.equal(draws.size, 62)
  // 30 000 draws, 484 expected of each: seven standard deviations either way.
  for (const count of draws.values()) assert.ok(count > 330 && count < 640)
  assert.throws(() => createMachineKey((size) => new Uint8Array(size).fill(255)), RangeError)
})

test('so many draws may give nothing usable, and the last of them be the first that does', () => {
  const barren = (draws: number) => {
    let drawn = 0
    return (size: number) => {
      drawn += 1
      return new Uint8Array(size).fill(drawn <= draws ? 248 : 247)
    }
  }
  assert.ok(isMachineKey(createMachineKey(barren(63)).key.reveal()))
  assert.throws(() => createMachineKey(barren(64)), RangeError)
})

function base62OfCrc32(text: string): string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const crc = BigInt(crc32BitByBit(text))
  return [5n, 4n, 3n, 2n, 1n, 0n].map((power) => alphabet[Number((crc / 62n ** power) % 62n)]).join('')
}

function crc32BitByBit(text: string): number {
  let crc = 0xffffffff
  for (const byte of Buffer.from(text)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}
