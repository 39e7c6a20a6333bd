import { closeSync, openSync, rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import type { LogStorage } from '../../../audit/index.ts'
import type { LeaseStore } from '../../../broker/index.ts'
import { Failure } from '../../../primitives/index.ts'
import { createLeaseStore } from './leases.ts'
import { createLogStorage } from './log-storage.ts'
import { applicationId, schemaSteps } from './schema.ts'
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

const next = 'give the file that sallyport backup wrote'

/** A backup, to be read. Nothing of it is trusted: neither its leases nor, before its head is checked, its entries. */
export type SqliteBackup = { readonly storage: LogStorage; readonly leases: LeaseStore; close(): void }

/** Opens the file of a backup for reading. Throws `store_invalid` for anything else, which may be attacker-controlled. */
export function openSqliteBackup(path: string): SqliteBackup {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { readOnly: true, allowExtension: false })
    database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
    const [id, version] = ['application_id', 'user_version'].map((name) => pragma(database, name))
    if (id !== applicationId || version !== schemaSteps.length) {
      throw new Failure('store_invalid', `${path} is no backup that this version can read.`, { next })
    }
    const open = database
    return {
      storage: createLogStorage(open, nothingToFlush),
      leases: createLeaseStore(open, nothingToFlush),
      close: () => open.close(),
    }
  } catch (thrown) {
    database?.close()
    if (thrown instanceof Failure) throw thrown
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    throw new Failure('store_invalid', `The backup ${path} cannot be read (${why}).`, { cause: thrown, next })
  }
}

function pragma(database: DatabaseSync | undefined, name: string): unknown {
  return Object.values(database?.prepare(`PRAGMA ${name}`).get() ?? {})[0]
}
