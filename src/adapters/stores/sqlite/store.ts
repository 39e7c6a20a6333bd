import type { LogStorage } from '../../../audit/index.ts'
import type { LeaseStore } from '../../../broker/index.ts'
import { copyDatabase } from './backup.ts'
import { createLeaseStore } from './leases.ts'
import { createLogStorage } from './log-storage.ts'
import { openDatabase, type SqliteStoreOptions } from './open.ts'

export type { SqliteStoreOptions } from './open.ts'

/** The embedded store: the log's storage and the leases, in one file of one process. */
export type SqliteStore = {
  readonly storage: LogStorage
  readonly leases: LeaseStore
  /** Writes a copy of the store as it is at one moment to that path, while it goes on being used. */
  copyTo(path: string): Promise<void>
  /** Frees the file; again is nothing. What was committed is durable without it. */
  close(): void
}

/**
 * Opens or makes the store. Throws `store_locked` while another process has it, and `store_invalid` for a file that is not such a
 * store, is of a newer version, or cannot be made durable (that it has a write-ahead log is read back).
 */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { database, writeAheadLog } = openDatabase(options)
  return {
    storage: createLogStorage(database, writeAheadLog),
    leases: createLeaseStore(database, writeAheadLog),
    copyTo: (path) => copyDatabase(database, path),
    close() {
      writeAheadLog.close()
      if (database.isOpen) database.close()
    },
  }
}
