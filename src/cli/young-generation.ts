/**
 * What V8 may double its young generation to is meant for a page: two times 64 MB on a machine with much memory, three times what everything
 * else of a broker takes. An eighth of it serves as many requests.
 */
const megabytes = 8

/** Becomes the same process with that bound; returns when it has one, or where that cannot be. Whoever sets one of their own keeps it. */
export function boundYoungGeneration(): void {
  const words = `${process.execArgv.join(' ')} ${process.env['NODE_OPTIONS'] ?? ''}`
  // A channel to a parent would not outlive the change.
  if (process.execve === undefined || process.send !== undefined || words.includes('semi-space')) return
  const command = [
    process.execPath,
    `--max-semi-space-size=${megabytes}`,
    ...process.execArgv,
    ...process.argv.slice(1),
  ]
  process.execve(process.execPath, command, process.env)
}
