/** What one kind of fault came to. `lost` is told in words, and must be empty. */
export type Row = {
  readonly fault: string
  readonly what: string
  readonly injected: number
  readonly lost: readonly string[]
  /** What else was counted, for the table. */
  readonly told: string
}

/** A fault that cannot be put in on this machine. */
export type Skipped = { readonly fault: string; readonly skipped: string }

/** What `faults/main.ts` lists: a name, and what it does to a broker. */
export type Fault = {
  readonly name: string
  readonly title: string
  run(options: FaultOptions): Promise<readonly (Row | Skipped)[]>
}

export type FaultOptions = {
  /** As often as the figures in `docs/faults.md` say, not as CI does. */
  readonly length: 'short' | 'long'
  /** Tells a person how far it is. */
  readonly progress: (words: string) => void
}

/** A fault that was never put in has shown nothing, and one that cannot be put in here has not passed. */
export function verdictOf(row: Row | Skipped): 'passed' | 'failed' | 'skipped' {
  if ('skipped' in row) return 'skipped'
  return row.lost.length === 0 && row.injected > 0 ? 'passed' : 'failed'
}

/** What to say as lost where nothing was there to be lost: a load that did not begin must not look like one that survived. */
export function unlessAny(count: number, what: string): readonly string[] {
  return count > 0 ? [] : [`no ${what}, so that nothing is shown`]
}
