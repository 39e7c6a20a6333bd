import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createTestClock } from '../../../testing/clock.ts'
import type { JsonObject } from './json.ts'
import { createKeySet, keySetLimits } from './key-set.ts'

const signal = new AbortController().signal

function publicKey(keyId: string | undefined, options: JsonObject = {}): JsonObject {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...publicKey.export({ format: 'jwk' }), ...(keyId !== undefined && { kid: keyId }), ...options }
}

/** A key set over a source that a test can change, break, and hold up. */
function stage(...keys: readonly JsonObject[]) {
  const clock = createTestClock()
  const world = { keys, broken: false, fetches: 0, held: Promise.resolve() }
  const source = async () => {
    world.fetches += 1
    await world.held
    if (world.broken) throw new Error('the issuer is down')
    return world.keys
  }
  const set = createKeySet({ source, clock, limits: keySetLimits })
  const find = async (keyId?: string) => (await set.find({ keyId, algorithm: 'ES256' }, signal)).kind
  const wait = (seconds: number) => clock.advance(seconds * 1000)
  return { world, set, find, wait, clock }
}

test('keys are fetched once, and again only when they are old', async () => {
  const { world, find, wait } = stage(publicKey('a'))
  for (let time = 0; time < 5; time += 1) assert.equal(await find('a'), 'found')
  await wait(keySetLimits.refreshAfterSeconds - 1)
  await find('a')
  assert.equal(world.fetches, 1)
  await wait(1)
  assert.equal(await find('a'), 'found')
  assert.equal(world.fetches, 2)
})

test('requests at the same time share one fetch', async () => {
  const { world, find } = stage(publicKey('a'))
  const gate = Promise.withResolvers<void>()
  world.held = gate.promise
  const many = Promise.all(Array.from({ length: 50 }, (_, index) => find(index % 2 ? 'a' : `x${index}`)))
  gate.resolve()
  const kinds = await many
  assert.equal(kinds.filter((kind) => kind === 'found').length, 25)
  assert.equal(kinds.filter((kind) => kind === 'unknown').length, 25)
  assert.equal(world.fetches, 1)
})

test('a new key is found by its first token, once the cooldown is over', async () => {
  const { world, find, wait } = stage(publicKey('a'))
  await find('a')
  world.keys = [publicKey('b'), ...world.keys]
  await wait(keySetLimits.unknownKeyCooldownSeconds - 1)
  assert.equal(await find('b'), 'unknown')
  await wait(1)
  assert.equal(await find('b'), 'found')
  assert.equal(await find('a'), 'found')
  assert.equal(world.fetches, 2)
})

test('invented key ids cannot make the broker hammer the issuer', async () => {
  const { world, find, wait } = stage(publicKey('a'))
  for (let second = 0; second < 60; second += 1) {
    for (let time = 0; time < 20; time += 1) assert.equal(await find(`invented-${second}-${time}`), 'unknown')
    await wait(1)
  }
  assert.equal(world.fetches, 6)
})

test('a key that is withdrawn stops verifying with the next set', async () => {
  const { world, find, wait } = stage(publicKey('a'))
  await find('a')
  world.keys = [publicKey('b')]
  await wait(keySetLimits.refreshAfterSeconds)
  await find('a')
  await wait(0)
  assert.equal(await find('a'), 'unknown')
})

test('while the issuer is down, known keys verify until they are too old, and unknown ones never', async () => {
  const { world, find, wait } = stage(publicKey('a'))
  await find('a')
  world.broken = true
  await wait(keySetLimits.maxAgeSeconds - 1)
  assert.equal(await find('a'), 'found')
  assert.equal(await find('b'), 'unavailable')
  await wait(1)
  assert.equal(await find('a'), 'unavailable')
  world.broken = false
  await wait(keySetLimits.failureCooldownSeconds)
  assert.equal(await find('a'), 'found')
})

test('an issuer that is down from the start lets nobody in, and is not hammered', async () => {
  const { world, find, wait } = stage(publicKey('a'))
  world.broken = true
  for (let time = 0; time < 20; time += 1) assert.equal(await find('a'), 'unavailable')
  assert.equal(world.fetches, 1)
  await wait(keySetLimits.failureCooldownSeconds)
  assert.equal(await find('a'), 'unavailable')
  assert.equal(world.fetches, 2)
})

test('a clock that goes backwards makes keys old, not young', async () => {
  const { world, set, clock } = stage(publicKey('a'))
  await set.find({ keyId: 'a', algorithm: 'ES256' }, signal)
  world.broken = true
  const earlier = clock.now() - 1
  clock.now = () => earlier
  assert.equal((await set.find({ keyId: 'a', algorithm: 'ES256' }, signal)).kind, 'unavailable')
})

test('a caller who stops waiting is not let in, and does not end the fetch of the others', async () => {
  const { world, set, find } = stage(publicKey('a'))
  const gate = Promise.withResolvers<void>()
  world.held = gate.promise
  const impatient = new AbortController()
  const given = set.find({ keyId: 'a', algorithm: 'ES256' }, impatient.signal)
  const patient = find('a')
  impatient.abort()
  assert.equal((await given).kind, 'unavailable')
  gate.resolve()
  assert.equal(await patient, 'found')
  assert.equal(world.fetches, 1)
})

test('a token without a key id is accepted only when there is no choice of keys', async () => {
  const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })
  assert.equal(await stage(publicKey('a'), { kty: 'RSA', kid: 'r' }, { ...otherCurve }).find(), 'found')
  assert.equal(await stage(publicKey('a'), publicKey('b')).find(), 'unknown')
  assert.equal(await stage(publicKey('a'), publicKey('a')).find('a'), 'unknown')
})

test('a key for another use, algorithm or curve is not taken, and a broken one neither', async () => {
  for (const options of [
    { use: 'enc' },
    { alg: 'ES384' },
    { key_ops: ['sign'] },
    { key_ops: 'verify' },
    { crv: 'P-384' },
    { kty: 'oct', k: 'c2VjcmV0' },
    { x: 'AAAA' },
    { y: 7 },
    { kid: 7 },
  ])
    assert.equal(await stage(publicKey('a', options)).find('a'), 'unknown', JSON.stringify(options))
  assert.equal(
    await stage(publicKey('a', { use: 'sig', key_ops: ['verify'], alg: 'ES256' })).find('a'),
    'found',
  )
})

test('an RSA key below 2048 bits is no key', async () => {
  for (const [modulusLength, kind] of [
    [1024, 'unknown'],
    [2048, 'found'],
  ] as const) {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength })
    const { set } = stage({ ...publicKey.export({ format: 'jwk' }), kid: 'a' })
    assert.equal((await set.find({ keyId: 'a', algorithm: 'RS256' }, signal)).kind, kind)
  }
})
