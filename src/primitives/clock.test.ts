import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { timestamp } from './index.ts'

// First in its file: it counts from a memory that is empty.
test('so many seconds are remembered as they were written; with one more all are written anew', (context) => {
  const { mock } = context.mock.method(Date.prototype, 'toISOString')
  const written = (from: number, to: number) => {
    const before = mock.callCount()
    for (let second = from; second < to; second += 1) timestamp(second * 1000)
    return mock.callCount() - before
  }
  assert.deepEqual([written(0, 64), written(0, 64)], [64, 0])
  assert.deepEqual([written(64, 65), written(0, 64), written(64, 65)], [1, 64, 1])
})

test('a timestamp is what a date says of itself, whatever was asked before', () => {
  let cases = 0
  const far = 8.64e15
  const near = fc.integer({ min: 1_790_000_000_000, max: 1_790_000_100_000 })
  const any = fc.oneof(
    near,
    fc.integer({ min: -far, max: far }),
    fc.double({ min: -1e12, max: 1e12, noNaN: true }),
  )
  fc.assert(
    fc.property(any, (milliseconds) => {
      cases += 1
      assert.equal(timestamp(milliseconds), new Date(milliseconds).toISOString())
    }),
    { numRuns: 5_000 },
  )
  console.log(`${cases} timestamps`)
  for (const none of [Number.NaN, far + 1_000, Number.POSITIVE_INFINITY])
    assert.throws(() => timestamp(none), RangeError)
})
