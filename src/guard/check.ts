import { type Checked, type Finding, type FindingCode, seenWords } from './finding.ts'
import {
  type GuardRules,
  type MigrationRule,
  type ModeRule,
  migrateScope,
  unknownMode,
  type VariableRule,
} from './rules.ts'
import { type ValueFault, valueFault } from './value.ts'

/** The variables of a process. Attacker-controlled, and possibly secret. */
export type Variables = Readonly<Record<string, string | undefined>>

/** The variable by which a deployment says which contract it expects: a guard of another one refuses. */
export const digestVariable = 'SALLYPORT_CONTRACT_DIGEST'

export type CheckOptions = {
  /** What the process is about to do; absent is the contract's default scope. */
  readonly scope?: string
  /** Who looks: a `launcher` sees the internal variables, and a `program` must not. */
  readonly seenBy?: 'launcher' | 'program'
}

/** Everything that is wrong with an environment, at once. Never throws, and never repeats a value of a sensitive variable. */
export function check(rules: GuardRules, given: Variables, options: CheckOptions = {}): Checked {
  // Its own variables alone: `toString` is there in every object.
  const env: Variables = Object.assign(Object.create(null), given)
  const scope = options.scope ?? rules.defaultScope
  const mode = rules.modes.find(({ match }) =>
    rules.discriminators.every((name) => env[name] === match[name]),
  )
  const at = { mode: mode?.name ?? unknownMode, scope, seenBy: options.seenBy ?? 'launcher' }
  const findings = [
    ...staleFindings(rules, env),
    ...(rules.scopes.some(({ name }) => name === scope) ? [] : [scopeFinding(rules, scope)]),
    ...(mode ? [] : [modeFinding(rules, env)]),
    // Of discriminators the mode says everything.
    ...rules.variables.flatMap((rule) =>
      rules.discriminators.includes(rule.name) ? [] : variableFindings(rule, env[rule.name], at),
    ),
    ...prohibitionFindings(rules, env),
    ...migrationFindings(rules, env, at),
    ...(scope === migrateScope ? [] : standingConfirmations(rules, env)),
  ]
  return { ...(mode && { mode: mode.name }), scope, findings }
}

type At = { readonly mode: string; readonly scope: string; readonly seenBy: 'launcher' | 'program' }

function staleFindings(rules: GuardRules, env: Variables): readonly Finding[] {
  const wanted = env[digestVariable]
  return wanted === undefined || wanted === rules.digest ? [] : [staleFinding(rules, digestVariable)]
}

/** The finding for a guard of another contract than the one that stands at `where`. */
export function staleFinding(rules: Pick<GuardRules, 'file' | 'digest'>, where: string): Finding {
  return {
    code: 'E103',
    secretPaths: [],
    message: `This guard is of another contract than ${where} says.`,
    expected: rules.digest,
    seen: 'another digest',
    fix: `compile ${rules.file} again`,
    line: 0,
  }
}

function scopeFinding({ scopes }: GuardRules, scope: string): Finding {
  const names = scopes.map(({ name }) => name).join(', ')
  return {
    code: 'E102',
    secretPaths: [],
    message: 'There is no such scope.',
    expected: `one of ${names}`,
    seen: seenWords(scope, false),
    fix: `name one of ${names}`,
    line: 0,
  }
}

function modeFinding(rules: GuardRules, env: Variables): Finding {
  const nearest = nearestModes(rules, env)
  const ownerOf = (name: string) => rules.variables.find((rule) => rule.name === name)?.owner
  const changes = nearest.map(
    ({ mode, differing }) =>
      `${mode.name} needs ${differing.map((name) => `${name}=${mode.match[name]}`).join(' ')}`,
  )
  const owners = [
    ...new Set(nearest.flatMap(({ differing }) => differing.flatMap((name) => ownerOf(name) ?? []))),
  ]
  const seen = rules.discriminators.map((name) => `${name}=${shownDiscriminator(env[name])}`).join(' ')
  const tuples = rules.modes.map(
    (mode) => `${mode.name}(${rules.discriminators.map((name) => mode.match[name]).join(',')})`,
  )
  return {
    code: 'E101',
    ...(owners.length > 0 && { owner: owners.join(', ') }),
    secretPaths: [],
    message: `No mode has ${seen}.`,
    expected: `${rules.discriminators.join(',')} as in ${tuples.join(' ')}`,
    seen,
    fix: changes.join(' · '),
    line: nearest[0]?.mode.line ?? 0,
  }
}

function shownDiscriminator(value: string | undefined): string {
  return value === undefined ? '(not set)' : value === '' ? '(empty)' : seenWords(value, false)
}

/** The modes with the fewest discriminators that differ. */
function nearestModes({ modes, discriminators }: GuardRules, env: Variables) {
  const ranked = modes.map((mode: ModeRule) => ({
    mode,
    differing: discriminators.filter((name) => env[name] !== mode.match[name]),
  }))
  const fewest = Math.min(...ranked.map(({ differing }) => differing.length))
  return ranked.filter(({ differing }) => differing.length === fewest)
}

const faultCodes = {
  type: 'E202',
  enum: 'E203',
  range: 'E205',
  scheme: 'E206',
  pattern: 'E207',
} as const satisfies Readonly<Record<ValueFault, FindingCode>>

const faultWords: Readonly<Record<ValueFault, string>> = {
  type: 'is of another type',
  enum: 'has none of its values',
  range: 'is out of range',
  scheme: 'has the wrong scheme',
  pattern: 'does not match its pattern',
}

/** At most one finding of a variable: the first thing that is wrong with it. */
function variableFindings(rule: VariableRule, value: string | undefined, at: At): readonly Finding[] {
  const { name, expected, requiredAt, constByMode } = rule
  const required = requiredAt.has(`${at.scope} ${at.mode}`)
  const fixed = constByMode.get(at.mode)
  const [path] = rule.secretPaths
  if (value === undefined || value === '') {
    if (required) {
      const from = path === undefined || path === 'unspecified' ? '' : ` from ${path}`
      const words = rule.requiredWords === 'always' ? '' : ` (${rule.requiredWords})`
      return [
        found('E201', rule, value, {
          message: `${name} is required${words}.`,
          expected: fixed ?? expected,
          fix: fixed === undefined ? `set ${name}${from}` : `set ${name}=${fixed}`,
        }),
      ]
    }
    if (value === undefined) return []
  }
  if (rule.internal && at.seenBy === 'program')
    return [
      found('E208', rule, value, {
        message: `${name} is the launcher's alone.`,
        expected: 'not set',
        fix: 'start the program with `sallyport run`, which keeps it back',
      }),
    ]
  if (fixed !== undefined && value !== fixed) {
    const where = at.mode === unknownMode ? 'every mode' : at.mode
    return [
      found('E204', rule, value, {
        message: `${name} is fixed in ${where}.`,
        expected: fixed,
        fix: `set ${name}=${fixed}`,
      }),
    ]
  }
  // Where a value is fixed, nothing else is asked of it.
  const fault = fixed === undefined ? valueFault(value, rule.value) : undefined
  if (fault === undefined) return []
  const message = `${name} ${faultWords[fault]}.`
  const optional = required ? '' : ', or unset it'
  return [
    found(faultCodes[fault], rule, value, {
      message,
      expected,
      fix: `set ${name} to ${expected}${optional}`,
    }),
  ]
}

function found(
  code: FindingCode,
  { name, owner, secretPaths, sensitive, line }: VariableRule,
  value: string | undefined,
  words: Pick<Finding, 'message' | 'expected' | 'fix'>,
): Finding {
  const { message, expected, fix } = words
  return {
    code,
    variable: name,
    owner,
    secretPaths,
    message,
    expected,
    seen: seenWords(value, sensitive),
    fix,
    line,
  }
}

function prohibitionFindings({ prohibitions, variables }: GuardRules, env: Variables): readonly Finding[] {
  return prohibitions.flatMap(({ id, reason, severity, when, variable, line }) => {
    const value = env[variable]
    if (value === undefined || (when === 'truthy' && /^(|0|false|no|off)$/i.test(value))) return []
    const rule = variables.find(({ name }) => name === variable)
    return [
      {
        code: 'E401' as const,
        variable,
        ...(rule && { owner: rule.owner }),
        secretPaths: rule?.secretPaths ?? [],
        message: `${variable} is forbidden everywhere by ${id} (${severity}): ${reason}.`,
        expected: when === 'truthy' ? 'not set, or false' : 'not set',
        seen: seenWords(value, rule?.sensitive ?? true),
        fix: `unset ${variable}`,
        line,
      },
    ]
  })
}

/** Whether a migration may be, where it is one; and everywhere whether the role that is named is that of the mode. */
function migrationFindings(
  { migration, variables }: GuardRules,
  env: Variables,
  { mode, scope }: At,
): readonly Finding[] {
  const role = migration?.roles.find(({ name }) => name === env[migration.variable])
  if (!migration || !role) return []
  const isMigration = scope === migrateScope
  const about = aboutVariable(variables, migration.line)
  const wanted = migration.roleByMode[mode]
  const findings: Finding[] = []
  if (isMigration && role.migrate === 'deny')
    findings.push({
      code: 'E301',
      ...about(migration.variable),
      message: `A database with the role ${role.name} never takes a migration.`,
      expected: migration.roles.flatMap((one) => (one.migrate === 'deny' ? [] : [one.name])).join(' or '),
      seen: role.name,
      fix: 'point the migration to a database that takes it',
    })
  const confirm = isMigration && role.migrate === 'confirm' ? role.confirm : undefined
  if (confirm && env[confirm.variable] !== confirm.value)
    findings.push({
      code: 'E302',
      ...about(confirm.variable),
      message: `A migration of ${role.name} has to be confirmed.`,
      expected: confirm.value,
      seen: seenWords(
        env[confirm.variable],
        variables.find(({ name }) => name === confirm.variable)?.sensitive ?? true,
      ),
      fix: `set ${confirm.variable}=${confirm.value} if it is meant`,
    })
  if (role.migrate !== 'deny' && wanted !== undefined && wanted !== role.name)
    findings.push({
      code: 'E303',
      ...about(migration.variable),
      message: `The mode ${mode} has a database with the role ${wanted}, not ${role.name}.`,
      expected: wanted,
      seen: role.name,
      fix: `set ${migration.variable}=${wanted}, or start in the mode of ${role.name}`,
    })
  return findings
}

/** A confirmation that stands in the environment of every process confirms whatever migration comes next. */
function standingConfirmations({ migration, variables }: GuardRules, env: Variables): readonly Finding[] {
  if (!migration) return []
  return confirmationsOf(migration)
    .filter(({ variable, value }) => env[variable] === value)
    .map(({ variable, value }) => ({
      code: 'E304',
      ...aboutVariable(variables, migration.line)(variable),
      message: `${variable} confirms a migration, and nothing is migrated here.`,
      expected: `not ${value}`,
      seen: seenWords(value, variables.find(({ name }) => name === variable)?.sensitive ?? true),
      fix: `unset ${variable}, and set it for that one migration alone`,
    }))
}

/** What confirms a migration, each once. */
export function confirmationsOf({ roles }: MigrationRule): readonly { variable: string; value: string }[] {
  const pairs = roles.flatMap(({ confirm }) =>
    confirm ? [[`${confirm.variable}=${confirm.value}`, confirm] as const] : [],
  )
  return [...new Map(pairs).values()]
}

function aboutVariable(variables: GuardRules['variables'], line: number) {
  return (variable: string) => {
    const rule = variables.find(({ name }) => name === variable)
    return { variable, ...(rule && { owner: rule.owner }), secretPaths: rule?.secretPaths ?? [], line }
  }
}
