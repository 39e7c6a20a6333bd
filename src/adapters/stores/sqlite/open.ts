import { accessSync, closeSync, constants, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Failure, hasCode } from '../../../primitives/index.ts'
import { applicationId, schemaSteps } from './schema.ts'
import { storeFailure } from './store-failure.ts'
import { nothingToFlush, openWriteAheadLog, type WriteAheadLog } from './write-ahead-log.ts'

export type SqliteStoreOptions = {
  /** The database's file; `:memory:` for a store that dies with the process. */
  readonly path: string
  /** The file never grows beyond this; then the log is unwritable. Absent: as far as the disk goes. */
  readonly databaseBytesMax?: number
}

export type OpenDatabase = { readonly database: DatabaseSync; readonly writeAheadLog: WriteAheadLog }

/** A database that is locked for this process, durable once its write-ahead log is flushed, and of the newest schema. */
export function openDatabase(options: SqliteStoreOptions): OpenDatabase {
  const inMemory = options.path === ':memory:'
  let database: DatabaseSync | undefined
  try {
    if (!inMemory) makePrivateFile(options.path)
    database = new DatabaseSync(options.path, { timeout: 0 })
    configure(database, options)
    assertDurable(database, inMemory ? 'memory' : 'wal')
    migrate(database)
    return { database, writeAheadLog: inMemory ? nothingToFlush : openWriteAheadLog(options.path) }
  } catch (thrown) {
    database?.close()
    throw storeFailure(thrown, options.path)
  }
}

/** An integer pragma's value. */
function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
}

// Exclusive before anything is read: SQLite then holds the file's lock until the connection closes or the process dies. NORMAL flushes what a
// commit cannot do without: the write-ahead log before its pages are copied into the database, and these before it begins anew. What a commit
// added is flushed by `writeAheadLog.flush`, which does not stop the event loop as FULL does.
function configure(database: DatabaseSync, { databaseBytesMax }: SqliteStoreOptions): void {
  database.exec(`
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA wal_autocheckpoint = ${walPagesMax};
    PRAGMA journal_size_limit = ${walPagesMax * pageBytes};
    PRAGMA trusted_schema = OFF;
    PRAGMA cache_size = -${cacheKilobytesMax};
  `)
  if (databaseBytesMax !== undefined) {
    database.exec(`PRAGMA max_page_count = ${Math.floor(databaseBytesMax / pageBytes)}`)
  }
}

/**
 * Copying it into the database stops the event loop, 16 000 pages for 12 to 24 ms, these for 3. Half of it would stop it for less, and where the disk
 * takes 4 ms to flush issue a tenth fewer.
 */
const walPagesMax = 1_000
const pageBytes = 4096
const cacheKilobytesMax = 16_384

function assertDurable(database: DatabaseSync, journalMode: string): void {
  const have = [
    pragma(database, 'journal_mode'),
    pragma(database, 'synchronous'),
    pragma(database, 'locking_mode'),
  ]
  const want = [journalMode, synchronousNormal, 'exclusive']
  if (have.every((value, at) => value === want[at])) return
  throw new Failure('store_invalid', 'The store cannot be made durable here.', {
    internal: `journal_mode, synchronous, locking_mode: ${have.join(', ')}`,
    next: 'use a local file system',
  })
}

const synchronousNormal = 1

function migrate(database: DatabaseSync): void {
  // Takes the lock for good, also when nothing is to be changed.
  database.exec('BEGIN EXCLUSIVE')
  const version = Number(pragma(database, 'user_version'))
  const empty = database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined
  if (!empty && pragma(database, 'application_id') !== applicationId) {
    throw new Failure('store_invalid', 'The file is a database of another program.')
  }
  if (version > schemaSteps.length) {
    throw new Failure(
      'store_invalid',
      `The store is of version ${version}; this program knows ${schemaSteps.length}.`,
      {
        next: 'run the version of the program that wrote it, or a newer one',
      },
    )
  }
  for (const step of schemaSteps.slice(version)) database.exec(step)
  database.exec(
    `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaSteps.length}; COMMIT`,
  )
}

// Never opened when it exists: closing a second descriptor would drop SQLite's lock (POSIX advisory locks).
function makePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (thrown) {
    if (!hasCode(thrown, 'EEXIST')) throw thrown
    // SQLite would say of a file that it may not write that its disk failed.
    accessSync(path, constants.R_OK | constants.W_OK)
  }
}
