import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteBackup, openSqliteStore } from '../adapters/stores/sqlite/index.ts'
import { createLog, parseLogKey } from '../audit/index.ts'
import type { Contract } from '../contract/index.ts'
import { Failure, Secret, toFailure } from '../primitives/index.ts'
import { createKeptCheckpoint } from '../witness/index.ts'
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

/** Files and folders of a data folder that others than their owner may reach; the paths of those. */
export function openToOthers(folder: string): readonly string[] {
  const keys = join(folder, 'keys')
  const inside = [folder, keys].flatMap((path) =>
    existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : [],
  )
  return [folder, ...inside].filter((path) => existsSync(path) && (statSync(path).mode & 0o077) !== 0)
}

/** Makes a store beside the real one, reads back that it is durable (WAL, flushed, one process alone), and removes it. */
export function examineDisk(
  folder: string,
  fileSystemOf: (folder: string) => FileSystem = statfsSync,
): Examined {
  const draft = join(folder, `doctor-${process.pid}.db`)
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    openSqliteStore({ path: draft }).close()
  } catch (thrown) {
    const { message, next = 'is the folder on a local disk, and writable for this user?' } = toFailure(thrown)
    return { state: 'bad', detail: thrown instanceof Failure ? message : `${folder} cannot be written`, next }
  } finally {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${draft}${end}`, { force: true })
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
  const [keyFile, storeFile] = [join(folder, 'keys/log.key'), join(folder, 'sallyport.db')]
  if (!existsSync(keyFile) && !existsSync(storeFile))
    return { state: 'skipped', detail: 'there is none yet', next: 'the broker makes it when it first starts' }
  if (!existsSync(keyFile))
    return {
      state: 'bad',
      detail: `there is no key for it in ${keyFile}`,
      next: 'restore it from its backup',
    }
  if (!existsSync(storeFile)) return { state: 'bad', detail: 'there is a key and no log', next: restoring }
  try {
    const store = openSqliteBackup(storeFile)
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
  } catch (thrown) {
    if (isLocked(thrown))
      return {
        state: 'skipped',
        detail: 'a broker runs with it',
        next: 'sallyport audit verify asks that one',
      }
    const { message, next = restoring } = toFailure(thrown)
    return { state: 'bad', detail: message, next }
  }
}

const restoring = 'restore the folder, or a backup: sallyport restore'
const sqliteBusy = 5

function isLocked(thrown: unknown): boolean {
  const cause = thrown instanceof Failure ? thrown.cause : undefined
  return cause instanceof Error && 'errcode' in cause && cause.errcode === sqliteBusy
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
