import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore, readSqliteStore, storeFailure } from '../adapters/stores/sqlite/index.ts'
import { createLog, parseLogKey } from '../audit/index.ts'
import type { Contract } from '../contract/index.ts'
import { diskTroubleOf, hasCode, Secret, toFailure } from '../primitives/index.ts'
import { createKeptCheckpoint } from '../witness/index.ts'
import { folderFailure } from './data-folder.ts'
import { openProviders } from './providers.ts'
import { refuseEarlierClock } from './records.ts'
import { systemClock, systemRandom } from './system.ts'
import { createResolver } from './values.ts'

/** What was found, in words for people; `warn` is worth a look, and `skipped` could not be told. */
export type Examined = {
  readonly state: 'ok' | 'warn' | 'bad' | 'skipped'
  readonly detail: string
  readonly next?: string
}

/** Whether there is a data folder; the broker can make one where there is none. Throws what the system says, as `folderFailure` has it. */
export function hasDataFolder(path: string): boolean {
  try {
    readdirSync(path)
    return true
  } catch (thrown) {
    // A link that leads nowhere is no folder that the broker could make.
    if (hasCode(thrown, 'ENOENT') && !lstatSync(path, { throwIfNoEntry: false })) return false
    throw folderFailure(thrown, path)
  }
}

/** Files and folders of a data folder that others than their owner may reach; the paths of those. */
export function openToOthers(folder: string): readonly string[] {
  const keys = join(folder, 'keys')
  try {
    const inside = [folder, keys].flatMap((path) =>
      existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : [],
    )
    return [folder, ...inside].filter((path) => existsSync(path) && (statSync(path).mode & 0o077) !== 0)
  } catch (thrown) {
    throw folderFailure(thrown, folder)
  }
}

/** Makes a store beside the real one, reads back that it is durable (WAL, flushed, one process alone), and removes it. */
export function examineDisk(
  folder: string,
  fileSystemOf: (folder: string) => FileSystem = statfsSync,
): Examined {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    makeDraftStore(join(folder, `doctor-${process.pid}.db`))
  } catch (thrown) {
    const { message, next = 'is the folder on a local disk, and writable for this user?' } = toFailure(
      folderFailure(thrown, folder),
    )
    return { state: 'bad', detail: message, next }
  }
  const { type, bavail, bsize } = fileSystemOf(folder)
  const free = bavail * bsize
  const detail = `writable and durable (WAL, fdatasync), ${Math.floor(free / 1024 / 1024)} MB free`
  const passing = passingFileSystems.get(type)
  if (passing !== undefined)
    return { state: 'warn', detail: `${detail}, but on ${passing}`, next: 'mount a volume that stays' }
  if (free < freeBytesMin) return { state: 'warn', detail, next: 'make room: a full disk stops issuing' }
  return { state: 'ok', detail }
}

function makeDraftStore(path: string): void {
  try {
    openSqliteStore({ path }).close()
  } finally {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${end}`, { force: true })
  }
}

/** Of `statfs(2)`: what is on the disk, and how many blocks of how many bytes are free. */
type FileSystem = { readonly type: number; readonly bavail: number; readonly bsize: number }

const freeBytesMin = 256 * 1024 * 1024

/** By their numbers in `statfs(2)`: what is gone with the machine or the container, or cannot be believed when it says `fsync`. */
const passingFileSystems: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs, which is gone with the machine'],
  [0x794c7630, 'overlay, which is gone with the container'],
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0x01021997, '9p'],
])

/** Reads the log at its head and changes nothing; a broker that runs has it for itself, and then nothing can be told from beside it. */
export async function examineLog(folder: string): Promise<Examined> {
  try {
    return await examineHead(folder)
  } catch (thrown) {
    const told = folderFailure(storeFailure(thrown, join(folder, 'sallyport.db')), folder)
    const { code, message, next = afterFailure(told) } = toFailure(told)
    if (code === 'store_locked')
      return {
        state: 'skipped',
        detail: 'a broker runs with it',
        next: 'sallyport audit verify asks that one',
      }
    return { state: 'bad', detail: message, next }
  }
}

function afterFailure(told: unknown): string {
  const { kind = 'damaged' } = diskTroubleOf(told) ?? {}
  return kind === 'damaged' ? restoring : notToRestore
}

const restoring = 'restore the folder, or a backup: sallyport restore'
const notToRestore = 'nothing says that the log is damaged: look at its disk, owner and mode'

async function examineHead(folder: string): Promise<Examined> {
  const [keyFile, storeFile] = [join(folder, 'keys/log.key'), join(folder, 'sallyport.db')]
  const [key, stored] = [isThere(keyFile), isThere(storeFile)]
  if (!key && !stored)
    return { state: 'skipped', detail: 'there is none yet', next: 'the broker makes it when it first starts' }
  if (!key)
    return {
      state: 'bad',
      detail: `there is no key for it in ${keyFile}`,
      next: 'restore it from its backup',
    }
  if (!stored) return { state: 'bad', detail: 'there is a key and no log', next: restoring }
  const store = readSqliteStore(storeFile)
  try {
    const signer = parseLogKey(new Secret(readFileSync(keyFile, 'utf8')))
    const log = await createLog({ storage: store.storage, signer })
    await createKeptCheckpoint(join(folder, 'keys/high-water')).open(log)
    await createKeptCheckpoint(join(folder, 'cosigned-checkpoint')).open(log)
    await refuseEarlierClock(log)
    const detail = `${log.size()} entries; the head is what ${signer.vkey.split('+')[0]} signed, and goes on from the last mark`
    return { state: 'ok', detail }
  } finally {
    store.close()
  }
}

/** A file that may not be looked at is there for all that is known: then the system's error is thrown. */
function isThere(path: string): boolean {
  try {
    statSync(path)
    return true
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return false
    throw thrown
  }
}

/** Asks each provider of the contract what stands there now; nothing is minted, and no key is kept. */
export async function examineProviders(
  contract: Contract,
  environment: Readonly<Record<string, string | undefined>>,
  millisecondsMax: number,
): Promise<ReadonlyMap<string, Examined>> {
  // Keys that an adapter would make belong to the broker, not here.
  const keyFolder = await mkdtemp(join(tmpdir(), 'sallyport-doctor-'))
  try {
    const resolve = createResolver({ contractFile: contract.file, environment })
    const world = { clock: systemClock, random: systemRandom, resolve, keyFolder, brokerName: 'doctor' }
    const opened = await openProviders(contract, world)
    const answers = [...opened].map(async ([name, provider]): Promise<readonly [string, Examined]> => {
      try {
        return [name, await standing(provider, AbortSignal.timeout(millisecondsMax))]
      } finally {
        await provider.close?.()
      }
    })
    return new Map(await Promise.all(answers))
  } finally {
    await rm(keyFolder, { recursive: true, force: true })
  }
}

type Opened = Awaited<ReturnType<typeof openProviders>> extends ReadonlyMap<string, infer One> ? One : never

async function standing(provider: Opened, signal: AbortSignal): Promise<Examined> {
  if (provider.capabilities.mintsLocally)
    return { state: 'ok', detail: 'needs nobody: it mints in the process' }
  if (!provider.planted)
    return { state: 'skipped', detail: 'it can only be asked to mint', next: '/readyz of the broker tells' }
  try {
    await provider.planted(signal)
    return { state: 'ok', detail: 'answers, and accepts the login' }
  } catch (thrown) {
    const {
      code,
      message,
      next = 'is its address right, and may this login do what its page lists?',
    } = toFailure(thrown)
    return { state: 'bad', detail: `${message} (${code})`, next }
  }
}
