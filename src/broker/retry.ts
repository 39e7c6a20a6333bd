import { type Clock, Failure, type RandomBytes, toFailure } from '../primitives/index.ts'
import { brokerLimits } from './limits.ts'

/** Failures that may be over at the next try. The others are answers. */
const passing: ReadonlySet<string> = new Set([
  'provider_unreachable',
  'provider_timeout',
  'provider_throttled',
])

export function isPassing(failure: Failure): boolean {
  return passing.has(failure.code)
}

export type RetryWorld = { readonly clock: Clock; readonly random: RandomBytes }

export type Attempted<T> =
  | { readonly kind: 'done'; readonly value: T; readonly attempts: number }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly attempts: number }

/**
 * Tries once and then at most `mintRetriesMax` times, with exponential backoff and jitter, inside the deadline (milliseconds since 1970).
 * Only passing failures are tried again. Each try has its own timeout.
 */
export async function attempt<T>(
  world: RetryWorld,
  options: { deadline: number; signal: AbortSignal; onFailure: (failure: Failure) => void },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Attempted<T>> {
  for (let attempts = 1; ; attempts += 1) {
    if (options.signal.aborted || world.clock.now() >= options.deadline)
      return { kind: 'failed', failure: tooLate(options.signal), attempts: attempts - 1 }
    try {
      const value = await withTimeout(world.clock, timeLeft(world, options.deadline), options.signal, work)
      return { kind: 'done', value, attempts }
    } catch (thrown) {
      const failure = toFailure(thrown)
      options.onFailure(failure)
      // Whoever asks for more time than there is left is not asked again.
      const pause = Math.max(backoffMs(world.random, attempts), (failure.retryAfterSeconds ?? 0) * 1000)
      const hopeless = attempts > brokerLimits.mintRetriesMax || !isPassing(failure) || options.signal.aborted
      if (hopeless || world.clock.now() + pause >= options.deadline)
        return { kind: 'failed', failure, attempts }
      const rested = await world.clock.sleep(pause, options.signal).then(
        () => true,
        () => false,
      )
      if (!rested) return { kind: 'failed', failure, attempts }
    }
  }
}

/** Nobody waits, or no time was left, before the provider was asked. */
function tooLate(signal: AbortSignal): Failure {
  if (signal.aborted) return toFailure(signal.reason)
  return new Failure('provider_timeout', 'No time was left to ask the provider.')
}

/** Half of the exponential step is fixed, half is chance, so that many callers do not come back together. */
function backoffMs(random: RandomBytes, attempts: number): number {
  const step = Math.min(brokerLimits.retryBaseMs * 2 ** (attempts - 1), brokerLimits.retryCeilingMs)
  return Math.round(step / 2 + (step / 2) * fraction(random))
}

/** A number from 0 to less than 1. */
export function fraction(random: RandomBytes): number {
  const [high = 0, low = 0] = random(2)
  return (high * 256 + low) / 65_536
}

function timeLeft(world: RetryWorld, deadline: number): number {
  return Math.min(brokerLimits.mintAttemptMs, Math.max(1, deadline - world.clock.now()))
}

/** Runs work that must stop after so many milliseconds; throws `provider_timeout` even when the work does not listen. */
export async function withTimeout<T>(
  clock: Clock,
  milliseconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const stop = new AbortController()
  const timer = new AbortController()
  const goAway = () => {
    stop.abort(signal.reason)
    timer.abort(signal.reason)
  }
  signal.addEventListener('abort', goAway, { once: true })
  const alarm = clock.sleep(milliseconds, timer.signal).then(() => {
    const late = new Failure('provider_timeout', 'The provider did not answer in time.')
    stop.abort(late)
    throw late
  })
  try {
    return await Promise.race([work(stop.signal), alarm])
  } finally {
    signal.removeEventListener('abort', goAway)
    timer.abort(over)
    alarm.catch(() => undefined)
  }
}

/** A reason of its own: without one every abort makes an error with a stack, of which nobody reads a word. */
const over = Symbol('over')
