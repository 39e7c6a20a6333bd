import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { createLogKey, parseLogKey, type Signer } from '../audit/index.ts'
import { Failure, Secret } from '../primitives/index.ts'

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

/** Opens or makes the folder, mode 0700. Throws `option_invalid` when others than the owner may enter it. */
export function openDataFolder(path: string, logName: string): DataFolder {
  const keyFolder = join(path, 'keys')
  makePrivate(path)
  makePrivate(keyFolder)
  const keyFile = join(keyFolder, 'log.key')
  const storeFile = join(path, 'sallyport.db')
  if (!existsSync(keyFile)) {
    if (existsSync(storeFile)) {
      throw new Failure('option_invalid', `There is a log in ${storeFile} but no key for it in ${keyFile}.`, {
        next: `restore ${keyFile} from its backup`,
      })
    }
    writePrivate(keyFile, createLogKey(logName))
  }
  const signer = parseLogKey(new Secret(readFileSync(keyFile, 'utf8')))
  const nameFile = join(path, brokerNameFile)
  return {
    storeFile,
    keyFolder,
    signer,
    // After a restoration the log has another key; the credentials from before bear the old name.
    brokerName: existsSync(nameFile) ? readFileSync(nameFile, 'utf8').trim() : brokerNameOf(signer.vkey),
    cosignedFile: join(path, 'cosigned-checkpoint'),
    highWaterFile: join(keyFolder, 'high-water'),
    copyFile: join(path, 'sallyport.db.copy'),
  }
}

/** Writes the folder of a restored log: its key, and the name that its broker had before. */
export function writeDataFolder(
  path: string,
  { key, brokerName }: { key: Secret; brokerName: string },
): void {
  makePrivate(path)
  makePrivate(join(path, 'keys'))
  writePrivate(join(path, 'keys', 'log.key'), key)
  writePrivate(join(path, brokerNameFile), new Secret(`${brokerName}\n`))
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

function writePrivate(path: string, text: Secret): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    chmodSync(path, 0o600)
    writeSync(file, text.reveal())
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
