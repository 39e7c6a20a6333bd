import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createLogKey, createPrivateFile, parseLogKey, type Signer } from '../audit/index.ts'
import { diskFailure, Failure, hasCode, Secret } from '../primitives/index.ts'

/** What the broker keeps on its disk. Losing the log key means a new log; losing the keys of tokens ends those tokens. */
export type DataFolder = {
  readonly storeFile: string
  readonly keyFolder: string
  readonly signer: Signer
  /** What is planted in everything that this broker mints, so that neither of two brokers of one contract takes the other's credentials for orphans. */
  readonly brokerName: string
  /** Where the newest checkpoint that witnesses cosigned is kept. */
  readonly cosignedFile: string
  /** How far the log has come: beside its key, away from the store. */
  readonly highWaterFile: string
  /** Where a copy of the store is written before it is handed out. */
  readonly copyFile: string
}

/**
 * Opens or makes the folder, mode 0700. Throws `option_invalid` when others than the owner may enter it, or the system refuses it, and
 * `log_unwritable` when there is no room for it.
 */
export function openDataFolder(path: string, logName: string): DataFolder {
  try {
    return openFolder(path, logName)
  } catch (thrown) {
    throw folderFailure(thrown, path)
  }
}

/** What the system said of a data folder, with what to do; everything else as it is. */
export function folderFailure(thrown: unknown, path: string): unknown {
  return diskFailure(thrown, `the data folder ${path}`)
}

function openFolder(path: string, logName: string): DataFolder {
  const keyFolder = join(path, 'keys')
  makePrivate(path)
  makePrivate(keyFolder)
  const keyFile = join(keyFolder, 'log.key')
  const storeFile = join(path, 'sallyport.db')
  const signer = parseLogKey(new Secret(readIfThere(keyFile) ?? makeKey(keyFile, { storeFile, logName })))
  return {
    storeFile,
    keyFolder,
    signer,
    // After a restoration the log has another key; the credentials from before bear the old name.
    brokerName: readIfThere(join(path, brokerNameFile))?.trim() ?? brokerNameOf(signer.vkey),
    cosignedFile: join(path, 'cosigned-checkpoint'),
    highWaterFile: join(keyFolder, 'high-water'),
    copyFile: join(path, 'sallyport.db.copy'),
  }
}

/** The key of a new log, and its text. */
function makeKey(
  keyFile: string,
  { storeFile, logName }: { readonly storeFile: string; readonly logName: string },
): string {
  if (existsSync(storeFile))
    throw new Failure('option_invalid', `There is a log in ${storeFile} but no key for it in ${keyFile}.`, {
      next: `restore ${keyFile} from its backup`,
    })
  try {
    createPrivateFile(keyFile, createLogKey(logName))
  } catch (thrown) {
    // Another process was first: who has the store goes on.
    if (!hasCode(thrown, 'EEXIST')) throw thrown
  }
  return readFileSync(keyFile, 'utf8')
}

/** `undefined` where there is no such file; one that may not be read is there, and the system's error is thrown. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return undefined
    throw thrown
  }
}

/** Writes the folder of a restored log: its key, and the name that its broker had before. */
export function writeDataFolder(
  path: string,
  { key, brokerName }: { key: Secret; brokerName: string },
): void {
  makePrivate(path)
  makePrivate(join(path, 'keys'))
  createPrivateFile(join(path, 'keys', 'log.key'), key)
  createPrivateFile(join(path, brokerNameFile), new Secret(`${brokerName}\n`))
}

const brokerNameFile = 'broker-name'

/** The name and id of the log's key. */
function brokerNameOf(vkey: string): string {
  return vkey.split('+').slice(0, 2).join('.')
}

function makePrivate(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if ((statSync(path).mode & 0o077) === 0) return
  throw new Failure('option_invalid', `Others than its owner may enter ${path}, where keys are.`, {
    next: `chmod 700 ${path}`,
  })
}
