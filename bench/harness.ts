/** One of the two sides of a comparison. `run` does the work once and gives what it cost, in any unit that both sides share. */
export type Contender = { readonly name: string; readonly run: () => number | Promise<number> }

/** A comparison: how many times the cost of `against` the `subject` has. `goal` is the most that is wanted. */
export type Comparison = {
  readonly row: string
  readonly subject: Contender
  readonly against: Contender
  readonly goal: number
}

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

/** What `bench/main.ts` lists: a name, and the comparisons it makes once its world is set up. */
export type Bench = {
  readonly name: string
  readonly title: string
  readonly rounds: { readonly full: number; readonly short: number }
  /** `close` takes the world down again. */
  readonly open: () => Promise<{ comparisons: readonly Comparison[]; close: () => Promise<void> }>
}

/**
 * Rounds of subject, against, against, subject: what drifts slowly (heat, neighbours, caches) falls on both sides alike, and each
 * round gives one ratio. One round goes before to warm up.
 */
export async function compare(bench: string, comparison: Comparison, rounds: number): Promise<Row> {
  const { row, subject, against, goal } = comparison
  const ratios: number[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const first = await subject.run()
    const second = await against.run()
    const third = await against.run()
    const fourth = await subject.run()
    if (round > 0) ratios.push((first + fourth) / (second + third))
  }
  const ratio = median(ratios)
  const [min, max] = [Math.min(...ratios), Math.max(...ratios)]
  return { bench, row, ratio, against: against.name, goal, ok: ratio <= goal, rounds, min, max }
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
