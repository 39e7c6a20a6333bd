import { open as openFile, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type LogHead, openCheckpoint, parseVerifier, verifyConsistency } from '../audit/index.ts'
import { diskFailure, Failure, hasCode } from '../primitives/index.ts'
import type { WitnessedLog } from './submission.ts'

/** A checkpoint that the log once had, such as the newest that enough witnesses cosigned, over restarts. */
export interface KeptCheckpoint {
  current(): LogHead | undefined
  /** Takes it if it is not older than the one before. */
  keep(head: LogHead): Promise<void>
  /**
   * Reads what an earlier process kept and holds it against the log. Throws `store_invalid` when the log does not continue it: then the
   * store was rolled back, exchanged or rewritten.
   */
  open(log: WitnessedLog): Promise<void>
}

export function createKeptCheckpoint(path: string): KeptCheckpoint {
  let current: LogHead | undefined
  return {
    current: () => current,
    async keep(head) {
      if (current && current.size > head.size) return
      current = head
      await replaceFile(path, head.checkpoint)
    },
    async open(log) {
      const note = await read(path)
      if (note !== undefined) current = { size: await sizeWithin(log, note), checkpoint: note }
    },
  }
}

async function sizeWithin(log: WitnessedLog, note: string): Promise<number> {
  const trusted = [parseVerifier(log.vkey)]
  const [older, newer] = [openCheckpoint(note, trusted), openCheckpoint(log.checkpoint(), trusted)]
  if (older.kind !== 'opened' || newer.kind !== 'opened') {
    throw refusal('The checkpoint that was kept is not of this log.')
  }
  const [from, to] = [older.checkpoint, newer.checkpoint]
  const behind = from.size > to.size
  const proof = behind ? [] : await log.consistencyProof({ from: from.size, to: to.size })
  const roots = { fromRoot: from.root, toRoot: to.root }
  if (!behind && verifyConsistency({ from: from.size, to: to.size, ...roots, proof })) return from.size
  throw refusal(`It had ${from.size} entries once; the store has ${to.size} that do not continue them.`)
}

function refusal(why: string): Failure {
  return new Failure('store_invalid', `The audit log is not the one that was there before. ${why}`, {
    next: 'put the newest store back; or restore a backup, which declares a new epoch: sallyport restore',
  })
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return undefined
    throw diskFailure(thrown, `the checkpoint that was kept in ${path}`)
  }
}

/** Whole or not at all, whatever happens to the machine. */
async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.draft`
  const file = await openFile(draft, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
  const folder = await openFile(dirname(path), 'r')
  await folder.sync().finally(() => folder.close())
}
