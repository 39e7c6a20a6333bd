/** One of the two sides of a comparison. `run` does the work once and gives what it cost, in any unit that both sides share. */
export type Contender = { readonly name: string; readonly run: () => number | Promise<number> }

/** A comparison: how many times what `against` gives the `subject` gives. */
export type Comparison = {
  readonly row: string
  readonly subject: Contender
  readonly against: Contender
  readonly goal: number
  /** Absent is at most: both sides are costs. Rates want at least. */
  readonly wants?: 'at least'
  /** What both sides give, such as `requests/s`. */
  readonly unit?: string
}

/** A comparison that cannot be made here. */
export type Skipped = { readonly row: string; readonly skipped: string }

/** What is printed, and with `--json` one line each. The ratio is the median over the rounds. */
export type Row = {
  readonly bench: string
  readonly row: string
  readonly ratio: number
  readonly against: string
  readonly goal: number
  readonly ok: boolean
  readonly rounds: number
  readonly min: number
  readonly max: number
}

/** How much is measured: figures to be told, or whether everything works. */
export type Scale = 'full' | 'short'

/** What `bench/main.ts` lists: a name, and the comparisons it makes once its world is set up. */
export type Bench = {
  readonly name: string
  readonly title: string
  readonly rounds: { readonly full: number; readonly short: number }
  /** Sets its world up; what has to be taken down again is put on the stack, also when the rest fails. */
  readonly open: (scale: Scale, world: AsyncDisposableStack) => Promise<readonly (Comparison | Skipped)[]>
}

/**
 * Rounds of subject, against, against, subject: what drifts slowly (heat, neighbours, caches) falls on both sides alike, and each
 * round gives one ratio. One round goes before to warm up.
 */
export async function compare(bench: string, comparison: Comparison, rounds: number): Promise<Row> {
  return (await compareInDetail(bench, comparison, rounds)).row
}

/** The row, and what each side gave, in its own unit: the median over the rounds. `onRound` is told which begins, the one that warms up as 0. */
export async function compareInDetail(
  bench: string,
  comparison: Comparison,
  rounds: number,
  onRound: (round: number) => void = () => undefined,
): Promise<{ readonly row: Row; readonly subject: number; readonly against: number }> {
  const { row, subject, against, goal, wants } = comparison
  const [ratios, own, others]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round <= rounds; round += 1) {
    onRound(round)
    const first = await subject.run()
    const second = await against.run()
    const third = await against.run()
    const fourth = await subject.run()
    if (round === 0) continue
    ratios.push((first + fourth) / (second + third))
    own.push((first + fourth) / 2)
    others.push((second + third) / 2)
  }
  const ratio = median(ratios)
  const [min, max] = [Math.min(...ratios), Math.max(...ratios)]
  const ok = wants === 'at least' ? ratio >= goal : ratio <= goal
  const summary: Row = { bench, row, ratio, against: against.name, goal, ok, rounds, min, max }
  return { row: summary, subject: median(own), against: median(others) }
}

/** A side that is measured once, or a bound that costs are held against. */
export function fixed(name: string, value: number): Contender {
  return { name, run: () => value }
}

/** Microseconds of this process's CPU, all threads, that the work takes. */
export async function cpuMicroseconds(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return Math.max(user + system, 1)
}

/** Milliseconds on the wall that the work takes. */
export async function wallMilliseconds(work: () => unknown): Promise<number> {
  const before = performance.now()
  await work()
  return performance.now() - before
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}
