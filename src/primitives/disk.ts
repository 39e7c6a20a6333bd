import { Failure } from './failure.ts'

/**
 * Why a disk did not do what was asked: it has no room; it failed; it does not let this process, by rights, mount or kind of path; or what
 * it holds is damaged. Only the last one is mended by a backup.
 */
export type DiskTrouble = 'full' | 'failed' | 'refused' | 'damaged'

/**
 * The trouble in what the system (`code`) or SQLite (`errcode`, https://www.sqlite.org/rescode.html) threw, or in the first of its causes
 * that has one, with the words for it. `undefined` for everything else, such as a lock.
 */
export function diskTroubleOf(
  thrown: unknown,
): { readonly kind: DiskTrouble; readonly reason: string } | undefined {
  for (let cause = thrown; cause instanceof Error; cause = cause.cause) {
    const kind = kindOf(cause)
    if (kind !== undefined) return { kind, reason: cause.message }
  }
  return undefined
}

/**
 * What was thrown while `what`, such as "the data folder /var/lib/sallyport", was opened, read or written: as `log_unwritable` when its
 * disk has no room or failed, as `option_invalid` when the system refuses it. Damage, and everything else, as it is.
 */
export function diskFailure(thrown: unknown, what: string): unknown {
  const trouble = thrown instanceof Failure ? undefined : diskTroubleOf(thrown)
  switch (trouble?.kind) {
    case 'full':
      return new Failure('log_unwritable', `There is no room for ${what} (${trouble.reason}).`, {
        cause: thrown,
        next: 'make room on its disk, then start again; nothing says that it is damaged',
      })
    case 'failed':
      return new Failure('log_unwritable', `The disk of ${what} failed (${trouble.reason}).`, {
        cause: thrown,
        next: 'is a quota or a limit of file sizes reached? Else check the file system, mount it anew, and start again',
      })
    case 'refused':
      return new Failure('option_invalid', `The system refuses ${what} (${trouble.reason}).`, {
        cause: thrown,
        next: afterRefusal.get(trouble.reason.split(':')[0] ?? '') ?? lookAtIt,
      })
    case 'damaged':
    case undefined:
      return thrown
  }
}

const lookAtIt = 'look at its owner, mode and mount; nothing says that it is damaged'
const nameFolder = 'name a folder; what has that name, or stands on the way to it, is none'

/** By the code with which the system begins its words. */
const afterRefusal: ReadonlyMap<string, string> = new Map([
  ['EROFS', 'mount it so that it can be written; nothing says that it is damaged'],
  ['EEXIST', nameFolder],
  ['ENOTDIR', nameFolder],
  ['ENOTEMPTY', 'somebody else has begun to use it: name a new folder'],
  ['ENOENT', 'make the folder that it is to lie in, or that its link leads to'],
])

function kindOf(thrown: Error): DiskTrouble | undefined {
  if ('errcode' in thrown) {
    const code = Number(thrown.errcode)
    return bySqliteExtended.get(code) ?? bySqlite.get(code & 0xff)
  }
  if (!('syscall' in thrown && 'code' in thrown)) return undefined
  return bySystem.get(String(thrown.code)) ?? 'refused'
}

const bySystem: ReadonlyMap<string, DiskTrouble> = new Map([
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['EFBIG', 'full'],
  ['EIO', 'failed'],
])

/** By the lower byte; the higher ones tell the kind. */
const bySqlite: ReadonlyMap<number, DiskTrouble> = new Map([
  [3, 'refused'], // PERM
  [8, 'refused'], // READONLY
  [10, 'failed'], // IOERR
  [11, 'damaged'], // CORRUPT
  [13, 'full'], // FULL
  [14, 'refused'], // CANTOPEN
  [26, 'damaged'], // NOTADB
])

/** Errors of input and output that have nothing to do with the disk: a file that is open for reading alone cannot be locked. */
const bySqliteExtended: ReadonlyMap<number, DiskTrouble> = new Map([
  [2314, 'refused'], // IOERR_RDLOCK
  [3338, 'refused'], // IOERR_ACCESS
  [3850, 'refused'], // IOERR_LOCK
  [4618, 'refused'], // IOERR_SHMOPEN
  [4874, 'full'], // IOERR_SHMSIZE
])

/** Whether the system or Node threw it with that code, such as `ENOENT`. */
export function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code
}
