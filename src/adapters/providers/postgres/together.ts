import { Failure } from '../../../primitives/index.ts'
import type { Access } from './access.ts'
import type { Ask, Database } from './database.ts'
import { isCatalogRace, isSqlState, toProviderFailure } from './failure.ts'
import { leaseLock, withLock } from './locks.ts'
import { createRole, type RoleOrder, roleText } from './role.ts'

/** Makes the role of a lease. Resolves to false when there is a role of its name already. Throws failures of the provider port. */
export type MakeRole = (making: RoleOrder, signal: AbortSignal) => Promise<boolean>

export const togetherLimits = {
  /** Transactions under way for one access. Who comes meanwhile waits, and those who wait share the next one. */
  transactionsMax: 2,
  /** Roles in one transaction. */
  rolesMax: 8,
  /** How long a shared transaction waits for a lock, in milliseconds: another attempt may be busy with the lease of one of them. */
  lockMs: 200,
} as const

/**
 * Roles of one access that are ordered while others are being made share a transaction: to the server, a transaction is more work than a
 * role. The statements for each are those that it would have alone, and so are the questions before the commit. What cannot be made
 * together is made alone, so that nobody has another's refusal or waits for another's lease.
 */
export function createRoleMaker(database: Database): MakeRole {
  const queues = new WeakMap<Access, Queue>()
  const queueOf = (access: Access) => {
    const queue = queues.get(access) ?? { access, waiting: [], running: 0 }
    queues.set(access, queue)
    return queue
  }
  return async (making, signal) => {
    if (signal.aborted) throw toProviderFailure(signal.reason, signal)
    const queue = queueOf(making.access)
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    const ordered = { making, signal, resolve, reject }
    const goAway = () => {
      queue.waiting = queue.waiting.filter((one) => one !== ordered)
      reject(toProviderFailure(signal.reason, signal))
    }
    signal.addEventListener('abort', goAway, { once: true })
    queue.waiting.push(ordered)
    advance(database, queue)
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', goAway)
    }
  }
}

type Queue = { readonly access: Access; waiting: Ordered[]; running: number }

type Ordered = {
  readonly making: RoleOrder
  readonly signal: AbortSignal
  readonly resolve: (made: boolean) => void
  readonly reject: (thrown: unknown) => void
}

function advance(database: Database, queue: Queue): void {
  while (queue.running < togetherLimits.transactionsMax && queue.waiting.length > 0) {
    const batch = queue.waiting.splice(0, togetherLimits.rolesMax)
    queue.running += 1
    void make(database, queue.access, batch).finally(() => {
      queue.running -= 1
      advance(database, queue)
    })
  }
}

async function make(database: Database, access: Access, batch: readonly Ordered[]): Promise<void> {
  try {
    const made = await makeTogether(database, access, batch)
    // Nobody waits here for who is alone: it may have to wait for somebody else.
    for (const one of batch) {
      if (made) one.resolve(true)
      else makeAlone(database, one).then(one.resolve, one.reject)
    }
  } catch (thrown) {
    for (const { reject } of batch) reject(thrown)
  }
}

function makeAlone(database: Database, { making, signal }: Ordered): Promise<boolean> {
  return withLock(database, leaseLock(making.order.leaseId), signal, (ask) => createRole(ask, making))
}

/** False when nothing was made and each is to be made alone. What it throws is true of each: the server may have committed, or not. */
async function makeTogether(database: Database, access: Access, batch: readonly Ordered[]): Promise<boolean> {
  const makings = batch.map(({ making }) => making)
  const signals = batch.map(({ signal }) => signal)
  const work = async (ask: Ask) => {
    const [row] = await ask(roleText(access, makings)).catch((thrown: unknown) => {
      throw isSqlState(thrown) && !isCatalogRace(thrown) ? apart : thrown
    })
    // Nobody waits for the role of a caller who has gone, and once the commit is sent it can no longer be left out.
    if (row?.['exact'] !== true || signals.some(({ aborted }) => aborted)) throw apart
  }
  const lock = makings.map(({ order }) => leaseLock(order.leaseId)).join(', ')
  try {
    await database.transaction(whenAllHaveGone(signals), work, { lock, lockTimeoutMs: togetherLimits.lockMs })
    return true
  } catch (thrown) {
    if (thrown === apart) return false
    throw thrown
  }
}

const apart = new Failure('provider_throttled', 'These roles cannot be made together.')

function whenAllHaveGone(signals: readonly AbortSignal[]): AbortSignal {
  const gone = new AbortController()
  const look = () => {
    if (signals.every(({ aborted }) => aborted)) gone.abort(signals[0]?.reason)
  }
  for (const signal of signals) signal.addEventListener('abort', look, { once: true })
  return gone.signal
}
