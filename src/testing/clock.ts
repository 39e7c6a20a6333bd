import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../primitives/index.ts'

/** A clock that stands still until a test moves it. */
export interface TestClock extends Clock {
  /**
   * Moves time forward by that many milliseconds. Sleeps end in the order of their time, each at its own moment; what waits on one
   * may go on, and sleep again, before the next ends.
   */
  advance(milliseconds: number): Promise<void>
  /** How many sleeps wait now. */
  readonly sleeping: number
  /** When the first of them ends; `undefined` when none waits. */
  readonly nextWake: number | undefined
}

type Sleeper = { readonly wakesAt: number; readonly wake: () => void }

export function createTestClock(startMilliseconds = Date.UTC(2030, 0, 1)): TestClock {
  let time = startMilliseconds
  const sleepers = new Set<Sleeper>()

  return {
    now: () => time,
    get sleeping() {
      return sleepers.size
    },
    get nextWake() {
      return earliest(sleepers, Number.POSITIVE_INFINITY)?.wakesAt
    },
    async sleep(milliseconds, signal) {
      signal.throwIfAborted()
      if (milliseconds <= 0) return
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const sleeper: Sleeper = { wakesAt: time + milliseconds, wake: resolve }
      const abandon = () => {
        sleepers.delete(sleeper)
        reject(signal.reason)
      }
      sleepers.add(sleeper)
      signal.addEventListener('abort', abandon, { once: true })
      return promise.finally(() => signal.removeEventListener('abort', abandon))
    },
    async advance(milliseconds) {
      const end = time + milliseconds
      await settle()
      for (let next = earliest(sleepers, end); next; next = earliest(sleepers, end)) {
        time = next.wakesAt
        sleepers.delete(next)
        next.wake()
        await settle()
      }
      time = end
    },
  }
}

function earliest(sleepers: Iterable<Sleeper>, end: number): Sleeper | undefined {
  let first: Sleeper | undefined
  for (const sleeper of sleepers)
    if (sleeper.wakesAt <= end && (!first || sleeper.wakesAt < first.wakesAt)) first = sleeper
  return first
}

// Two turns of the event loop: enough for what a sleep held up to run and to sleep again.
async function settle(): Promise<void> {
  await setImmediate()
  await setImmediate()
}
