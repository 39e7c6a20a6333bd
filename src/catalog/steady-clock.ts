import { uptime } from 'node:os'

/** Where a steady clock reads from; milliseconds each. */
export type ClockSources = {
  /** Since 1970; read once, because it can be set. */
  readonly wall: () => number
  /** Never set back and never set on, but may stand still while the machine is suspended. */
  readonly monotonic: () => number
  /** Since the machine started, its suspensions counted. */
  readonly uptime: () => number
}

/** How often a suspension is looked for, and with it how long after one leases may live too long. */
export const suspensionLookMs = 1_000

/** Uptime is told in hundredths of a second: less than this is no suspension. */
const suspensionMsMin = 100

/**
 * Milliseconds since 1970 that go on as time does: what anybody does to the machine's clock later neither ends a lease early nor
 * keeps it alive. A clock that was wrong when this began stays wrong until the next start.
 */
export function createSteadyClock(sources: ClockSources): () => number {
  const began = { ...readBoth(sources), uptime: sources.uptime() }
  let suspendedMs = 0
  let lookedAt = began.monotonic
  return () => {
    let monotonic = sources.monotonic()
    if (monotonic - lookedAt >= suspensionLookMs) {
      const uptimeMs = sources.uptime() - began.uptime
      // Read after it: what this process waited for a processor in between is no suspension.
      monotonic = sources.monotonic()
      lookedAt = monotonic
      const suspended = uptimeMs - (monotonic - began.monotonic)
      if (suspended > suspendedMs + suspensionMsMin) suspendedMs = suspended
    }
    return Math.floor(began.wall + monotonic - began.monotonic + suspendedMs)
  }
}

/** What this process waits for a processor between the two readings would stay in every time that it ever tells. */
const readingMsMax = 5
const readingsMax = 20

function readBoth({ wall, monotonic }: ClockSources): { readonly wall: number; readonly monotonic: number } {
  for (let reading = 1; ; reading += 1) {
    const before = monotonic()
    const both = { wall: wall(), monotonic: monotonic() }
    if (both.monotonic - before <= readingMsMax || reading === readingsMax) return both
  }
}

export const machineSources: ClockSources = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  uptime: () => uptime() * 1000,
}
