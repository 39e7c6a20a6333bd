import { setTimeout as pause } from 'node:timers/promises'
import { Failure } from '../../../primitives/index.ts'
import type { Ask, Database } from './database.ts'
import { errorCode, isCatalogRace } from './failure.ts'
import { name } from './quote.ts'

/** The role of a lease: its number, and the lease id that is its name. */
export type Holder = { readonly role: number; readonly leaseId: string }

/** Its privileges are needed to end its sessions and to drop what it owns; the broker holds every one of them already. */
export async function join(ask: Ask, { role, leaseId }: Holder): Promise<void> {
  const [row] = await ask(`SELECT pg_has_role(${role}::oid, 'USAGE') AS joined`)
  if (row?.['joined'] === true) return
  const granted = ask(`GRANT ${name(leaseId)} TO CURRENT_USER`).catch((thrown: unknown) => {
    // Somebody else ends the same role, and was faster.
    if (errorCode(thrown) !== '23505' && !isCatalogRace(thrown)) throw thrown
  })
  await unlessGone(granted)
}

/** Another ending of the same role was faster: it is not there any more. */
export async function unlessGone(asked: Promise<unknown>): Promise<void> {
  try {
    await asked
  } catch (thrown) {
    if (errorCode(thrown) !== '42704') throw thrown
  }
}

const terminateRoundsMax = 5

/** `pg_terminate_backend` with a time waits until the session is gone (PostgreSQL 14 and later). */
export async function terminateSessions(ask: Ask, role: number): Promise<void> {
  for (let round = 1; round <= terminateRoundsMax; round += 1)
    if ((await terminateOnce(ask, role)) === 0) return
  throw new Failure('provider_timeout', 'A session of the credential does not end.')
}

/** How many there were. */
export async function terminateOnce(ask: Ask, role: number): Promise<number> {
  // Within a transaction the list of sessions would stay as it was first seen.
  await ask('SELECT pg_stat_clear_snapshot()')
  const sessions = await ask(
    'SELECT pg_terminate_backend(pid, 800) FROM pg_stat_activity WHERE usesysid = $1',
    [role],
  )
  return sessions.length
}

/** Takes from a credential whatever it holds in the server: its sessions, and transactions that it prepared and that outlive them. */
export async function cutOff(database: Database, holder: Holder, signal: AbortSignal): Promise<void> {
  const prepared = await database.session(signal, async (ask) => {
    await join(ask, holder)
    await terminateOnce(ask, holder.role)
    return ask('SELECT quote_literal(gid) AS gid, database FROM pg_prepared_xacts WHERE owner = $1', [
      holder.leaseId,
    ])
  })
  // Its owner alone may roll one back, in its database and outside of a transaction.
  for (const { gid, database: there } of prepared)
    await database.elsewhere(String(there), signal, async (ask) => {
      await ask(`SET ROLE ${name(holder.leaseId)}`)
      await ask(`ROLLBACK PREPARED ${String(gid)}`)
    })
}

/** Goes on until it is told to stop: whoever comes back is cut off again. */
export async function keepCuttingOff(database: Database, holder: Holder, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await cutOff(database, holder, signal).catch(() => undefined)
    await pause(cutAgainMs, undefined, { signal }).catch(() => undefined)
  }
}

const cutAgainMs = 20
