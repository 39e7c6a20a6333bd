import { randomFillSync } from 'node:crypto'
import type { Clock, RandomBytes } from '../primitives/index.ts'
import { createSteadyClock, machineSources } from './steady-clock.ts'

/** The machine's own clock as it stood when the process began; from then on it cannot be set. */
export const systemClock: Clock = {
  now: createSteadyClock(machineSources),
  // Not of `node:timers/promises`: that makes an error with a stack for every timeout that was not needed.
  sleep(milliseconds, signal) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (signal.aborted) {
      reject(signal.reason)
      return promise
    }
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    signal.addEventListener('abort', stop, { once: true })
    return promise
  },
}

/** Bytes that are fetched at once: one call for a few bytes takes as long as one for some thousand. */
const pool = Buffer.alloc(4096)
let used = pool.length

/** Cryptographic randomness. What was given is wiped from the pool, since a password may be made of it. */
export const systemRandom: RandomBytes = (size) => {
  if (size > pool.length) return randomFillSync(new Uint8Array(size))
  if (used + size > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = Uint8Array.from(pool.subarray(used, used + size))
  pool.fill(0, used, used + size)
  used += size
  return bytes
}
