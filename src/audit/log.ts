import type { EntryReceipt, Ledger, LedgerChange } from '../broker/index.ts'
import { Failure, toFailure } from '../primitives/index.ts'
import { composeBatch } from './batch.ts'
import { judgeLeaseMoves } from './lease-moves.ts'
import { createLogReader, type LogReader } from './log-reader.ts'
import type { Signer } from './note.ts'
import { type OpenLog, openLog } from './open-log.ts'
import type { LogHead, LogStorage } from './storage.ts'

export const logLimits = {
  /** Changes that wait for their commit; one more is refused as `overloaded`. */
  queuedChangesMax: 10_000,
  /** Changes in one commit. */
  batchChangesMax: 1_000,
  /** How long changes without hurry wait for others. */
  unhurriedMs: 10,
} as const

/** The audit log: the broker's ledger, and its readers. */
export type AuditLog = Ledger &
  LogReader & {
    /** Tries to write without an entry, so that a log which failed is found to work again before somebody needs it. */
    probe(): Promise<boolean>
    /** Waits for what is queued; from now on `record` throws `shutting_down`. */
    close(): Promise<void>
  }

/**
 * Opens the log in this storage, or begins it when the storage is empty. Calls of one turn of the event loop, and those that come
 * while a commit is going on, become one commit. Throws `store_invalid` when what is stored and its signed checkpoint disagree.
 */
export async function createLog(options: {
  readonly storage: LogStorage
  readonly signer: Signer
  /** The newest checkpoint of this log that enough witnesses cosigned. */
  readonly cosigned?: () => LogHead | undefined
  readonly limits?: { readonly queuedChangesMax: number; readonly batchChangesMax: number }
}): Promise<AuditLog> {
  const { storage, signer, cosigned = () => undefined, limits = logLimits } = options
  const queue: Waiting[] = []
  let open = await openLog(storage, signer)
  let busy: Promise<void> | undefined
  let works = true
  let closed = false
  /** While nothing but changes without hurry waits: ends their wait. */
  let hurry: (() => void) | undefined

  const enqueue = (change: LedgerChange | undefined) =>
    new Promise<EntryReceipt | undefined>((resolve, reject) => {
      if (closed) return reject(closing())
      if (queue.length >= limits.queuedChangesMax) return reject(full())
      queue.push({ change, resolve, reject })
      if (!change?.unhurried) hurry?.()
      busy ??= flush()
    })

  const flush = async () => {
    for (await gather(); queue.length > 0; await gather())
      await commit(queue.splice(0, limits.batchChangesMax))
    busy = undefined
  }

  // One turn of the event loop before each commit, and longer where nobody hurries.
  const gather = async () => {
    await turn()
    if (queue.length === 0 || closed || !queue.every(({ change }) => change?.unhurried)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, logLimits.unhurriedMs)
    hurry = resolve
    await promise
    hurry = undefined
    clearTimeout(timer)
    await turn()
  }

  const commit = async (batch: readonly Waiting[]) => {
    try {
      // After a failure nobody knows whether the last batch was written; the storage does.
      if (!works) open = await openLog(storage, signer)
      const written = await commitBatch(open, batch, { storage, signer })
      open = written.open
      works = true
      written.settle()
    } catch (thrown) {
      works = false
      const failure = unwritable(thrown)
      for (const { reject } of batch) reject(failure)
    }
  }

  return {
    ...createLogReader({ storage, signer, current: () => open, cosigned }),
    writable: () => works,
    async record(change) {
      const receipt = await enqueue(change)
      if (!receipt) throw new Failure('internal', 'The log gave no receipt.')
      return receipt
    },
    probe: () =>
      enqueue(undefined).then(
        () => true,
        () => false,
      ),
    async close() {
      closed = true
      hurry?.()
      await busy
    },
  }
}

/** A caller that waits for its commit; without a change it only asks whether one works. */
type Waiting = {
  readonly change: LedgerChange | undefined
  readonly resolve: (receipt: EntryReceipt | undefined) => void
  readonly reject: (failure: Failure) => void
}

/** Writes those of the batch that are allowed; `settle` then tells every caller what became of its change. */
async function commitBatch(
  open: OpenLog,
  waiting: readonly Waiting[],
  world: { readonly storage: LogStorage; readonly signer: Signer },
): Promise<{ readonly open: OpenLog; readonly settle: () => void }> {
  const refusals = await refuse(waiting, world.storage)
  const accepted = waiting.filter((one) => !refusals.has(one))
  const changes = accepted.flatMap(({ change }) => change ?? [])
  const { batch, tree, receipts } = await composeBatch(open.tree, changes, world.signer)
  await world.storage.commit(batch)
  const given = receipts.values()
  return {
    open: { tree, head: batch.head },
    settle() {
      for (const { change, resolve } of accepted) resolve(change && given.next().value)
      for (const [{ reject }, failure] of refusals) reject(failure)
    },
  }
}

async function refuse(
  waiting: readonly Waiting[],
  storage: LogStorage,
): Promise<ReadonlyMap<Waiting, Failure>> {
  const withLease = waiting.filter(({ change }) => change?.lease)
  const leases = withLease.flatMap(({ change }) => change?.lease ?? [])
  if (leases.length === 0) return new Map()
  const verdicts = judgeLeaseMoves(leases, await storage.standings(leases))
  return new Map(
    withLease.flatMap((one, at) => {
      const failure = verdicts[at]
      return failure ? [[one, failure] as const] : []
    }),
  )
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function unwritable(thrown: unknown): Failure {
  const cause = toFailure(thrown)
  return new Failure('log_unwritable', 'The audit log cannot be written. Nothing was released.', {
    internal: `${cause.code}: ${cause.internal ?? cause.message}`,
    cause,
    next: 'try again; issuing resumes by itself when the log can be written',
  })
}

function full(): Failure {
  return new Failure('overloaded', 'Too many changes wait for the audit log.', { next: 'try again later' })
}

function closing(): Failure {
  return new Failure('shutting_down', 'The broker is shutting down.', { next: 'try again in a moment' })
}
