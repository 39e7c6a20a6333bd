/**
 * What V8 may double its young generation to is meant for a page: two times 64 MB on a machine with much memory, three times what everything
 * else of a broker takes. A quarter of it serves as many requests. With an eighth, what waits under a flood outlives it and makes work for the
 * old generation, each of whose collections takes 20 to 50 ms of everybody where there is one core.
 */
const youngMegabytes = 16

/** The old generation is collected when it has grown to 4 times what lived after the last time, and so seldom. */
const oldGrowthPercent = 300

/** Becomes the same process with that heap; returns when it has it, or where that cannot be. Whoever sets a young generation of their own keeps it. */
export function shapeHeap(): void {
  const words = `${process.execArgv.join(' ')} ${process.env['NODE_OPTIONS'] ?? ''}`
  // A channel to a parent would not outlive the change.
  if (process.execve === undefined || process.send !== undefined || words.includes('semi-space')) return
  const command = [
    process.execPath,
    `--max-semi-space-size=${youngMegabytes}`,
    `--heap-growing-percent=${oldGrowthPercent}`,
    ...process.execArgv,
    ...process.argv.slice(1),
  ]
  process.execve(process.execPath, command, process.env)
}
