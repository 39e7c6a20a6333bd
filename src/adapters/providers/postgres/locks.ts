import { type Ask, type Database, lockIsHeld } from './database.ts'
import { isPlanted } from './planted.ts'
import { text } from './quote.ts'
import { cutOff } from './sessions.ts'

/**
 * One at a time for each lease: a revocation waits for a mint whose caller has gone, and then sees what came of it. The lock ends
 * with the transaction.
 */
export function leaseLock(leaseId: string): string {
  return `pg_advisory_xact_lock(${leaseLocks}, hashtext(${text(leaseId)}))`
}

const leaseLocks = 1_935_765_613
const grantLocks = 1_935_765_614

/** GRANT and REVOKE on one table fail when they meet (`tuple concurrently updated`), so the brokers queue. */
export const grantsLock = `pg_advisory_xact_lock(${grantLocks}, 0)`

/** How long a lock of the broker's own is waited for before somebody else is suspected of holding it, in milliseconds. */
const lockTimeoutMs = 1_500

/**
 * A transaction that begins with a lock. Advisory locks are everybody's to take: a credential that has one is cut off, and then the
 * transaction is tried once more. Throws `lockIsHeld` when somebody else has it, who may be a broker.
 */
export async function withLock<Result>(
  database: Database,
  lock: string,
  signal: AbortSignal,
  work: (ask: Ask) => Promise<Result>,
): Promise<Result> {
  const locked = () => database.transaction(signal, work, { lock, lockTimeoutMs })
  try {
    return await locked()
  } catch (thrown) {
    if (thrown !== lockIsHeld) throw thrown
    await freeLocks(database, signal)
    return locked()
  }
}

/** As `withLock`, for what is only easier when brokers do not meet in it: nobody who holds the lock stops the work. */
export async function withLockIfFree<Result>(
  database: Database,
  lock: string,
  signal: AbortSignal,
  work: (ask: Ask) => Promise<Result>,
): Promise<Result> {
  try {
    return await withLock(database, lock, signal, work)
  } catch (thrown) {
    if (thrown !== lockIsHeld) throw thrown
    return database.transaction(signal, work)
  }
}

async function freeLocks(database: Database, signal: AbortSignal): Promise<void> {
  const holders = await database.session(signal, (ask) =>
    ask(
      `SELECT DISTINCT r.oid AS role, r.rolname AS name FROM pg_locks l
         LEFT JOIN pg_stat_activity a USING (pid) LEFT JOIN pg_prepared_xacts p ON l.virtualtransaction = '-1/' || p.transaction
         JOIN pg_roles r ON r.oid = a.usesysid OR r.rolname = p.owner
        WHERE l.locktype = 'advisory' AND l.classid IN (${leaseLocks}, ${grantLocks}) AND ${isPlanted('r.oid')}`,
    ),
  )
  for (const { role, name } of holders)
    await cutOff(database, { role: Number(role), leaseId: String(name) }, signal)
}
