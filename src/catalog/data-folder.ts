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
  return { storeFile, keyFolder, signer: parseLogKey(new Secret(readFileSync(keyFile, 'utf8'))) }
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
