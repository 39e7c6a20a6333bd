import type { Contract } from '../contract.ts'
import type { DatabaseRole, Environment, MigrationRules } from '../environment.ts'
import {
  both,
  byRank,
  compareDemand,
  compareEntries,
  compareItems,
  compareValue,
  type Draft,
  demands,
  type Effect,
  informs,
  type Judged,
  permits,
  type Sides,
} from './change.ts'
import { environmentOf } from './nothing.ts'

const row = ['allow', 'confirm', 'deny'] as const

/** Which databases take migrations. */
export function compareMigrations(sides: Sides<Contract>): readonly Draft[] {
  const { before, after } = both(sides, (contract) => environmentOf(contract).migrations)
  if (!before || !after) return presence(sides, 'migrations', 'The rules for migrations')
  const rules = { before, after }
  return [
    ...compareValue(
      'migrations.roleVariable',
      both(rules, ({ roleVariable }) => roleVariable),
      'looser',
      'The variable of the database role',
    ),
    ...compareItems(
      'migrations.informational',
      both(rules, (one) => one.informational),
      informs,
      (name, now) => (now === 'added' ? `${name} informs.` : `${name} no longer informs.`),
    ),
    ...compareEntries(
      'migrations.roles',
      both(rules, ({ roles }) => roles),
      {
        noun: 'The database role',
        judged: ({ migrate }): Judged => (migrate === 'deny' ? informs : permits),
        within: compareRole,
      },
    ),
    ...compareMapping(rules),
    ...compareItems(
      'migrations.bootstrap.tables',
      both(rules, ({ bootstrap }) => bootstrap?.tables ?? []),
      demands,
      (table, now) =>
        now === 'added'
          ? `A database without the table ${table} takes no migration.`
          : `A database without the table ${table} takes migrations.`,
    ),
    ...compareDemand(
      'migrations.bootstrap',
      both(rules, ({ bootstrap }) => bootstrap && { ...bootstrap, tables: undefined }),
      'What an empty database needs first',
      'other',
    ),
  ]
}

/** A part that one side lacks; with it something is demanded. */
export function presence(
  sides: Sides<Contract>,
  key: 'migrations' | 'references' | 'secretRules' | 'agents',
  what: string,
): readonly Draft[] {
  const { before, after } = both(sides, (contract): Environment[typeof key] => environmentOf(contract)[key])
  if (before && !after)
    return [{ effect: 'looser', rule: key, message: `${what} were removed.`, before: before.place }]
  if (!before && after)
    return [{ effect: 'tighter', rule: key, message: `${what} were added.`, after: after.place }]
  return []
}

function compareRole(rule: string, sides: Sides<DatabaseRole>, name: string): readonly Draft[] {
  return [
    ...compareValue(
      rule,
      both(sides, ({ migrate }) => migrate),
      byRank(row),
      `\`migrate\` of a ${name} database`,
    ),
    // Without it the role takes none, or takes them unconfirmed, and then that is the change.
    ...(sides.before.confirm && sides.after.confirm
      ? compareValue(
          `${rule}.confirm`,
          both(sides, ({ confirm }) => confirm),
          'looser',
          `What confirms the migration of a ${name} database`,
        )
      : []),
  ]
}

function compareMapping(sides: Sides<MigrationRules>): readonly Draft[] {
  const modes = new Set([...sides.before.roleByMode.keys(), ...sides.after.roleByMode.keys()])
  const strictness = (role: string | undefined) =>
    row.findIndex((word) => word === sides.before.roles.get(role ?? '')?.migrate)
  return [...modes].flatMap((mode) =>
    compareValue(
      'migrations.roleByMode',
      both(sides, ({ roleByMode }) => roleByMode.get(mode)),
      ({ before, after }): Effect => {
        if (before === undefined) return 'tighter'
        return strictness(after) > strictness(before) ? 'tighter' : 'looser'
      },
      `The database role of ${mode}`,
    ),
  )
}
