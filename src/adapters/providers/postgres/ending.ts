import type { Ask, Database, Row } from './database.ts'
import { grantsLock, leaseLock, withLock, withLockIfFree } from './locks.ts'
import { findRole } from './planted.ts'
import { name } from './quote.ts'
import {
  type Holder,
  join,
  keepCuttingOff,
  terminateOnce,
  terminateSessions,
  unlessGone,
} from './sessions.ts'

/**
 * Ends the role of a lease: no session, no new login, no privilege, nothing owned, no role. Every step may be repeated, by anybody, at
 * any time; when the role is gone there is nothing left to do. Nothing that its holder can lock stands before the end of its sessions.
 */
export async function endRole(database: Database, leaseId: string, signal: AbortSignal): Promise<void> {
  const find = (ask: Ask) => findRole(ask, leaseId)
  const role =
    (await database.session(signal, find)) ?? (await withLock(database, leaseLock(leaseId), signal, find))
  if (role === undefined) return
  await shutOut(database, { role, leaseId }, signal)
  const places = await database.session(signal, async (ask) => {
    await terminateSessions(ask, role)
    return placesOf(ask, role)
  })
  for (const { database: other } of places.filter(({ here }) => !here))
    await database.elsewhere(other, signal, (ask) => unlessGone(ask(`DROP OWNED BY ${name(leaseId)}`)))
  const drop = async (ask: Ask) => {
    if ((await find(ask)) === undefined) return
    // Who was in the middle of logging in while logins were forbidden is seen now.
    await terminateSessions(ask, role)
    await unlessGone(ask(`DROP OWNED BY ${name(leaseId)}; DROP ROLE ${name(leaseId)}`))
  }
  const locks = places.some(({ here }) => here) ? [leaseLock(leaseId), grantsLock] : [leaseLock(leaseId)]
  await withLockIfFree(database, locks.join(', '), signal, drop)
}

/** Its sessions end, and there are no new ones. */
async function shutOut(database: Database, holder: Holder, signal: AbortSignal): Promise<void> {
  await database.session(signal, async (ask) => {
    await join(ask, holder)
    await terminateOnce(ask, holder.role)
  })
  const forbid = (ask: Ask) => unlessGone(ask(`ALTER ROLE ${name(holder.leaseId)} NOLOGIN`))
  const atOnce = await database.transaction(signal, forbid, { lockTimeoutMs: 100 }).then(
    () => true,
    () => false,
  )
  if (atOnce) return
  // A role may alter itself, and keeps its row locked while it does. Who waits for the row comes next when that session is cut off.
  const over = new AbortController()
  const cutting = keepCuttingOff(database, holder, AbortSignal.any([signal, over.signal]))
  try {
    await database.transaction(signal, forbid)
  } finally {
    over.abort()
    await cutting
  }
}

type Place = { readonly database: string; readonly here: boolean }

/** Where it owns something or was granted something: in any database that it may connect to. What all databases share counts as here. */
async function placesOf(ask: Ask, role: number): Promise<readonly Place[]> {
  const rows = await ask(
    `SELECT DISTINCT coalesce(d.datname, current_database()) AS name, coalesce(d.datname = current_database(), true) AS here
       FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid
      WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1`,
    [role],
  )
  return rows.map((row: Row) => ({ database: String(row['name']), here: row['here'] === true }))
}
