import type { MintOrder } from '../../../broker/index.ts'
import { Failure, timestamp } from '../../../primitives/index.ts'
import { type Access, accessStatements } from './access.ts'
import type { PostgresConfig } from './config.ts'
import type { Ask } from './database.ts'
import { exactness, mayNotGrant, refuseInexact } from './exactness.ts'
import { errorCode, isRefusedGrant } from './failure.ts'
import { name, text } from './quote.ts'

/** What a role of the broker is made from. */
export type RoleOrder = {
  readonly order: MintOrder
  readonly access: Access
  readonly verifier: string
  readonly limits: Pick<PostgresConfig, 'leaseStatementTimeoutSeconds' | 'connectionsPerLeaseMax'>
  readonly brokerName: string
}

/**
 * Makes the role of a lease inside a transaction that holds its lock: one verb on one table, and the lease id is its name. The database
 * itself then says what the new role can do, and anything but the order rolls it all back: `provider_refused`. Resolves to false when
 * there is a role of that name already; the transaction is then one that failed.
 */
export async function createRole(ask: Ask, making: RoleOrder): Promise<boolean> {
  const { order, access } = making
  const holder = { ...access, role: order.leaseId }
  try {
    const [row] = await ask(roleText(access, [making]))
    if (row?.['exact'] !== true) await refuseInexact(ask, holder)
    return true
  } catch (thrown) {
    if (errorCode(thrown) === duplicateObject) return false
    throw isRefusedGrant(thrown) ? mayNotGrant(access.target) : thrown
  }
}

const duplicateObject = '42710'

/**
 * One at a time for each lease: a revocation waits for a mint whose caller has gone, and then sees what came of it. The lock ends
 * with the transaction.
 */
export function leaseLock(leaseId: string): string {
  return `pg_advisory_xact_lock(${leaseLocks}, hashtext(${text(leaseId)}))`
}

const leaseLocks = 1_935_765_613

/** The role's number, if there is such a role. Throws `provider_refused` when it is not one that a broker made. */
export async function findRole(ask: Ask, leaseId: string): Promise<number | undefined> {
  const [row] = await ask(
    `SELECT oid AS role, coalesce(shobj_description(oid, 'pg_authid'), '') AS comment FROM pg_roles WHERE rolname = $1`,
    [leaseId],
  )
  if (!row) return undefined
  if (typeof row['role'] === 'number' && String(row['comment']).startsWith(commentStart)) return row['role']
  throw new Failure('provider_refused', 'A role of that name exists which no broker made.')
}

/** The lease ids whose roles this broker made. */
export async function plantedRoles(ask: Ask, brokerName: string): Promise<readonly string[]> {
  const rows = await ask(
    `SELECT rolname FROM pg_roles WHERE starts_with(shobj_description(oid, 'pg_authid'), $1)`,
    [commentOf(brokerName)],
  )
  return rows.map((row) => String(row['rolname']))
}

const commentStart = 'sallyport lease of '

function commentOf(brokerName: string): string {
  return `${commentStart}${brokerName.replace(/[^A-Za-z0-9._:/-]/g, '_')}, `
}

/** What is written for roles of one access, and after it the question whether they are exact: one text. */
export function roleText(access: Access, makings: readonly RoleOrder[]): string {
  const leaseIds = makings.map(({ order }) => order.leaseId)
  return [...roleStatements(access, makings), exactness(leaseIds, access)].join(';\n')
}

/**
 * What is written for roles of one access. After CREATE ROLE and GRANT the server looks through all roles that the broker made before it lets it
 * alter or grant one, so each kind comes once for all.
 */
export function roleStatements(access: Access, makings: readonly RoleOrder[]): readonly string[] {
  const leaseIds = makings.map(({ order }) => order.leaseId)
  const each = makings.map(ownStatements)
  const steps = each[0]?.keys() ?? []
  return [
    ...[...steps].flatMap((step) => each.flatMap((statements) => statements[step] ?? [])),
    ...accessStatements(access, leaseIds),
  ]
}

function ownStatements({ order, access, verifier, limits, brokerName }: RoleOrder): readonly string[] {
  const role = name(order.leaseId)
  // A request id comes from the caller's traceparent: only its plain characters stand in the comment.
  const requestId = order.requestId.replace(/[^A-Za-z0-9-]/g, '').slice(0, 64)
  const set = (setting: string, value: string) => `ALTER ROLE ${role} SET ${setting} = ${text(value)}`
  return [
    `CREATE ROLE ${role} LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS ` +
      `CONNECTION LIMIT ${limits.connectionsPerLeaseMax} VALID UNTIL ${text(timestamp(order.notAfter))} ` +
      `PASSWORD ${text(verifier)}`,
    `COMMENT ON ROLE ${role} IS ${text(`${commentOf(brokerName)}request ${requestId}`)}`,
    set('statement_timeout', `${limits.leaseStatementTimeoutSeconds}s`),
    set('idle_in_transaction_session_timeout', `${limits.leaseStatementTimeoutSeconds}s`),
    ...(access.target.privilege === 'SELECT' ? [set('default_transaction_read_only', 'on')] : []),
  ]
}
