const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds in a text such as `90s`, `15m`, `8h`, `1d` or a bare whole number of seconds; `undefined` when it is none. */
export function parseDurationSeconds(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,8})([smhd]?)$/.exec(text)
  if (!match) return undefined
  return Number(match[1]) * (unitSeconds[match[2] || 's'] ?? 1)
}

/** The shortest exact text of a number of seconds: `900` gives `15m`. */
export function formatDuration(seconds: number): string {
  for (const unit of ['d', 'h', 'm'] as const) {
    const size = unitSeconds[unit] ?? 1
    if (seconds >= size && seconds % size === 0) return `${seconds / size}${unit}`
  }
  return `${seconds}s`
}
