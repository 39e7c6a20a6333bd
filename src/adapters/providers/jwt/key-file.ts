import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { syncFolder } from '../../../audit/index.ts'
import { shellWord } from '../../../broker/index.ts'
import { Failure } from '../../../primitives/index.ts'

/** Far above what a full key set needs. */
export const keyFileBytesMax = 65_536

/** The text of a file that its owner alone can read; `undefined` when there is none. Throws `store_invalid`. */
export function readKeyFile(path: string): string | undefined {
  const file = attempt(path, 'read', () => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW))
  if (file === undefined) return undefined
  try {
    const { mode, size } = fstatSync(file)
    if (mode & 0o077)
      throw new Failure('store_invalid', 'The signing keys can be read by others than their owner.', {
        internal: path,
        next: `chmod 600 ${shellWord(path)}`,
      })
    if (size > keyFileBytesMax)
      throw new Failure('store_invalid', 'The file of signing keys is too large.', { internal: path })
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** Puts the text in the place of what was there: whole or not at all, whatever happens to the machine. Throws `store_invalid`. */
export function replaceKeyFile(path: string, text: string): void {
  write(path, text, (draft) => renameSync(draft, path))
}

/** Like `replaceKeyFile`, but does nothing and gives `false` when another process was first. */
export function createKeyFile(path: string, text: string): boolean {
  let created = true
  write(path, text, (draft) => {
    try {
      linkSync(draft, path)
    } catch (thrown) {
      if (errorCode(thrown) !== 'EEXIST') throw thrown
      created = false
    }
    unlinkSync(draft)
  })
  return created
}

function write(path: string, text: string, publish: (draft: string) => void): void {
  const draft = `${path}.${process.pid}.draft`
  attempt(path, 'written', () => {
    // A draft that a crash left behind is in nobody's use.
    removeIfThere(draft)
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true })
    publish(draft)
    syncFolder(dirname(path))
    return true
  })
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (thrown) {
    if (errorCode(thrown) !== 'ENOENT') throw thrown
  }
}

function attempt<Result>(path: string, verb: 'read' | 'written', work: () => Result): Result | undefined {
  try {
    return work()
  } catch (thrown) {
    const code = errorCode(thrown)
    if (verb === 'read' && code === 'ENOENT') return undefined
    throw new Failure('store_invalid', `The signing keys cannot be ${verb}.`, {
      internal: `${path}: ${code ?? 'no error code'}`,
      cause: thrown,
    })
  }
}

function errorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : undefined
}
