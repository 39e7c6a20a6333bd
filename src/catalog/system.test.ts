import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock, systemRandom } from './index.ts'

test('random bytes are as many as were asked for, and never the same twice', () => {
  const seen = new Set<string>()
  for (let size = 8; size <= 5000; size += 13) {
    const bytes = systemRandom(size)
    assert.equal(bytes.length, size)
    assert.ok(bytes.some((byte) => byte !== 0))
    seen.add(Buffer.from(bytes).toString('hex', 0, 8))
  }
  assert.equal(seen.size, Math.floor((5000 - 8) / 13) + 1)
  assert.equal(systemRandom(0).length, 0)
})

test('random bytes are the caller’s own', () => {
  const first = systemRandom(32)
  const copy = Uint8Array.from(first)
  systemRandom(4096)
  assert.deepEqual(first, copy)
})

test('sleeping ends with its time, or with the reason of its signal, before or while it sleeps', async () => {
  await systemClock.sleep(1, new AbortController().signal)
  const reason = new Error('enough')
  await assert.rejects(systemClock.sleep(60_000, AbortSignal.abort(reason)), reason)
  const stop = new AbortController()
  const sleep = systemClock.sleep(60_000, stop.signal)
  stop.abort(reason)
  await assert.rejects(sleep, reason)
})
