import assert from 'node:assert/strict'
import { constants, generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { signatureHolds } from './signature.ts'

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const signed = 'eyJhbGciOiJFUzI1NiJ9.e30'
const dsaEncoding = 'ieee-p1363'
const token = (signature: Buffer) => `${signed}.${signature.toString('base64url')}`

test('a signature has one spelling', () => {
  const right = token(sign('sha256', Buffer.from(signed), { key: ec.privateKey, dsaEncoding }))
  assert.ok(signatureHolds(right, ec.publicKey, 'ES256'))
  const lastCharacter = right.slice(-1)
  // 64 bytes leave four bits of the last character unused.
  const sameBytes = 'AQgw'.includes(lastCharacter) ? String.fromCharCode(lastCharacter.charCodeAt(0) + 1) : ''
  assert.notEqual(sameBytes, '')
  for (const other of [right.slice(0, -1) + sameBytes, `${right}=`, `${right}\n`, `${right.slice(0, -1)}+`])
    assert.ok(!signatureHolds(other, ec.publicKey, 'ES256'), other)
})

test('ECDSA in DER, with bytes too few or too many, or empty, is no signature of JOSE', () => {
  const der = sign('sha256', Buffer.from(signed), ec.privateKey)
  const jose = sign('sha256', Buffer.from(signed), { key: ec.privateKey, dsaEncoding })
  const wrong = [
    der,
    jose.subarray(1),
    Buffer.concat([Buffer.alloc(1), jose, Buffer.alloc(1)]),
    Buffer.alloc(0),
  ]
  for (const signature of wrong) assert.ok(!signatureHolds(token(signature), ec.publicKey, 'ES256'))
})

test('RSA-PSS with a salt that is not as long as the hash does not hold', () => {
  const padding = constants.RSA_PKCS1_PSS_PADDING
  for (const [saltLength, holds] of [
    [32, true],
    [20, false],
  ] as const) {
    const signature = sign('sha256', Buffer.from(signed), { key: rsa.privateKey, padding, saltLength })
    assert.equal(signatureHolds(token(signature), rsa.publicKey, 'PS256'), holds)
  }
})

test('an algorithm without a name here never holds', () => {
  const signature = sign('sha256', Buffer.from(signed), rsa.privateKey)
  assert.ok(signatureHolds(token(signature), rsa.publicKey, 'RS256'))
  for (const algorithm of ['none', '', 'HS256', 'EdDSA256', 'ES999'])
    assert.ok(!signatureHolds(token(signature), rsa.publicKey, algorithm))
})
