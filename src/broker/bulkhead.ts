import { Failure } from '../primitives/index.ts'

export type BulkheadLimits = {
  /** Mints at once. */
  readonly mints: number
  /** Mints that wait for a place, and those of one tenant. One more is refused. */
  readonly waiting: number
  readonly waitingEach: number
}

/**
 * So many mints at once at one provider, however many ask; the others wait, and tenants take turns. A provider that hangs holds up its own
 * callers and nobody else's, and one that comes back is not trampled.
 */
export interface Bulkhead {
  /** Whether who enters now need not wait. */
  hasPlace(): boolean
  /** Those inside and those that wait. */
  size(): number
  /** Resolves, when there is a place, to what gives it back. Throws `overloaded` where too many wait, and the signal's reason when it aborts. */
  enter(tenant: string, signal: AbortSignal): Promise<() => void>
}

export function createBulkhead(limits: BulkheadLimits): Bulkhead {
  let [inside, waitingCount] = [0, 0]
  // The tenant whose turn it is stands first.
  const waiting = new Map<string, Set<() => void>>()

  const letIn = () => {
    const [[tenant, queue] = ['', new Set<() => void>()]] = waiting
    const [begin] = queue
    if (!begin || inside >= limits.mints) return
    // Set anew, it stands last.
    waiting.delete(tenant)
    waiting.set(tenant, queue)
    begin()
  }
  const place = () => {
    inside += 1
    let held = true
    return () => {
      if (held) inside -= 1
      held = false
      letIn()
    }
  }
  const wait = async (tenant: string, signal: AbortSignal) => {
    const { promise, resolve, reject } = Promise.withResolvers<() => void>()
    const queue = waiting.get(tenant) ?? new Set()
    const leaveQueue = () => {
      queue.delete(begin)
      waitingCount -= 1
      if (queue.size === 0) waiting.delete(tenant)
      signal.removeEventListener('abort', goAway)
    }
    const begin = () => {
      leaveQueue()
      resolve(place())
    }
    const goAway = () => {
      leaveQueue()
      reject(signal.reason)
    }
    signal.addEventListener('abort', goAway, { once: true })
    waiting.set(tenant, queue.add(begin))
    waitingCount += 1
    return promise
  }

  const hasPlace = () => inside < limits.mints
  return {
    hasPlace,
    size: () => inside + waitingCount,
    async enter(tenant, signal) {
      signal.throwIfAborted()
      if (hasPlace()) return place()
      const own = waiting.get(tenant)?.size ?? 0
      if (waitingCount >= limits.waiting || own >= limits.waitingEach) throw overloaded()
      return wait(tenant, signal)
    },
  }
}

/** Nobody was asked. */
export function overloaded(): Failure {
  return new Failure(
    'overloaded',
    'More credentials are asked of the provider than it is asked for at once.',
    {
      next: 'try again after the seconds of Retry-After',
    },
  )
}
