import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSteadyClock, machineSources, suspensionLookMs } from './steady-clock.ts'

function sources() {
  const at = { wall: 1_000_000, monotonic: 50, uptime: 9_000 }
  return {
    at,
    read: { wall: () => at.wall, monotonic: () => at.monotonic, uptime: () => at.uptime },
    pass(milliseconds: number) {
      at.wall += milliseconds
      at.monotonic += milliseconds
      at.uptime += milliseconds
    },
  }
}

test('it goes on with time, whatever is done to the wall clock', () => {
  const { at, read, pass } = sources()
  const now = createSteadyClock(read)
  for (const jump of [60_000, -60_000, 86_400_000, -30 * 86_400_000]) {
    const before = now()
    at.wall += jump
    pass(1_500)
    assert.equal(now() - before, 1_500)
  }
})

test('a suspension of the machine counts, from the next look on', () => {
  const { at, read, pass } = sources()
  const now = createSteadyClock(read)
  at.uptime += 3_600_000
  pass(suspensionLookMs - 1)
  assert.equal(now(), 1_000_000 + suspensionLookMs - 1)
  pass(1)
  assert.equal(now(), 1_000_000 + suspensionLookMs + 3_600_000)
})

test('a process that waits for a processor while it looks takes that for no suspension', () => {
  const { read, pass } = sources()
  // Held up after every single reading.
  const now = createSteadyClock({
    ...read,
    uptime() {
      const uptime = read.uptime()
      pass(400)
      return uptime
    },
  })
  for (let turn = 0; turn < 20; turn += 1) {
    pass(suspensionLookMs)
    const told = now()
    assert.ok(told <= read.wall() && told >= read.wall() - 400, `${told - read.wall()} ms`)
  }
})

test('one that is held up while it begins reads the time anew', () => {
  const { read, pass } = sources()
  let heldUp = 3
  const wall = () => {
    const told = read.wall()
    if (heldUp > 0) pass(700)
    heldUp -= 1
    return told
  }
  assert.equal(createSteadyClock({ ...read, wall })(), read.wall())
})

test('a hundred milliseconds more of uptime are no suspension, and one more is', () => {
  const gained = (milliseconds: number) => {
    const { at, read, pass } = sources()
    const now = createSteadyClock(read)
    at.uptime += milliseconds
    pass(suspensionLookMs)
    return now() - at.wall
  }
  assert.deepEqual([gained(100), gained(101)], [0, 101])
})

test('a reading that took five milliseconds counts; one that took six is done again, twenty times at most', () => {
  /** How often the wall clock is read when the first readings take so long. */
  const readings = (tookMs: number, slow: number) => {
    const { at, read, pass } = sources()
    let count = 0
    const wall = () => {
      count += 1
      if (count <= slow) pass(tookMs)
      return at.wall
    }
    createSteadyClock({ ...read, wall })
    return count
  }
  assert.deepEqual([readings(5, 1), readings(6, 1)], [1, 2])
  assert.deepEqual([readings(6, 18), readings(6, 19), readings(6, 20), readings(6, 99)], [19, 20, 20, 20])
})

test('the coarseness of uptime is no suspension, and time never runs backwards', () => {
  const { at, read, pass } = sources()
  const now = createSteadyClock(read)
  let last = now()
  for (let turn = 0; turn < 2_000; turn += 1) {
    pass(7)
    at.uptime = Math.floor((9_000 + 7 * (turn + 1)) / 10) * 10
    assert.ok(now() >= last)
    last = now()
  }
  assert.equal(last, 1_000_000 + 14_000)
})

test('on this machine it is the wall clock, as long as nobody sets that', () => {
  const now = createSteadyClock(machineSources)
  assert.ok(Math.abs(now() - Date.now()) < 50)
})
