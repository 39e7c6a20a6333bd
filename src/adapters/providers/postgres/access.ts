import { createHash } from 'node:crypto'
import { Failure, type RandomBytes } from '../../../primitives/index.ts'
import type { Target } from './config.ts'
import type { Ask, Database } from './database.ts'
import { exactness, mayNotGrant, refuseInexact, type ServerFacts } from './exactness.ts'
import { isRefusedGrant } from './failure.ts'
import { grantsLock, withLockIfFree } from './locks.ts'
import { name, text } from './quote.ts'

/** How a role comes to its verb on its table. */
export type Access = {
  readonly target: Target
  readonly server: ServerFacts
  /** The group that holds the grant; absent on servers where a member could act as its group: there the role is granted it itself. */
  readonly group: string | undefined
  readonly opens: Opens
}

/** What everybody has already is not granted again: the catalogue stays small, and the broker needs less. */
type Opens = { readonly schema: boolean; readonly database: boolean }

/** The first version in which a membership can be without `SET ROLE`. */
const groupsSince = 160_000

/**
 * Finds or makes the group that holds one verb on one table and nothing else. Grants on a table are one list in one row, which every
 * change copies and for which all changes queue; memberships have a row each. Throws `provider_refused` when the table is not there,
 * cannot be granted, or would come with more.
 */
export async function findAccess(
  database: Database,
  { target, random }: { target: Target; random: RandomBytes },
  signal: AbortSignal,
): Promise<Access> {
  const prefix = groupPrefix(database, target)
  const find = async (ask: Ask) => {
    const { server, opens } = await findTable(ask, target)
    const direct: Access = { target, server, opens, group: undefined }
    if (server.version < groupsSince) return { access: direct, stale: [] }
    const groups = await groupsOf(ask, prefix)
    for (const group of groups)
      if (await isExact(ask, { ...direct, group })) return { access: { ...direct, group }, stale: [] }
    const group = `${prefix}${Buffer.from(random(4)).toString('hex')}`
    await makeGroup(ask, { ...direct, group })
    return { access: { ...direct, group }, stale: groups }
  }
  const { access, stale } = await withLockIfFree(database, grantsLock, signal, find)
  for (const group of stale) await dropUnused(database, group, signal)
  return access
}

/** Gives the roles of leases their access. */
export function accessStatements(
  { group, ...access }: Access,
  leaseIds: readonly string[],
): readonly string[] {
  if (group === undefined) return [`SELECT ${grantsLock}`, ...grantStatements(access, leaseIds)]
  // Without SET the holder cannot act as the group: whatever it makes is its own, and goes with it.
  return [`GRANT ${name(group)} TO ${leaseIds.map(name).join(', ')} WITH INHERIT TRUE, SET FALSE`]
}

/** So many are remembered; the next one begins anew, and what is asked for again is found again. */
export const accessesMax = 1000

export function remember(accesses: Map<string, Access>, key: string, access: Access): void {
  if (!accesses.has(key) && accesses.size >= accessesMax) accesses.clear()
  accesses.set(key, access)
}

/** What it grants and who made it: brokers with one login share a group, others could not use each other's. */
function groupPrefix({ server }: Database, { privilege, name: named }: Target): string {
  const what = JSON.stringify([server.user, server.database, privilege, named])
  return `sallyport_${createHash('sha256').update(what).digest('hex').slice(0, 16)}_`
}

/** Tables, partitioned tables, views, materialised views and foreign tables. */
const grantableKinds = ['r', 'p', 'v', 'm', 'f']

async function findTable(ask: Ask, target: Target): Promise<{ server: ServerFacts; opens: Opens }> {
  const { schema, table } = target
  const [row] = await ask(`
    SELECT c.relkind, has_schema_privilege('public', n.oid, 'USAGE') AS schema_is_open,
           has_database_privilege('public', d.oid, 'CONNECT') AS database_is_open,
           d.oid AS database, current_setting('server_version_num')::int AS version
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_database d ON d.datname = current_database()
     WHERE n.nspname = ${text(schema)} AND c.relname = ${text(table)}`)
  if (!row) throw new Failure('provider_refused', `There is no table ${schema}.${table} in the database.`)
  if (!grantableKinds.includes(String(row['relkind'])))
    throw new Failure('provider_refused', `${schema}.${table} is neither a table nor a view.`)
  return {
    server: { version: Number(row['version']), databaseOid: Number(row['database']) },
    opens: { schema: row['schema_is_open'] === true, database: row['database_is_open'] === true },
  }
}

/** Those that were made for the same and that the broker may give away. */
async function groupsOf(ask: Ask, prefix: string): Promise<readonly string[]> {
  const rows = await ask(
    `SELECT rolname FROM pg_roles WHERE starts_with(rolname::text, ${text(prefix)}) AND NOT rolcanlogin
        AND pg_has_role(oid, 'MEMBER WITH ADMIN OPTION') ORDER BY rolname`,
  )
  return rows.map((row) => String(row['rolname']))
}

type Grouped = Access & { readonly group: string }

async function isExact(ask: Ask, access: Grouped): Promise<boolean> {
  const [row] = await ask(exactness([access.group], access))
  return row?.['exact'] === true
}

async function makeGroup(ask: Ask, access: Grouped): Promise<void> {
  const { group, target } = access
  const statements = [
    `CREATE ROLE ${name(group)} NOLOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS`,
    `COMMENT ON ROLE ${name(group)} IS ${text(`sallyport group: ${target.privilege} on ${target.name}`)}`,
    ...grantStatements(access, [group]),
    exactness([group], access),
  ]
  const [row] = await ask(statements.join(';\n')).catch((thrown: unknown) => {
    throw isRefusedGrant(thrown) ? mayNotGrant(target) : thrown
  })
  if (row?.['exact'] !== true) await refuseInexact(ask, { ...access, role: group })
}

function grantStatements({ target, opens }: Omit<Access, 'group'>, to: readonly string[]): readonly string[] {
  const roles = to.map(name).join(', ')
  const columns = target.columns ? ` (${target.columns.map(name).join(', ')})` : ''
  return [
    ...(opens.database ? [] : [grantConnect(roles)]),
    ...(opens.schema ? [] : [`GRANT USAGE ON SCHEMA ${name(target.schema)} TO ${roles}`]),
    `GRANT ${target.privilege}${columns} ON TABLE ${name(target.schema)}.${name(target.table)} TO ${roles}`,
  ]
}

function grantConnect(roles: string): string {
  return `DO $do$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO ${roles}', current_database()); END $do$`
}

/** A group that is not exact any more goes when no lease is in it; one that the server does not let go stays and is not used. */
async function dropUnused(database: Database, group: string, signal: AbortSignal): Promise<void> {
  const role = name(group)
  const drop = async (ask: Ask) => {
    const [member] = await ask(
      `SELECT 1 FROM pg_auth_members WHERE roleid = ${text(role)}::regrole AND member <> current_user::regrole`,
    )
    if (!member) await ask(`GRANT ${role} TO CURRENT_USER; DROP OWNED BY ${role}; DROP ROLE ${role}`)
  }
  await withLockIfFree(database, grantsLock, signal, drop).catch(() => undefined)
}
