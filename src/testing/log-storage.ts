import type { LogBatch, LogHead, LogStorage, Tile } from '../audit/index.ts'
import type { Lease } from '../broker/index.ts'

/** A storage in memory whose contents a test can look into and damage. It keeps nothing and survives nothing. */
export type MemoryStorage = LogStorage & {
  readonly contents: {
    head: LogHead | undefined
    entries: Uint8Array[]
    tiles: Tile[]
    checkpoints: LogHead[]
    leases: Map<string, Lease>
  }
}

export function createMemoryStorage(): MemoryStorage {
  const contents: MemoryStorage['contents'] = {
    head: undefined,
    entries: [],
    tiles: [],
    checkpoints: [],
    leases: new Map(),
  }
  return {
    contents,
    head: async () => contents.head,
    standings: async (leases) =>
      leases.map((lease) => {
        const stored = contents.leases.get(lease.id)
        const holder = [...contents.leases.values()].find((one) => sharesKey(one, lease))
        return { ...(stored && { state: stored.state }), ...(holder && { keyHolder: holder.id }) }
      }),
    async commit(batch: LogBatch) {
      if (contents.entries.length !== batch.from) throw new Error('The batch does not follow what is stored.')
      contents.entries.push(...batch.entries)
      for (const lease of batch.leases) contents.leases.set(lease.id, lease)
      contents.tiles.push(...batch.tiles)
      contents.head = batch.head
      if (batch.keepCheckpoint) contents.checkpoints.push(batch.head)
    },
    entries: async (from, count) => contents.entries.slice(from, from + count),
    tile: async (level, index) =>
      contents.tiles.find((tile) => tile.level === level && tile.index === index)?.hashes,
    checkpoints: async (above, count) =>
      contents.checkpoints.filter(({ size }) => size > above).slice(0, count),
  }
}

/** A storage in front of another one that fails on command. */
export type FaultyStorage = LogStorage & {
  /** Lets this many operations through; every later one fails without being done. */
  failAfter(operations: number): void
  /** The next commit is done, and then reported as failed: an answer that was lost. */
  loseNextCommitAnswer(): void
  heal(): void
  /** How many operations failed so far. */
  faults(): number
}

export function createFaultyStorage(inner: LogStorage): FaultyStorage {
  let left = Number.POSITIVE_INFINITY
  let losesAnswer = false
  let faults = 0
  const fail = () => {
    faults += 1
    return new Error('The disk is gone.')
  }
  const guard = <Result>(operation: () => Promise<Result>): Promise<Result> => {
    if (left <= 0) return Promise.reject(fail())
    left -= 1
    return operation()
  }
  return {
    head: () => guard(() => inner.head()),
    standings: (leases) => guard(() => inner.standings(leases)),
    commit: (batch) =>
      guard(async () => {
        await inner.commit(batch)
        if (!losesAnswer) return
        losesAnswer = false
        throw fail()
      }),
    entries: (from, count) => guard(() => inner.entries(from, count)),
    tile: (level, index) => guard(() => inner.tile(level, index)),
    checkpoints: (above, count) => guard(() => inner.checkpoints(above, count)),
    failAfter(operations) {
      left = operations
    },
    loseNextCommitAnswer() {
      losesAnswer = true
    },
    heal() {
      left = Number.POSITIVE_INFINITY
    },
    faults: () => faults,
  }
}

function sharesKey(left: Lease, right: Lease): boolean {
  return (
    left.idempotencyKeyDigest !== undefined &&
    left.idempotencyKeyDigest === right.idempotencyKeyDigest &&
    left.tenant === right.tenant &&
    left.agent === right.agent
  )
}
