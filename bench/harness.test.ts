import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare, compareInDetail, cpuMicroseconds, median } from './harness.ts'

const comparison = (subject: () => number, against: () => number) => ({
  row: 'a row',
  subject: { name: 'subject', run: subject },
  against: { name: 'floor', run: against },
  goal: 2,
})

test('rounds interleave both sides, and the first one only warms up', async () => {
  let order = ''
  const row = await compare(
    'bench',
    comparison(
      () => {
        order += 'S'
        return order.length === 1 ? 1000 : 3
      },
      () => {
        order += 'F'
        return 2
      },
    ),
    3,
  )
  assert.equal(order, 'SFFS'.repeat(4))
  assert.deepEqual(row, {
    bench: 'bench',
    row: 'a row',
    ratio: 1.5,
    against: 'floor',
    goal: 2,
    ok: true,
    rounds: 3,
    min: 1.5,
    max: 1.5,
  })
})

test('a drift that falls on both sides alike leaves the ratio as it is', async () => {
  let clock = 100
  const drifting = (factor: number) => () => factor * ++clock
  const { ratio } = await compare('bench', comparison(drifting(3), drifting(1)), 5)
  assert.ok(Math.abs(ratio - 3) < 0.01)
})

test('a goal that is missed is not ok', async () => {
  const row = await compare(
    'bench',
    comparison(
      () => 5,
      () => 2,
    ),
    1,
  )
  assert.equal(row.ok, false)
})

test('a rate must reach its goal', async () => {
  const rate = (value: number) => ({
    ...comparison(
      () => value,
      () => 10,
    ),
    wants: 'at least' as const,
  })
  assert.equal((await compare('bench', rate(19), 1)).ok, false)
  assert.equal((await compare('bench', rate(20), 1)).ok, true)
})

test('the details are what each side gave, without the round that warms up', async () => {
  let calls = 0
  const detail = await compareInDetail(
    'bench',
    comparison(
      () => (calls++ < 2 ? 1000 : 6),
      () => 3,
    ),
    2,
  )
  assert.deepEqual([detail.subject, detail.against], [6, 3])
})

test('the median of even and odd numbers of values', () => {
  assert.equal(median([9, 1, 5]), 5)
  assert.equal(median([9, 1, 5, 7]), 6)
})

test('work costs CPU', async () => {
  const idle = await cpuMicroseconds(() => undefined)
  const busy = await cpuMicroseconds(() => {
    let sum = 0
    for (let step = 0; step < 2e7; step += 1) sum += step % 7
    return sum
  })
  assert.ok(busy > idle)
})
