import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import { ecdsaFromDer, ecdsaToDer } from './ecdsa.ts'

const dsaEncoding = 'ieee-p1363'
const curves = [
  { namedCurve: 'P-256', integerBytes: 32 },
  { namedCurve: 'P-384', integerBytes: 48 },
  { namedCurve: 'P-521', integerBytes: 66 },
] as const

test('signatures of OpenSSL hold in the form of JOSE, and back', () => {
  let cases = 0
  for (const { namedCurve, integerBytes } of curves) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
    for (let round = 0; round < 300; round += 1, cases += 1) {
      const message = randomBytes(20)
      const der = sign('sha256', message, privateKey)
      const jose = ecdsaFromDer(der, integerBytes)
      assert.equal(jose.length, 2 * integerBytes)
      assert.ok(verify('sha256', message, { key: publicKey, dsaEncoding }, jose))
      assert.deepEqual(ecdsaToDer(jose), der)
    }
  }
  console.log(`${cases} signatures`)
})

test('numbers with zeros before them, with a sign bit, and zero itself are in their shortest form', () => {
  const jose = (r: string, s: string) => Buffer.from(r.padStart(64, '0') + s.padStart(64, '0'), 'hex')
  for (const [r, s, der] of [
    ['1', '7f', '300602010102017f'],
    ['80', '0', '300702020080020100'],
    ['ff00', '80', '3009020300ff0002020080'],
  ] as const) {
    assert.equal(ecdsaToDer(jose(r, s)).toString('hex'), der)
    assert.deepEqual(ecdsaFromDer(Buffer.from(der, 'hex'), 32), jose(r, s))
  }
})

test('a signature of zeros verifies nothing', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  assert.equal(verify('sha256', Buffer.from('message'), publicKey, ecdsaToDer(Buffer.alloc(64))), false)
})
