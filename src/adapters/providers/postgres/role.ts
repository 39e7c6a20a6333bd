import type { MintOrder } from '../../../broker/index.ts'
import { timestamp } from '../../../primitives/index.ts'
import { type Access, accessStatements } from './access.ts'
import type { PostgresConfig } from './config.ts'
import type { Ask } from './database.ts'
import { exactness, mayNotGrant, refuseInexact } from './exactness.ts'
import { errorCode, isRefusedGrant } from './failure.ts'
import { commentOf } from './planted.ts'
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
