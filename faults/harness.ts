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
