import type { MintOrder } from '../../../broker/index.ts'
import { Failure, timestamp } from '../../../primitives/index.ts'
import type { PostgresConfig, Privilege, Target } from './config.ts'
import type { Ask, Row } from './database.ts'
import { errorCode } from './failure.ts'
import { name, text } from './quote.ts'

/** What a role of the broker is made from. */
export type RoleOrder = {
  readonly order: MintOrder
  readonly target: Target
  readonly verifier: string
  readonly config: PostgresConfig
  readonly brokerName: string
}

/**
 * Makes the role of a lease inside a transaction: one verb on one table, and the lease id is its name. Resolves to false when a role of
 * that lease is there already. Throws `provider_refused` when the table is not there, cannot be granted, or would come with more.
 */
export async function createRole(ask: Ask, making: RoleOrder): Promise<boolean> {
  const { order, target } = making
  await lockLease(ask, order.leaseId)
  if (await findRole(ask, order.leaseId)) return false
  const table = await findTable(ask, target)
  await ask(roleStatements(making).join(';\n'))
  await grant(ask, order.leaseId, { target, table })
  await refuseUnlessExact(ask, { role: order.leaseId, target, table })
  return true
}

/**
 * One at a time for each lease: a revocation waits for a mint whose caller has gone, and then sees what came of it. The lock ends
 * with the transaction.
 */
export async function lockLease(ask: Ask, leaseId: string): Promise<void> {
  await ask('SELECT pg_advisory_xact_lock($1, hashtext($2))', [leaseLocks, leaseId])
}

/** GRANT and REVOKE on one table fail when they meet (`tuple concurrently updated`), so the brokers queue. */
export const lockGrants = 'SELECT pg_advisory_xact_lock(1935765614, 0)'
const leaseLocks = 1_935_765_613

/** The role's number, if there is such a role. Throws `provider_refused` when it is not one that a broker made. */
export async function findRole(ask: Ask, leaseId: string): Promise<number | undefined> {
  const [row] = await ask(
    `SELECT oid, coalesce(shobj_description(oid, 'pg_authid'), '') AS comment FROM pg_roles WHERE rolname = $1`,
    [leaseId],
  )
  if (!row) return undefined
  if (typeof row['oid'] !== 'number' || !String(row['comment']).startsWith(commentStart))
    throw new Failure('provider_refused', 'A role of that name exists which no broker made.')
  return row['oid']
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

function roleStatements({ order, target, verifier, config, brokerName }: RoleOrder): readonly string[] {
  const role = name(order.leaseId)
  // A request id comes from the caller's traceparent: only its plain characters stand in the comment.
  const requestId = order.requestId.replace(/[^A-Za-z0-9-]/g, '').slice(0, 64)
  const set = (setting: string, value: string) => `ALTER ROLE ${role} SET ${setting} = ${text(value)}`
  return [
    `CREATE ROLE ${role} LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS ` +
      `CONNECTION LIMIT ${config.connectionsPerLeaseMax} VALID UNTIL ${text(timestamp(order.notAfter))} ` +
      `PASSWORD ${text(verifier)}`,
    // Needed to end its sessions and to drop what it owns; the broker holds every privilege of it already.
    `GRANT ${role} TO CURRENT_USER`,
    `COMMENT ON ROLE ${role} IS ${text(`${commentOf(brokerName)}request ${requestId}`)}`,
    set('statement_timeout', `${config.leaseStatementTimeoutSeconds}s`),
    set('idle_in_transaction_session_timeout', `${config.leaseStatementTimeoutSeconds}s`),
    ...(target.privilege === 'SELECT' ? [set('default_transaction_read_only', 'on')] : []),
  ]
}

type Table = { readonly oid: number; readonly schemaIsOpen: boolean; readonly databaseIsOpen: boolean }

/** Tables, partitioned tables, views, materialised views and foreign tables. */
const grantableKinds = ['r', 'p', 'v', 'm', 'f']

async function findTable(ask: Ask, target: Target): Promise<Table> {
  const [row] = await ask(
    `SELECT c.oid, c.relkind, has_schema_privilege('public', n.oid, 'USAGE') AS schema_is_open,
            has_database_privilege('public', current_database(), 'CONNECT') AS database_is_open
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2`,
    [target.schema, target.table],
  )
  const named = `${target.schema}.${target.table}`
  if (!row || typeof row['oid'] !== 'number')
    throw new Failure('provider_refused', `There is no table ${named} in the database.`)
  if (!grantableKinds.includes(String(row['relkind'])))
    throw new Failure('provider_refused', `${named} is neither a table nor a view.`)
  return {
    oid: row['oid'],
    schemaIsOpen: row['schema_is_open'] === true,
    databaseIsOpen: row['database_is_open'] === true,
  }
}

async function grant(
  ask: Ask,
  leaseId: string,
  { target, table }: { target: Target; table: Table },
): Promise<void> {
  try {
    await ask(grantStatements(leaseId, target, table).join(';\n'))
  } catch (thrown) {
    throw errorCode(thrown) === '42501' ? mayNotGrant(target) : thrown
  }
}

/** What everybody has already is not granted again: the catalogue stays small, and the broker needs less. */
function grantStatements(leaseId: string, target: Target, table: Table): readonly string[] {
  const role = name(leaseId)
  const columns = target.columns ? ` (${target.columns.map(name).join(', ')})` : ''
  return [
    lockGrants,
    ...(table.databaseIsOpen ? [] : [grantConnect(role)]),
    ...(table.schemaIsOpen ? [] : [`GRANT USAGE ON SCHEMA ${name(target.schema)} TO ${role}`]),
    `GRANT ${target.privilege}${columns} ON TABLE ${name(target.schema)}.${name(target.table)} TO ${role}`,
  ]
}

function grantConnect(role: string): string {
  return `DO $do$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO ${role}', current_database()); END $do$`
}

/**
 * GRANT only warns when it grants nothing, and PUBLIC may hold more than was ordered: the database itself says what the new role can
 * do with the table, and anything but the order rolls it all back.
 */
async function refuseUnlessExact(
  ask: Ask,
  { role, target, table }: { role: string; target: Target; table: Table },
): Promise<void> {
  const held = (await ask(heldVerbs, [role, table.oid])).map((row: Row) => String(row['verb']))
  const named = `${target.schema}.${target.table}`
  if (!held.includes(target.privilege) || !(await reachesAsOrdered(ask, { role, target, table })))
    throw mayNotGrant(target)
  const more = held.filter((verb) => verb !== target.privilege)
  if (more.length > 0) throw tooWide(`everybody (PUBLIC) may also ${more.join(', ')}`, more.join(', '), named)
  if (!target.columns) return
  const columns = (await ask(heldColumns, [role, table.oid, target.privilege])).map((row) =>
    String(row['attname']),
  )
  const others = columns.filter((column) => !target.columns?.includes(column))
  if (others.length > 0)
    throw tooWide(
      `everybody (PUBLIC) may also ${target.privilege} ${others.join(', ')}`,
      target.privilege,
      named,
    )
}

function mayNotGrant({ privilege, schema, table }: Target): Failure {
  const message = `The broker's role may not grant ${privilege} on ${schema}.${table}.`
  return new Failure('provider_refused', message, {
    next: `GRANT ${privilege} ON ${schema}.${table} TO the broker's role WITH GRANT OPTION; the same for USAGE on the schema and CONNECT where PUBLIC has neither`,
  })
}

function tooWide(what: string, verbs: string, table: string): Failure {
  return new Failure(
    'provider_refused',
    `A credential for ${table} would be wider than the request: ${what}.`,
    {
      next: `REVOKE ${verbs} ON ${table} FROM PUBLIC`,
    },
  )
}

async function reachesAsOrdered(
  ask: Ask,
  { role, target, table }: { role: string; target: Target; table: Table },
): Promise<boolean> {
  const whole: Privilege | undefined = target.columns ? undefined : target.privilege
  const [row] = await ask(
    `SELECT has_schema_privilege($1, relnamespace, 'USAGE')
        AND has_database_privilege($1, current_database(), 'CONNECT')
        AND ($3::text IS NULL OR has_table_privilege($1, oid, $3)) AS reaches
       FROM pg_class WHERE oid = $2`,
    [role, table.oid, whole ?? null],
  )
  return row?.['reaches'] === true
}

const heldVerbs = `
  SELECT verb FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS verb
   WHERE has_any_column_privilege($1, $2::oid, verb)
  UNION ALL
  SELECT verb FROM unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) AS verb
   WHERE has_table_privilege($1, $2::oid, verb)`

const heldColumns = `
  SELECT attname FROM pg_attribute
   WHERE attrelid = $2::oid AND attnum > 0 AND NOT attisdropped AND has_column_privilege($1, $2::oid, attnum, $3)`
