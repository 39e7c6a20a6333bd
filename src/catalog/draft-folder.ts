import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { syncFolder } from '../audit/index.ts'
import { Failure } from '../primitives/index.ts'

/**
 * A new folder, its owner's alone, that `moveIntoPlace` can move to where `folder` is to be: beside it, or within one that is there, since
 * that one may be a mount point, a link or the folder in which the command runs.
 */
export function makeDraft(folder: string): string {
  const there = folderAt(folder)
  if (there !== undefined) return mkdtempSync(join(there, draftPrefix))
  const path = resolve(folder)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  return mkdtempSync(`${path}${draftPrefix}`)
}

const draftPrefix = '.restoring-'

/** Throws `option_invalid` when that is no folder, or there is something in it besides this draft. */
export function demandEmpty(folder: string, draft?: string): void {
  if (folder === '' || statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new Failure('option_invalid', `The data folder '${folder}' is no folder.`, {
      next: 'restore into a new folder',
    })
  const there = folderAt(folder)
  const names = there === undefined ? [] : readdirSync(there).filter((name) => !isOfFileSystem(there, name))
  const found = names.find((name) => there === undefined || join(there, name) !== draft)
  if (found === undefined) return
  const next = found.startsWith(draftPrefix)
    ? `another restore is at work, or was interrupted: then remove ${join(folder, found)}`
    : 'restore into a new folder, and move the old one away'
  throw new Failure('option_invalid', `There is something in ${folder} already: ${found}.`, { next })
}

/** What `mkfs` puts on a disk of its own. */
function isOfFileSystem(folder: string, name: string): boolean {
  return name === 'lost+found' && lstatSync(join(folder, name)).isDirectory()
}

/** `undefined` where there is none; a link that leads nowhere is something, and the system says so. */
function folderAt(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false }) && realpathSync(path)
}

/** Makes of the draft the data folder, whole or not at all. Throws `option_invalid` when somebody has begun to use that one meanwhile. */
export function moveIntoPlace(draft: string, folder: string): void {
  const there = folderAt(folder)
  if (there !== undefined && dirname(draft) === there) moveWithin(draft, { there, folder })
  else moveWhole(draft, folder)
}

function moveWhole(draft: string, folder: string): void {
  demandEmpty(folder)
  renameSync(draft, resolve(folder))
  syncFolder(dirname(resolve(folder)))
}

/**
 * Two that restore into one folder see the drafts of each other here, and none goes on. The store comes first and the key last: a broker
 * that starts in between finds a log without its key and refuses, where with a key alone it would begin an empty log.
 */
function moveWithin(
  draft: string,
  { there, folder }: { readonly there: string; readonly folder: string },
): void {
  demandEmpty(folder, draft)
  // It is to hold keys, and the broker would refuse it.
  chmodSync(there, 0o700)
  const made: string[] = []
  try {
    for (const name of ['sallyport.db', 'broker-name']) {
      // Unlike a renaming, it never takes the place of what is there.
      linkSync(join(draft, name), join(there, name))
      made.push(join(there, name))
    }
    syncFolder(there)
    renameSync(join(draft, 'keys'), join(there, 'keys'))
  } catch (thrown) {
    for (const path of made) rmSync(path)
    throw thrown
  }
  syncFolder(there)
}
