import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearestName } from './nearest.ts'

const names = ['discriminators', 'modes', 'tenants', 'grants', 'PROD']

for (const [written, meant] of [
  ['mode', 'modes'],
  ['tenatns', 'tenants'],
  ['discriminator', 'discriminators'],
  ['prod', 'PROD'],
  ['Grant', 'grants'],
] as const)
  test(`${written} was probably meant to be ${meant}`, () => assert.equal(nearestName(written, names), meant))

test('what resembles nothing gets no suggestion', () => {
  assert.equal(nearestName('providers', names), undefined)
  assert.equal(nearestName('', names), undefined)
  assert.equal(nearestName('x'.repeat(100_000), ['x'.repeat(100_001)]), undefined)
})
