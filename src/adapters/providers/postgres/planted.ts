import { Failure } from '../../../primitives/index.ts'
import type { Ask } from './database.ts'
import { text } from './quote.ts'

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

/** Whether the role with that number is one that a broker made. */
export function isPlanted(oid: string): string {
  return `starts_with(coalesce(shobj_description(${oid}, 'pg_authid'), ''), ${text(commentStart)})`
}

export function commentOf(brokerName: string): string {
  return `${commentStart}${brokerName.replace(/[^A-Za-z0-9._:/-]/g, '_')}, `
}
