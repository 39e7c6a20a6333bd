import { Failure } from '../../../primitives/index.ts'
import type { Target } from './config.ts'
import type { Ask, Row } from './database.ts'
import { name, text } from './quote.ts'

/** Who should be able to do what `target` says, and nothing else. */
export type Holder = {
  readonly role: string
  /** The group that the role has it from, if it is from one. It may be the role itself. */
  readonly group: string | undefined
  readonly target: Target
  readonly server: ServerFacts
}

export type ServerFacts = {
  /** As in `server_version_num`: 180004 is 18.4. */
  readonly version: number
  /** The number of the database that the broker is logged in to. */
  readonly databaseOid: number
}

/**
 * A question with one row, `exact`: each of the roles reaches the table with its one verb, can do nothing else with it, with its schema or
 * with the database that not everybody can, and their group holds nothing anywhere that was not ordered.
 */
export function exactness(roles: readonly string[], { group, target, server }: Omit<Holder, 'role'>): string {
  const [who, schema, database] = ['holder', text(target.schema), 'current_database()']
  const verbs = verbsOf(server)
  const others = (of: readonly string[]) => text(of.filter((verb) => verb !== target.privilege).join())
  const asEverybody = (what: string, verb: string) =>
    `has_${what}_privilege(${who}, ${what === 'schema' ? schema : database}, '${verb}') = ` +
    `has_${what}_privilege('public', ${what === 'schema' ? schema : database}, '${verb}')`
  const conditions = [
    `has_database_privilege(${who}, ${database}, 'CONNECT')`,
    `has_schema_privilege(${who}, ${schema}, 'USAGE')`,
    holdsVerb(who, target),
    `NOT has_any_column_privilege(${who}, ${tableOf(target)}, ${others(verbs.ofColumns)})`,
    `NOT has_table_privilege(${who}, ${tableOf(target)}, ${others(verbs.ofTables)})`,
    asEverybody('schema', 'CREATE'),
    asEverybody('database', 'CREATE'),
    asEverybody('database', 'TEMPORARY'),
  ]
  const each = `bool_and((${conditions.join('\n AND ')}) IS TRUE)`
  const held = group === undefined ? [] : holdsNothingElse(group, target, server)
  return `SELECT ${[each, ...held].join('\n AND ')} AS exact FROM unnest(ARRAY[${roles.map(text).join()}]::name[]) AS holder`
}

function tableOf({ schema, table }: Target): string {
  return text(`${name(schema)}.${name(table)}`)
}

function verbsOf({ version }: ServerFacts) {
  return {
    ofColumns: ['SELECT', 'INSERT', 'UPDATE', 'REFERENCES'],
    ofTables: ['DELETE', 'TRUNCATE', 'TRIGGER', ...(version >= 170_000 ? ['MAINTAIN'] : [])],
  }
}

function holdsVerb(who: string, target: Target): string {
  const [table, verb] = [tableOf(target), text(target.privilege)]
  if (!target.columns) return `has_table_privilege(${who}, ${table}, ${verb})`
  const columns = target.columns.map(text).join()
  return (
    `has_any_column_privilege(${who}, ${table}, ${verb}) AND NOT EXISTS (SELECT FROM pg_attribute WHERE ` +
    `attrelid = ${table}::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN (${columns}) AND ` +
    `has_column_privilege(${who}, attrelid, attnum, ${verb}))`
  )
}

/** The server keeps a list of all that mentions a role, in every database: grants, ownership, policies. */
function holdsNothingElse(group: string, target: Target, { databaseOid }: ServerFacts): readonly string[] {
  const role = `${text(name(group))}::regrole`
  return [
    `NOT EXISTS (SELECT FROM pg_auth_members WHERE member = ${role})`,
    `NOT EXISTS (SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = ${role} AND NOT (` +
      `deptype = 'a' AND CASE classid WHEN 'pg_class'::regclass THEN dbid = ${databaseOid} AND objid = ${tableOf(target)}::regclass ` +
      `WHEN 'pg_namespace'::regclass THEN dbid = ${databaseOid} AND objid = ${text(name(target.schema))}::regnamespace ` +
      `ELSE classid = 'pg_database'::regclass AND objid = ${databaseOid} END))`,
  ]
}

/**
 * Says why a role is not exact. GRANT only warns when it grants nothing, and PUBLIC may hold more than was ordered. Throws
 * `provider_refused` with the remedy, and in any case.
 */
export async function refuseInexact(ask: Ask, { role, target, server }: Holder): Promise<never> {
  const [row] = await ask(whatIsHeld(role, target, server))
  const held = names(row, 'held')
  const more = held.filter((verb) => verb !== target.privilege)
  if (held.includes(target.privilege) && row?.['reaches'] === true) {
    if (more.length > 0)
      throw tooWide(`everybody (PUBLIC) may also ${more.join(', ')}`, more.join(', '), target)
    const others = names(row, 'columns').filter((column) => !target.columns?.includes(column))
    if (target.columns && others.length > 0)
      throw tooWide(
        `everybody (PUBLIC) may also ${target.privilege} ${others.join(', ')}`,
        target.privilege,
        target,
      )
  }
  throw mayNotGrant(target)
}

function names(row: Row | undefined, column: string): readonly string[] {
  const list = row?.[column]
  return Array.isArray(list) ? list.map(String) : []
}

export function mayNotGrant({ privilege, schema, table }: Target): Failure {
  const message = `The broker's role may not grant ${privilege} on ${schema}.${table}.`
  return new Failure('provider_refused', message, {
    next: `GRANT ${privilege} ON ${name(schema)}.${name(table)} TO the broker's role WITH GRANT OPTION; the same for USAGE on the schema and CONNECT where PUBLIC has neither`,
  })
}

function tooWide(what: string, verbs: string, { schema, table }: Target): Failure {
  const message = `A credential for ${schema}.${table} would be wider than the request: ${what}.`
  const next = `REVOKE ${verbs} ON ${name(schema)}.${name(table)} FROM PUBLIC`
  return new Failure('provider_refused', message, { next })
}

/** What a role can do with the table, whether it gets there, and which columns it can use: one row. */
function whatIsHeld(role: string, target: Target, server: ServerFacts): string {
  const [who, table, verb] = [text(role), tableOf(target), text(target.privilege)]
  const verbs = verbsOf(server)
  const list = (of: readonly string[]) => `unnest(ARRAY[${of.map(text).join()}]) AS verb`
  return `
  SELECT ARRAY(
      SELECT verb FROM ${list(verbs.ofColumns)} WHERE has_any_column_privilege(${who}, ${table}, verb)
      UNION ALL
      SELECT verb FROM ${list(verbs.ofTables)} WHERE has_table_privilege(${who}, ${table}, verb)
    ) AS held,
    has_schema_privilege(${who}, ${text(target.schema)}, 'USAGE')
      AND has_database_privilege(${who}, current_database(), 'CONNECT') AS reaches,
    ARRAY(
      SELECT attname::text FROM pg_attribute
       WHERE attrelid = ${table}::regclass AND attnum > 0 AND NOT attisdropped AND has_column_privilege(${who}, attrelid, attnum, ${verb})
    ) AS columns`
}
