/** Runs the work over all items, so many at once; the first failure is thrown when all have been tried. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]()
  const failures: unknown[] = []
  const runner = async () => {
    for (const item of queue) await work(item).catch((thrown: unknown) => failures.push(thrown))
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, runner))
  if (failures.length > 0) throw failures[0]
}
