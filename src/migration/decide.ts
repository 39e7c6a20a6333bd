import type { DatabaseRole, MigrationRules } from '../contract/index.ts'

export type Decision =
  | {
      readonly kind: 'allowed'
      readonly role: string
      /** What the informational variables say; it decided nothing. */
      readonly informed: Readonly<Record<string, string>>
    }
  | { readonly kind: 'refused'; readonly rule: RefusalRule; readonly message: string; readonly next: string }

type RefusalRule = 'role_missing' | 'role_unknown' | 'role_denied' | 'role_of_other_mode' | 'unconfirmed'

/**
 * Whether a migration may run in this mode with these variables (seed 003 §4.5). The role decides alone; informational variables never do.
 * The values are attacker-controlled, and none but the role is told.
 */
export function decideMigration(
  rules: MigrationRules,
  mode: string,
  variables: Readonly<Record<string, string | undefined>>,
): Decision {
  const variable = rules.roleVariable
  const name = variables[variable]
  const known = [...rules.roles.keys()].join(', ')
  if (name === undefined || name === '')
    return refused('role_missing', `${variable} is not set.`, `set ${variable} to one of: ${known}`)
  const role = rules.roles.get(name)
  if (!role)
    return refused('role_unknown', `${variable} is none of the roles.`, `set ${variable} to one of: ${known}`)
  return (
    refusedRole(rules, role, mode) ?? unconfirmed(rules, role, variables) ?? allowed(rules, name, variables)
  )
}

function refusedRole(rules: MigrationRules, role: DatabaseRole, mode: string): Decision | undefined {
  const { roleVariable, roleByMode } = rules
  if (role.migrate === 'deny')
    return refused(
      'role_denied',
      `A database with the role ${role.name} never takes a migration.`,
      'migrate the database that it follows',
    )
  const wanted = roleByMode.get(mode)
  if (wanted === role.name) return undefined
  // A mode without a role migrates nothing: nobody said which database it has.
  if (wanted === undefined)
    return refused('role_of_other_mode', `The mode ${mode} has no database role.`, 'add it to `roleByMode`')
  return refused(
    'role_of_other_mode',
    `The mode ${mode} has a database with the role ${wanted}, not ${role.name}.`,
    `set ${roleVariable}=${wanted}, or start in the mode of ${role.name}`,
  )
}

function unconfirmed(
  { roleVariable }: MigrationRules,
  role: DatabaseRole,
  variables: Readonly<Record<string, string | undefined>>,
): Decision | undefined {
  if (role.migrate !== 'confirm') return undefined
  const { confirm } = role
  if (confirm && variables[confirm.variable] === confirm.value) return undefined
  const next = confirm
    ? `set ${confirm.variable}=${confirm.value} for this one command`
    : `say in the contract how ${role.name} is confirmed`
  return refused('unconfirmed', `A migration with ${roleVariable}=${role.name} has to be confirmed.`, next)
}

function allowed(
  { informational }: MigrationRules,
  role: string,
  variables: Readonly<Record<string, string | undefined>>,
): Decision {
  const informed = informational.flatMap((name) => {
    const value = variables[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { kind: 'allowed', role, informed: Object.fromEntries(informed) }
}

function refused(rule: RefusalRule, message: string, next: string): Decision {
  return { kind: 'refused', rule, message, next }
}
