import { SallyportError } from './error.ts'

/** How long a call is waited for: its own time, which a stream begins anew with each piece, and the caller's signal. */
export type Patience = {
  readonly signal: AbortSignal
  readonly late: () => boolean
  readonly again: () => void
  readonly end: () => void
}

/** Throws `option_invalid` for a `waitSeconds` that is no whole number of seconds. */
export function createPatience(
  { signal, waitSeconds }: { readonly signal?: AbortSignal; readonly waitSeconds?: number },
  timeoutMs: number,
): Patience {
  const time = new AbortController()
  const timer = setTimeout(() => time.abort(), Math.max(timeoutMs, waitMs(waitSeconds)))
  return {
    signal: signal ? AbortSignal.any([signal, time.signal]) : time.signal,
    late: () => time.signal.aborted,
    again: () => void timer.refresh(),
    end: () => clearTimeout(timer),
  }
}

/** Milliseconds for one call, as a timer takes them. Throws `option_invalid` for what is no time. */
export function timeoutOf(timeoutMs = timeoutMsDefault): number {
  if (timeoutMs > 0) return Math.min(timeoutMs, timerMsMax)
  throw new SallyportError('option_invalid', 'timeoutMs is no number of milliseconds above 0.')
}

function waitMs(seconds: number | undefined): number {
  if (seconds === undefined) return 0
  if (Number.isSafeInteger(seconds) && seconds >= 0)
    return Math.min(seconds * 1000 + waitMarginMs, timerMsMax)
  throw new SallyportError('option_invalid', 'waitSeconds is no whole number of seconds.')
}

const timeoutMsDefault = 20_000
const waitMarginMs = 5_000
/** 24.8 days; a longer timer of Node ends at once. */
const timerMsMax = 2_147_483_647
