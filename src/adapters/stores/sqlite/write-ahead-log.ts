import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs'

/** The write-ahead log of an open database, as the file that makes its commits durable. */
export type WriteAheadLog = {
  /**
   * Resolves when everything that was committed before the call would survive a power cut; rejects when the disk says that it would not.
   * The event loop goes on meanwhile: on one core that is a tenth of the issuances.
   */
  flush(): Promise<void>
  /** Resolves, whatever became of it, when no flush is under way any more. */
  settled(): Promise<void> | undefined
  /** Frees the file, after the flush that is under way. */
  close(): void
}

/**
 * Opens the write-ahead log beside the database of this path, which has to be there: SQLite keeps one and the same file until it closes. Its locks are on the
 * database's own file, so that a second descriptor of this one takes none away. The system flushes the file, whichever descriptor wrote. Throws where it cannot.
 */
export function openWriteAheadLog(databasePath: string): WriteAheadLog {
  const file = openSync(`${databasePath}-wal`, 'r+')
  fdatasyncSync(file)
  let underWay: Promise<void> | undefined
  let closing = false
  const end = () => {
    underWay = undefined
    if (closing) closeSync(file)
  }
  return {
    flush() {
      const flushed = datasync(file)
      underWay = flushed.then(end, end)
      return flushed
    },
    settled: () => underWay,
    close() {
      if (closing) return
      closing = true
      if (!underWay) closeSync(file)
    },
  }
}

/** For a database in memory, or one that is only read. */
export const nothingToFlush: WriteAheadLog = {
  flush: async () => undefined,
  settled: () => undefined,
  close: () => undefined,
}

function datasync(file: number): Promise<void> {
  return new Promise((resolve, reject) => fdatasync(file, (failed) => (failed ? reject(failed) : resolve())))
}
