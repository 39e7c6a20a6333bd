import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { equalInConstantTime, Failure, Secret } from '../../../primitives/index.ts'
import { errorCode } from './failure.ts'

/** What a rotation that did not come to its end left in `<file>.next`. Throws `provider_refused` for what no rotation wrote. */
export async function readNext(file: string): Promise<Secret | undefined> {
  const text = await onDisk(`${file}.next`, () => readFile(`${file}.next`, 'utf8').catch(absent))
  if (text === undefined) return undefined
  if (writtenHere.test(text)) return new Secret(text)
  throw new Failure('provider_refused', `${file}.next holds no password that a rotation wrote.`, {
    next: 'look whether it is the password of the role, move it away, then rotate again',
  })
}

/** Writes the password to `<file>.next`, durably and as a whole, where nobody else's waits. Throws `provider_throttled` where one does. */
export async function layNext(file: string, password: Secret): Promise<void> {
  const found = await readNext(file)
  if (found && !isSame(found, password)) throw underWay()
  await onDisk(`${file}.next`, async () => {
    if (!found) await create(file, password)
    await syncFolder(file)
  })
}

/** Makes sure that `<file>.next` is still this password, durably. Throws `provider_throttled` when another process was faster. */
export async function keepNext(file: string, password: Secret): Promise<void> {
  const found = await readNext(file)
  if (!found || !isSame(found, password)) throw underWay()
  await onDisk(`${file}.next`, () => syncFolder(file))
}

/** Makes `<file>.next` the file, if it is still this password. */
export async function promote(file: string, password: Secret): Promise<void> {
  await keepNext(file, password)
  await onDisk(file, async () => {
    await rename(`${file}.next`, file)
    await syncFolder(file)
  })
}

/** What `newPassword` gives. */
const writtenHere = /^[A-Za-z0-9_-]{43}$/

function isSame(one: Secret, other: Secret): boolean {
  return equalInConstantTime(one.reveal(), other.reveal())
}

function underWay(): Failure {
  return new Failure('provider_throttled', 'Another process is rotating this password.')
}

/** A link appears with its whole content or not at all, and never in the place of another. What is left of a draft was never valid alone. */
async function create(file: string, password: Secret): Promise<void> {
  const draft = `${file}.draft`
  await rm(draft, { force: true })
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(password.reveal())
    await handle.sync()
  } finally {
    await handle.close()
  }
  await link(draft, `${file}.next`)
  await rm(draft)
}

async function syncFolder(file: string): Promise<void> {
  const folder = await open(dirname(file), 'r')
  await folder.sync().finally(() => folder.close())
}

function absent(thrown: unknown): undefined {
  if (errorCode(thrown) !== 'ENOENT') throw thrown
  return undefined
}

async function onDisk<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    const internal = cause instanceof Error ? cause.message : 'no error was thrown'
    throw new Failure('provider_refused', `The password cannot be kept in ${file}.`, {
      internal,
      cause,
      next: 'give the broker a folder there in which it may read, write, link and rename, then rotate again',
    })
  }
}
