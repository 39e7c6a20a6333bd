import type { MintOrder } from '../../../broker/index.ts'
import { Failure, timestamp } from '../../../primitives/index.ts'
import type { PostgresConfig, Privilege, Target } from './config.ts'
import type { Ask, Row } from './database.ts'
import { isRefusedGrant } from './failure.ts'
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
  const { role, table } = await findBoth(ask, order.leaseId, target)
  if (role !== undefined) return false
  if (!table) throw noTable(target)
  const granting = { role: order.leaseId, target, table }
  const statements = [...roleStatements(making), ...grantStatements(granting), whatIsHeld(granting)]
  const [held] = await ask(statements.join(';\n')).catch((thrown: unknown) => {
    throw isRefusedGrant(thrown) ? mayNotGrant(target) : thrown
  })
  await refuseUnlessExact(ask, granting, held ?? {})
  return true
}

/**
 * One at a time for each lease: a revocation waits for a mint whose caller has gone, and then sees what came of it. The lock ends
 * with the transaction.
 */
export function lockLease(leaseId: string): string {
  return `SELECT pg_advisory_xact_lock(${leaseLocks}, hashtext(${text(leaseId)}))`
}

/** GRANT and REVOKE on one table fail when they meet (`tuple concurrently updated`), so the brokers queue. */
export const lockGrants = 'SELECT pg_advisory_xact_lock(1935765614, 0)'
const leaseLocks = 1_935_765_613

/** The role's number, if there is such a role. Throws `provider_refused` when it is not one that a broker made. */
export async function findRole(ask: Ask, leaseId: string): Promise<number | undefined> {
  const [row] = await ask(
    `SELECT oid AS role, coalesce(shobj_description(oid, 'pg_authid'), '') AS comment FROM pg_roles WHERE rolname = $1`,
    [leaseId],
  )
  return row && roleOf(row)
}

function roleOf(row: Row): number {
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

/** The role of the lease, and the table, in one question; nobody else makes or ends that role meanwhile. */
async function findBoth(
  ask: Ask,
  leaseId: string,
  target: Target,
): Promise<{ readonly role: number | undefined; readonly table: Table | undefined }> {
  const [row] = await ask(`${lockLease(leaseId)};
    SELECT r.oid AS role, coalesce(shobj_description(r.oid, 'pg_authid'), '') AS comment, t.*
      FROM (SELECT) AS always
      LEFT JOIN pg_roles r ON r.rolname = ${text(leaseId)}
      LEFT JOIN (
        SELECT c.oid, c.relkind, has_schema_privilege('public', n.oid, 'USAGE') AS schema_is_open,
               has_database_privilege('public', current_database(), 'CONNECT') AS database_is_open
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = ${text(target.schema)} AND c.relname = ${text(target.table)}) AS t ON true`)
  const role = row && row['role'] !== null ? roleOf(row) : undefined
  return { role, table: row && tableOf(row, target) }
}

function tableOf(row: Row, { schema, table }: Target): Table | undefined {
  if (typeof row['oid'] !== 'number') return undefined
  if (!grantableKinds.includes(String(row['relkind'])))
    throw new Failure('provider_refused', `${schema}.${table} is neither a table nor a view.`)
  return {
    oid: row['oid'],
    schemaIsOpen: row['schema_is_open'] === true,
    databaseIsOpen: row['database_is_open'] === true,
  }
}

function noTable({ schema, table }: Target): Failure {
  return new Failure('provider_refused', `There is no table ${schema}.${table} in the database.`)
}

type Granting = { readonly role: string; readonly target: Target; readonly table: Table }

/** What everybody has already is not granted again: the catalogue stays small, and the broker needs less. */
function grantStatements({ role: leaseId, target, table }: Granting): readonly string[] {
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
async function refuseUnlessExact(ask: Ask, { role, target, table }: Granting, row: Row): Promise<void> {
  const held = Array.isArray(row['held']) ? row['held'].map(String) : []
  const named = `${target.schema}.${target.table}`
  if (!held.includes(target.privilege) || row['reaches'] !== true) throw mayNotGrant(target)
  const more = held.filter((verb) => verb !== target.privilege)
  if (more.length > 0) throw tooWide(`everybody (PUBLIC) may also ${more.join(', ')}`, more.join(', '), named)
  if (!target.columns) return
  const columns = (await ask(heldColumns, [role, table.oid, target.privilege])).map((column) =>
    String(column['attname']),
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

/** What a role can do with the table, and whether it gets there: one row. */
function whatIsHeld({ role, target, table }: Granting): string {
  const [who, oid] = [text(role), `${table.oid}::oid`]
  const whole: Privilege | undefined = target.columns ? undefined : target.privilege
  return `
  SELECT ARRAY(
      SELECT verb FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS verb
       WHERE has_any_column_privilege(${who}, ${oid}, verb)
      UNION ALL
      SELECT verb FROM unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) AS verb
       WHERE has_table_privilege(${who}, ${oid}, verb)
    ) AS held,
    has_schema_privilege(${who}, relnamespace, 'USAGE')
      AND has_database_privilege(${who}, current_database(), 'CONNECT')
      ${whole ? `AND has_table_privilege(${who}, oid, ${text(whole)})` : ''} AS reaches
    FROM pg_class WHERE oid = ${oid}`
}

const heldColumns = `
  SELECT attname FROM pg_attribute
   WHERE attrelid = $2::oid AND attnum > 0 AND NOT attisdropped AND has_column_privilege($1, $2::oid, attnum, $3)`
