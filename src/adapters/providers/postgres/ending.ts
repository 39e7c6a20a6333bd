import { Failure } from '../../../primitives/index.ts'
import { grantsLock } from './access.ts'
import type { Ask, Database, Row } from './database.ts'
import { errorCode } from './failure.ts'
import { name } from './quote.ts'
import { findRole, leaseLock } from './role.ts'

/**
 * Ends the role of a lease: no new login, no session, no privilege, nothing owned, no role. Every step may be repeated, by anybody, at
 * any time; when the role is gone there is nothing left to do.
 */
export async function endRole(database: Database, leaseId: string, signal: AbortSignal): Promise<void> {
  const named = name(leaseId)
  const lock = leaseLock(leaseId)
  const forbidLogin = async (ask: Ask) => {
    const found = await findRole(ask, leaseId)
    // Its privileges are needed to end its sessions and to drop what it owns; the broker holds every one of them already.
    if (found !== undefined) await ask(`ALTER ROLE ${named} NOLOGIN; GRANT ${named} TO CURRENT_USER`)
    return found
  }
  const role = await database.transaction(signal, forbidLogin, { lock })
  if (role === undefined) return
  const places = await database.session(signal, async (ask) => {
    await terminateSessions(ask, role)
    return placesOf(ask, role)
  })
  for (const { database: other } of places.filter(({ here }) => !here))
    await database.elsewhere(other, signal, (ask) => dropOwned(ask, leaseId))
  const drop = async (ask: Ask) => {
    if ((await findRole(ask, leaseId)) === undefined) return
    // Who was in the middle of logging in while logins were forbidden is seen now.
    await terminateSessions(ask, role)
    if (places.some(({ here }) => here)) await ask(`SELECT ${grantsLock}`)
    await ask(`DROP OWNED BY ${named}; DROP ROLE ${named}`)
  }
  await database.transaction(signal, drop, { lock })
}

const terminateRoundsMax = 5

/** `pg_terminate_backend` with a time waits until the session is gone (PostgreSQL 14 and later). */
async function terminateSessions(ask: Ask, role: number): Promise<void> {
  for (let round = 1; round <= terminateRoundsMax; round += 1) {
    // Within a transaction the list of sessions would stay as it was first seen.
    await ask('SELECT pg_stat_clear_snapshot()')
    const sessions = await ask(
      'SELECT pg_terminate_backend(pid, 800) FROM pg_stat_activity WHERE usesysid = $1',
      [role],
    )
    if (sessions.length === 0) return
  }
  throw new Failure('provider_timeout', 'A session of the credential does not end.')
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

async function dropOwned(ask: Ask, leaseId: string): Promise<void> {
  try {
    await ask(`DROP OWNED BY ${name(leaseId)}`)
  } catch (thrown) {
    // Another revocation was here first, and the role is gone.
    if (errorCode(thrown) !== '42704') throw thrown
  }
}
