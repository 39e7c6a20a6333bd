import { closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { LogStorage } from '../../../audit/index.ts'
import type { LeaseStore } from '../../../broker/index.ts'
import { diskTroubleOf, Failure } from '../../../primitives/index.ts'
import { createLeaseStore } from './leases.ts'
import { createLogStorage } from './log-storage.ts'
import { applicationId, schemaSteps } from './schema.ts'
import { storeFailure } from './store-failure.ts'
import { nothingToFlush } from './write-ahead-log.ts'

/**
 * Writes a copy of an open database as it is at one moment between two commits, while it goes on being used. The copy is one file of
 * mode 0600 that needs no other beside it. What stood at that path is gone. Throws when the world fails; then nothing stands there.
 */
export async function copyDatabase(database: DatabaseSync, path: string): Promise<void> {
  for (let tries = 1; ; tries += 1)
    try {
      return await copyOnce(database, path)
    } catch (thrown) {
      rmSync(path, { force: true })
      if (!isAboutLock(thrown) || tries === copyTriesMax) throw thrown
    }
}

async function copyOnce(database: DatabaseSync, path: string): Promise<void> {
  rmSync(path, { force: true })
  // Made here for its mode; SQLite would heed the umask alone.
  closeSync(openSync(path, 'wx', 0o600))
  await backup(database, path, { rate: stepPages })
  const copy = new DatabaseSync(path)
  copy.exec('PRAGMA journal_mode = DELETE')
  copy.close()
}

const copyTriesMax = 100

/** Node throws "not an error" (0) when its first or its last step meets a commit that is under way; in between it waits for that by itself. */
function isAboutLock(thrown: unknown): boolean {
  return thrown instanceof Error && 'errcode' in thrown && thrown.errcode === 0
}

/** Pages that are copied before others may write again: a megabyte. */
const stepPages = 256

/** A store, to be read. Nothing of it is trusted: neither its leases nor, before its head is checked, its entries. */
export type ReadableStore = { readonly storage: LogStorage; readonly leases: LeaseStore; close(): void }

/** Opens the file of a backup for reading. Throws `store_invalid` for anything else, which may be attacker-controlled. */
export function openSqliteBackup(path: string): ReadableStore {
  try {
    return openForReading(path)
  } catch (thrown) {
    throw backupFailure(thrown, path)
  }
}

/** What SQLite said while a backup was opened or read, as `store_invalid`; everything else as it is. */
export function backupFailure(thrown: unknown, path: string): unknown {
  if (!(thrown instanceof Error && 'errcode' in thrown)) return thrown
  if (diskTroubleOf(thrown)?.kind === 'damaged')
    return new Failure('store_invalid', `The backup ${path} is damaged, or is none (${thrown.message}).`, {
      cause: thrown,
      next: 'give the file that sallyport backup wrote, or restore another backup',
    })
  return new Failure('store_invalid', `The backup ${path} cannot be read (${thrown.message}).`, {
    cause: thrown,
    next: 'give the file that sallyport backup wrote; this user has to be able to read it',
  })
}

/**
 * Opens a store that no broker runs with, for reading; nothing is left beside it that was not there. Throws `store_locked` while a broker
 * has it, and else as `openSqliteStore` does.
 */
export function readSqliteStore(path: string): ReadableStore {
  try {
    return openForReading(path)
  } catch (thrown) {
    throw storeFailure(thrown, path)
  }
}

function openForReading(path: string): ReadableStore {
  const { database, close } = openUnchanged(path)
  try {
    database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
    const [id, version] = ['application_id', 'user_version'].map((name) => pragma(database, name))
    if (id !== applicationId || version !== schemaSteps.length)
      throw new Failure('store_invalid', `${path} is no store or backup that this version can read.`, {
        next: 'give the file that sallyport backup wrote; or run the version of the program that wrote this one',
      })
    return {
      storage: createLogStorage(database, nothingToFlush),
      leases: createLeaseStore(database, nothingToFlush),
      close,
    }
  } catch (thrown) {
    close()
    throw thrown
  }
}

/**
 * SQLite would make a write-ahead log and its index, and a connection that only reads leaves both behind. Without a write-ahead log, which
 * every broker that runs has, the file is all there is; with one the index has to be made, and is removed again: to a broker, which keeps
 * its index in memory, that file is nothing.
 */
function openUnchanged(path: string): { readonly database: DatabaseSync; readonly close: () => void } {
  const index = `${path}-shm`
  const whole = !existsSync(`${path}-wal`)
  const indexWasThere = existsSync(index)
  const url = pathToFileURL(path)
  if (whole) url.searchParams.set('immutable', '1')
  const tidy = () => (whole || indexWasThere ? undefined : rmSync(index, { force: true }))
  try {
    const database = new DatabaseSync(url, { readOnly: true, allowExtension: false })
    const close = () => {
      if (database.isOpen) database.close()
      tidy()
    }
    return { database, close }
  } catch (thrown) {
    tidy()
    throw thrown
  }
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
}
