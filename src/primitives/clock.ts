/** Time as the broker sees it; pure rooms take one as an argument. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
  /** Resolves after that many milliseconds; MUST reject with the signal's reason when it aborts first. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>
}

/** RFC 3339 in UTC with milliseconds. */
export function timestamp(milliseconds: number): string {
  const whole = Math.trunc(milliseconds)
  const second = Math.floor(whole / 1000)
  const known = seconds.get(second) ?? rememberSecond(second)
  return `${known}${String(whole - second * 1000).padStart(3, '0')}Z`
}

// The same few seconds stand in entry after entry, and writing a date out takes longer than all else about an entry's text.
const seconds = new Map<number, string>()
const secondsMax = 64

function rememberSecond(second: number): string {
  if (seconds.size >= secondsMax) seconds.clear()
  const text = new Date(second * 1000).toISOString().slice(0, -'000Z'.length)
  seconds.set(second, text)
  return text
}
