import type { MigrationDatabase } from './database.ts'

export type Hold = {
  readonly fence: number
  /** Whether nobody else can have been let in by now. Once it is over it stays over. */
  holds(): boolean
  /** Asks for more time. `lost` when it is over, `held` while it lasts, whether or not the database answered this time. */
  renew(signal: AbortSignal): Promise<'held' | 'lost'>
}

/** What a holder knows of its lease by its own clocks: it is over no later here than in the database. */
export function createHold(options: {
  readonly database: Pick<MigrationDatabase, 'renew'>
  readonly fence: number
  readonly leaseSeconds: number
  /** In milliseconds, of before the claim was sent. */
  readonly claimedAt: number
  /** Milliseconds that never run backwards. */
  readonly now: () => number
}): Hold {
  const { database, fence, leaseSeconds, now } = options
  let until = options.claimedAt + leaseSeconds * 1000
  let lost = false
  const holds = () => {
    lost ||= now() >= until
    return !lost
  }
  return {
    fence,
    holds,
    async renew(signal) {
      if (!holds()) return 'lost'
      const asked = now()
      try {
        if ((await database.renew(fence, leaseSeconds, signal)) === 'lost') lost = true
        else if (holds()) until = asked + leaseSeconds * 1000
      } catch {
        // Out of reach for now: the lease runs on, and ends by itself.
      }
      return holds() ? 'held' : 'lost'
    },
  }
}
