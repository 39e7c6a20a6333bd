import { openSqliteStore, type SqliteStore, storeFailure } from '../adapters/stores/sqlite/index.ts'
import { type AuditLog, createLog, type LogStorage, parseEntry } from '../audit/index.ts'
import { Failure, timestamp } from '../primitives/index.ts'
import { createKeptCheckpoint, type KeptCheckpoint } from '../witness/index.ts'
import type { DataFolder } from './data-folder.ts'
import { type HighWater, keepHighWater } from './high-water.ts'
import { systemClock } from './system.ts'

/** The store, the log in it, and what is kept beside it to notice that it was exchanged. */
export type Records = {
  readonly store: SqliteStore
  readonly log: AuditLog
  readonly highWater: HighWater
  /** The newest checkpoint that witnesses cosigned. */
  readonly cosigned: KeptCheckpoint
}

/**
 * Throws `clock_behind` when the machine's clock is before the last entry, `store_invalid` when the log is damaged, or is not the one that
 * was there before, and what `openSqliteStore` throws; then the store is free again.
 */
export async function openRecords(
  folder: DataFolder,
  between: (storage: LogStorage) => LogStorage = (storage) => storage,
): Promise<Records> {
  const store = openSqliteStore({ path: folder.storeFile })
  try {
    const cosigned = createKeptCheckpoint(folder.cosignedFile)
    const log = await createLog({
      storage: between(store.storage),
      signer: folder.signer,
      cosigned: () => cosigned.current(),
    })
    await cosigned.open(log)
    await refuseEarlierClock(log)
    const highWater = await keepHighWater(log, { file: folder.highWaterFile, now: systemClock.now })
    return { store, log, highWater, cosigned }
  } catch (thrown) {
    store.close()
    throw storeFailure(thrown, folder.storeFile)
  }
}

/** How far before the last entry the clock may stand at the start. */
export const clockBehindMsMax = 60_000

/** A clock that was set back while nobody ran would let every lease live longer by as much. */
export async function refuseEarlierClock(log: AuditLog, now = systemClock.now()): Promise<void> {
  const bytes = log.size() === 0 ? undefined : await log.entry(log.size() - 1)
  const last = bytes && parseEntry(bytes)
  if (!last || now >= Date.parse(last.timestamp) - clockBehindMsMax) return
  throw new Failure(
    'clock_behind',
    `The machine's clock reads ${timestamp(now)}, before the last entry of the log, ${last.timestamp}.`,
    { next: 'set the clock of the machine, then start again' },
  )
}
