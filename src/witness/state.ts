import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { shellWord } from '../broker/index.ts'
import { diskFailure, Failure } from '../primitives/index.ts'

/** The checkpoint of a log that was cosigned last. `note` holds the cosignature. */
export type Seen = { readonly size: number; readonly root: Uint8Array; readonly note: string }

/** What a witness must never forget: how far each log has come. */
export interface WitnessState {
  latest(origin: string): Seen | undefined
  /**
   * MUST be durable when it returns, so that it survives a power cut before the cosignature leaves. MUST throw when what is stored is not
   * `from`, or when it cannot be written; then nothing has changed.
   */
  advance(origin: string, from: Seen | undefined, to: Seen): void
  close(): void
}

/**
 * Opens or makes the state in a folder, which becomes private to its owner. Throws `store_locked` while another process has it: two
 * witnesses with one key over two memories would cosign a fork.
 */
export function openWitnessState(folder: string): WitnessState {
  const path = join(folder, 'witness.db')
  let database: DatabaseSync | undefined
  try {
    makePrivate(folder, path)
    database = new DatabaseSync(path, { timeout: 0 })
    database.exec(schema)
    return createState(database)
  } catch (thrown) {
    database?.close()
    const told = diskFailure(thrown, `the state of the witness in '${folder}'`)
    throw told instanceof Failure ? told : toFailure(thrown, folder)
  }
}

// The exclusive lock is taken with the first write and held until the process ends.
const schema = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = DELETE;
  PRAGMA synchronous = EXTRA;
  PRAGMA fullfsync = ON;
  PRAGMA trusted_schema = OFF;
  BEGIN EXCLUSIVE;
  CREATE TABLE IF NOT EXISTS seen (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL
  ) STRICT;
  COMMIT;
`

function createState(database: DatabaseSync): WitnessState {
  const find = database.prepare('SELECT size, root, note FROM seen WHERE origin = ?')
  const begin = database.prepare('INSERT INTO seen VALUES (?, ?, ?, ?)')
  const move = database.prepare('UPDATE seen SET size = ?, root = ?, note = ? WHERE origin = ? AND size = ?')
  return {
    latest(origin) {
      const { size, root, note } = find.get(origin) ?? {}
      if (typeof size !== 'number' || !(root instanceof Uint8Array) || typeof note !== 'string')
        return undefined
      return { size, root, note }
    },
    advance(origin, from, to) {
      const { changes } = from
        ? move.run(to.size, to.root, to.note, origin, from.size)
        : begin.run(origin, to.size, to.root, to.note)
      if (changes !== 1) throw new Failure('store_invalid', 'The log has moved meanwhile.')
    },
    close: () => database.close(),
  }
}

function makePrivate(folder: string, path: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if ((statSync(folder).mode & 0o022) !== 0) {
    throw new Failure('option_invalid', `Others than its owner may write in ${folder}.`, {
      next: `chmod 700 ${shellWord(folder)}`,
    })
  }
  // Made here for its mode; SQLite would heed the umask alone. Appending leaves what is there.
  closeSync(openSync(path, 'a', 0o600))
}

function toFailure(thrown: unknown, folder: string): Failure {
  const busy = thrown instanceof Error && 'errcode' in thrown && thrown.errcode === sqliteBusy
  const why = thrown instanceof Error ? thrown.message : String(thrown)
  if (busy) {
    return new Failure('store_locked', `Another process has the state of this witness in ${folder}.`, {
      cause: thrown,
      next: 'stop that one, or give this one a state and a key of its own',
    })
  }
  return new Failure('store_invalid', `The state of the witness in '${folder}' cannot be opened (${why}).`, {
    cause: thrown,
    next: 'a witness that has lost its state needs a new key: it would cosign what it once refused',
  })
}

const sqliteBusy = 5
