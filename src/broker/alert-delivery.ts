import { type Clock, Failure, type RandomBytes } from '../primitives/index.ts'
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

/** Brings one alert to its target. `refused`: it will never be taken, in the words of the log. MUST reject when it may be taken later. */
export type SendAlert = (
  alert: Alert,
  signal: AbortSignal,
) => Promise<'delivered' | { readonly refused: string }>

/** `failed`: refused, or every try was in vain · `dropped`: the queue was full or the process ended · `repeated`: the same came within a minute. */
export type AlertStats = Readonly<Record<'delivered' | 'failed' | 'dropped' | 'repeated' | 'waiting', number>>

/** An alert that its target will not have. */
export type LostAlert = {
  readonly alert: Alert
  readonly outcome: 'failed' | 'dropped'
  /** For the operator's log. */
  readonly why: string
}

/** `onLost` is told of every alert that was lost, of the same one once a minute, and MUST NOT throw. */
export type DeliveryWorld = {
  readonly clock: Clock
  readonly random: RandomBytes
  readonly onLost?: (lost: LostAlert) => void
}

/** An alerter that works behind its caller's back, and can say how that went. */
export interface DeliveringAlerter extends Alerter {
  stats(): AlertStats
  /** Waits shortly for what is under way; what comes later is dropped. */
  close(): Promise<void>
}

/** One after the other, with retries, exponential backoff and jitter; a slow target holds up nobody but its own queue. */
export function deliverInBackground(send: SendAlert, world: DeliveryWorld): DeliveringAlerter {
  const { clock, onLost = () => undefined } = world
  const queue: Alert[] = []
  const counts = { delivered: 0, failed: 0, dropped: 0, repeated: 0 }
  const recent = createRecent(clock)
  const told = createRecent(clock)
  const stop = new AbortController()
  let closed = false
  let working: Promise<void> | undefined

  const lose = (lost: LostAlert) => {
    counts[lost.outcome] += 1
    if (told.has(lost.alert)) return
    told.add(lost.alert)
    onLost(lost)
  }
  const work = async () => {
    for (let alert = queue[0]; alert; alert = queue[0]) {
      const came = await deliver(alert, { ...world, send, signal: stop.signal })
      if (came === 'delivered') counts.delivered += 1
      else lose({ alert, ...came })
      queue.shift()
    }
    working = undefined
  }
  return {
    raise(alert) {
      if (recent.has(alert)) counts.repeated += 1
      else if (closed) lose({ alert, outcome: 'dropped', why: theEnd })
      else if (queue.length >= alertLimits.queueMax)
        lose({ alert, outcome: 'dropped', why: `${queue.length} alerts wait already` })
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
      stop.abort(new Error(theEnd))
      await working
    },
  }
}

const theEnd = 'the process ends'

type Delivery = DeliveryWorld & { readonly send: SendAlert; readonly signal: AbortSignal }

async function deliver(alert: Alert, delivery: Delivery): Promise<'delivered' | Omit<LostAlert, 'alert'>> {
  const { clock, send, signal } = delivery
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      const work = (stop: AbortSignal) => send(alert, stop)
      const answer = await withTimeout(clock, alertLimits.attemptMs, signal, work)
      return answer === 'delivered' ? answer : { outcome: 'failed', why: answer.refused }
    } catch (thrown) {
      if (attempt === alertLimits.attemptsMax && !signal.aborted)
        return { outcome: 'failed', why: `${attempt} tries: ${wordsOf(thrown)}` }
    }
    // Rejects only when the process ends, which the loop looks at next.
    await clock.sleep(backoffMs(delivery.random, attempt), signal).catch(() => undefined)
  }
  return { outcome: 'dropped', why: theEnd }
}

/** `fetch` says only that it failed; what it failed of is the cause, which may have no message. */
function wordsOf(thrown: unknown): string {
  if (thrown instanceof Failure) return `no answer within ${alertLimits.attemptMs} ms`
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
  if (!(cause instanceof Error)) return 'no error was thrown'
  return 'code' in cause ? `${cause.code} ${cause.message}`.trimEnd() : cause.message
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
