import type { Clock, RandomBytes } from '../primitives/index.ts'
import type { Alert, Alerter } from './ports/index.ts'
import { fraction, withTimeout } from './retry.ts'

/** Every bound of bringing alerts to one target. Times are milliseconds. */
export const alertLimits = {
  /** Alerts that wait; a further one is dropped and counted. */
  queueMax: 100,
  attemptsMax: 10,
  attemptMs: 5_000,
  retryBaseMs: 1_000,
  retryCeilingMs: 60_000,
  /** The same alert is not sent again within this time. */
  repeatMs: 60_000,
  recentMax: 1_000,
  /** How long `close` waits for what is still under way. */
  closeMs: 2_000,
} as const

/** Brings one alert to its target. `refused`: it will never be taken. MUST reject when it may be taken later. */
export type SendAlert = (alert: Alert, signal: AbortSignal) => Promise<'delivered' | 'refused'>

/** `failed`: refused, or every try was in vain · `dropped`: the queue was full or the process ended · `repeated`: the same came within a minute. */
export type AlertStats = Readonly<Record<'delivered' | 'failed' | 'dropped' | 'repeated' | 'waiting', number>>

/** An alerter that works behind its caller's back, and can say how that went. */
export interface DeliveringAlerter extends Alerter {
  stats(): AlertStats
  /** Waits shortly for what is under way; what comes later is dropped. */
  close(): Promise<void>
}

/** One after the other, with retries, exponential backoff and jitter; a slow target holds up nobody but its own queue. */
export function deliverInBackground(
  send: SendAlert,
  world: { clock: Clock; random: RandomBytes },
): DeliveringAlerter {
  const { clock } = world
  const queue: Alert[] = []
  const counts = { delivered: 0, failed: 0, dropped: 0, repeated: 0 }
  const recent = createRecent(clock)
  const stop = new AbortController()
  let closed = false
  let working: Promise<void> | undefined

  const work = async () => {
    for (let alert = queue[0]; alert; alert = queue[0]) {
      counts[await deliver(alert, { ...world, send, signal: stop.signal })] += 1
      queue.shift()
    }
    working = undefined
  }
  return {
    raise(alert) {
      if (recent.has(alert)) counts.repeated += 1
      else if (closed || queue.length >= alertLimits.queueMax) counts.dropped += 1
      else {
        recent.add(alert)
        queue.push(alert)
        working ??= Promise.resolve().then(work)
      }
    },
    stats: () => ({ ...counts, waiting: queue.length }),
    async close() {
      closed = true
      if (!working) return
      const patience = new AbortController()
      const late = clock.sleep(alertLimits.closeMs, patience.signal).catch(() => undefined)
      await Promise.race([working, late])
      patience.abort()
      stop.abort(new Error('The process ends.'))
      await working
    },
  }
}

type Delivery = {
  readonly clock: Clock
  readonly random: RandomBytes
  readonly send: SendAlert
  readonly signal: AbortSignal
}

async function deliver(alert: Alert, delivery: Delivery): Promise<'delivered' | 'failed' | 'dropped'> {
  const { clock, send, signal } = delivery
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      const work = (stop: AbortSignal) => send(alert, stop)
      const answer = await withTimeout(clock, alertLimits.attemptMs, signal, work)
      return answer === 'delivered' ? 'delivered' : 'failed'
    } catch {
      if (attempt === alertLimits.attemptsMax && !signal.aborted) return 'failed'
    }
    // Rejects only when the process ends, which the loop looks at next.
    await clock.sleep(backoffMs(delivery.random, attempt), signal).catch(() => undefined)
  }
  return 'dropped'
}

function backoffMs(random: RandomBytes, attempt: number): number {
  const step = Math.min(alertLimits.retryBaseMs * 2 ** (attempt - 1), alertLimits.retryCeilingMs)
  return step / 2 + (step / 2) * fraction(random)
}

/** What was raised within the last minute, by what finds an alert again: name, severity and labels. */
function createRecent(clock: Clock) {
  const raisedAt = new Map<string, number>()
  return {
    has(alert: Alert): boolean {
      const at = raisedAt.get(keyOf(alert))
      return at !== undefined && Math.abs(clock.now() - at) < alertLimits.repeatMs
    },
    add(alert: Alert): void {
      const key = keyOf(alert)
      // Deleted first, so that the oldest is always the first of the map.
      raisedAt.delete(key)
      const [oldest] = raisedAt.keys()
      if (raisedAt.size >= alertLimits.recentMax && oldest !== undefined) raisedAt.delete(oldest)
      raisedAt.set(key, clock.now())
    },
  }
}

function keyOf({ name, severity, labels }: Alert): string {
  return JSON.stringify([name, severity, Object.entries(labels).sort()])
}
