import {
  confirmationsOf,
  digestVariable,
  type GuardRules,
  guardedContract,
  migrateScope,
  unknownMode,
  type ValueRule,
  type VariableRule,
} from '../guard/index.ts'
import { environmentTypes, typeName, valueTypes } from './types.ts'

/** A standalone guard in JavaScript (an ES module for Node), without a dependency; it answers as the interpreter does, word for word. */
export function javascriptGuard(rules: GuardRules): string {
  return guardModule(rules, { type: () => '', types: '' })
}

/** The same in TypeScript, whose types know what holds in each mode. Needs the types of Node. */
export function typescriptGuard(rules: GuardRules): string {
  return guardModule(rules, {
    type: (text) => text,
    types: `${guardTypes}\n${valueTypes(rules)}\n${environmentTypes(rules)}\n`,
  })
}

/** What the two languages differ in: a type annotation, which JavaScript leaves out. */
type Language = { readonly type: (annotation: string) => string; readonly types: string }

const guardTypes = `export type Variables = Readonly<Record<string, string | undefined>>

export type Finding = {
  readonly code: string
  readonly variable?: string
  readonly owner?: string
  readonly secretPaths: readonly string[]
  readonly message: string
  readonly expected: string
  readonly seen: string
  readonly fix: string
  readonly line: number
}

export type Checked = { readonly mode?: string; readonly scope: string; readonly findings: readonly Finding[] }

export type CheckOptions = { readonly scope?: string; readonly seenBy?: 'launcher' | 'program' }

type About = readonly [
  owner: string,
  secretPaths: readonly string[],
  sensitive: boolean,
  expected: string,
  requiredWords: string,
  line: number,
  fixed: Readonly<Record<string, string>>,
]
`

function guardModule(rules: GuardRules, language: Language): string {
  const { type } = language
  return `// Compiled by sallyport from ${rules.file}. Do not edit it: compile the contract again.
${language.types}
/** The contract that this guard was compiled from. */
export const contract = ${json(guardedContract(rules))}

const scopes${type(': readonly string[]')} = ${json(rules.scopes.map(({ name }) => name))}
const modes${type(': readonly (readonly [name: string, match: Readonly<Record<string, string>>, line: number])[]')} = [
${rules.modes.map(({ name, match, line }) => `  ${json([name, match, line])},`).join('\n')}
]
${aboutTable(rules, type)}
${checkFunction(rules, type)}
${findingFunctions(rules, type)}
${valueFunctions(rules, type)}
${enforceFunctions(rules, type)}`
}

function json(value: unknown): string {
  return JSON.stringify(value)
}

/** What is said of a variable; only of those that a finding can be about. */
function aboutTable({ variables, prohibitions, migration }: GuardRules, type: Language['type']): string {
  const named = new Set([
    ...variables.filter(isChecked).map(({ name }) => name),
    ...prohibitions.map(({ variable }) => variable),
    ...(migration
      ? [migration.variable, ...migration.roles.flatMap(({ confirm }) => confirm?.variable ?? [])]
      : []),
  ])
  const rows = variables
    .filter(({ name }) => named.has(name))
    .map((rule) => {
      const { name, owner, secretPaths, sensitive, expected, requiredWords, line, constByMode } = rule
      const fixed = Object.fromEntries(constByMode)
      return `  ${name}: ${json([owner, secretPaths, sensitive, expected, requiredWords, line, fixed])},`
    })
  return `// Asked only when there is a finding, so it is not made before.
let table${type(': Readonly<Record<string, About>> | undefined')}
const about = ()${type(': Readonly<Record<string, About>>')} => (table ??= {
${rows.join('\n')}
})
`
}

function isChecked({ value, requiredAt, constByMode, internal }: VariableRule): boolean {
  const anyText = value.kind === 'text' && !value.enum && value.pattern === undefined
  return !anyText || requiredAt.size > 0 || constByMode.size > 0 || internal
}

function checkFunction(rules: GuardRules, type: Language['type']): string {
  const { modes, scopes, discriminators, variables, defaultScope, prohibitions, migration } = rules
  const match = discriminators.map((name) => `env.${name} === match.${name}`).join(' && ')
  const names = {
    modes: [...modes.map(({ name }) => name), unknownMode],
    scopes: scopes.map(({ name }) => name),
  }
  const checks = variables
    .filter((rule) => isChecked(rule) && !discriminators.includes(rule.name))
    .map((rule) => ({ name: rule.name, check: variableCheck(rule, names.modes, names.scopes) }))
  return `// In parentheses, because V8 reads such a function once; of another it looks for the end first, and reads it again when it is called.
/** Everything that is wrong with an environment, at once. Never throws, and shows no character of a sensitive value. */
export const check = (function check(env${type(': Variables')}, options${type(': CheckOptions')} = {})${type(': Checked')} {
  const scope = options.scope ?? ${json(defaultScope)}
  const program = options.seenBy !== 'launcher'
  const findings${type(': Finding[]')} = []
  const modeIndex = modes.findIndex(([, match]) => ${match})
  const mode = modes[modeIndex]?.[0] ?? ${json(unknownMode)}
  const scopeIndex = scopes.indexOf(scope)
  const at = scopeIndex < 0 ? -1 : scopeIndex * ${modes.length + 1} + (modeIndex < 0 ? ${modes.length} : modeIndex)
  const no = (code${type(': string')}, name${type(': string')}) => {
    findings.push(variableFinding(code, name, env[name], mode, at))
  }
  let v${type(': string | undefined')}
  let only${type(': string | undefined')}
  const stale = env.${digestVariable}
  if (stale !== undefined && stale !== contract.digest) findings.push(staleFinding(${json(digestVariable)}))
  if (scopeIndex < 0) findings.push(scopeFinding(scope))
  if (modeIndex < 0) findings.push(modeFinding(env))
${inGroups(checks)}
  // Said in the order of the contract; what is of no variable stands first.
  if (findings.length > 1) findings.sort((left, right) => placeOf(left) - placeOf(right))
${prohibitions.map(prohibitionCheck).join('\n')}
${migration ? `  migrationFindings(env, mode, scope === ${json(migrateScope)}, findings)` : ''}
  return { ...(modeIndex < 0 ? {} : { mode }), scope, findings }
})

function placeOf({ variable = '' }${type(': Finding')})${type(': number')} {
  return contract.variables.indexOf(variable)
}
`
}

/** Those that are asked the same are asked in one loop, wherever they stand, because a guard is compiled anew at every start. */
function inGroups(checks: readonly { readonly name: string; readonly check: string }[]): string {
  return [...Map.groupBy(checks, ({ check }) => check)]
    .map(([check, group]) => {
      const [only = '', ...others] = group.map(({ name }) => name)
      return others.length === 0
        ? check.replaceAll('env[name]', `env.${only}`).replaceAll(', name)', `, '${only}')`)
        : `  for (const name of ${json([only, ...others])}) {\n${check}\n  }`
    })
    .join('\n')
}

/** What is asked of the variable `name`. */
function variableCheck(rule: VariableRule, modes: readonly string[], scopes: readonly string[]): string {
  const { requiredAt, constByMode, internal } = rule
  const code = (one: string) => `no('${one}', name)`
  const asked = valueFaults(rule.value).map(([condition, one]) => `if (${condition}) ${code(one)}`)
  const faults = [
    ...(internal ? [`if (program) ${code('E208')}`] : []),
    ...(constByMode.size > 0 ? fixedChecks(rule, modes, code('E204'), asked) : asked),
  ]
  const present =
    faults.length === 0 ? '' : `if (v !== undefined) {\n      ${faults.join('\n      else ')}\n    }`
  const mask = requiredMask(requiredAt, modes, scopes)
  if (!mask.includes('1')) return `    v = env[name]\n    ${present}`
  const needed = mask.includes('0') ? ` && '${mask}'.charCodeAt(at) === 49` : ' && at >= 0'
  const missing = `if ((v === undefined || v === '')${needed}) ${code('E201')}`
  return `    v = env[name]\n    ${missing}${present === '' ? '' : `\n    else ${present}`}`
}

function requiredMask(
  requiredAt: ReadonlySet<string>,
  modes: readonly string[],
  scopes: readonly string[],
): string {
  return scopes
    .map((scope) => modes.map((mode) => (requiredAt.has(`${scope} ${mode}`) ? '1' : '0')).join(''))
    .join('')
}

/** Where a value is fixed, nothing else is asked of it. */
function fixedChecks(
  { constByMode }: VariableRule,
  modes: readonly string[],
  refuse: string,
  asked: readonly string[],
): readonly string[] {
  const values = new Set(modes.map((mode) => constByMode.get(mode)))
  const [only] = values
  if (values.size === 1) return [`if (v !== ${json(only)}) ${refuse}`]
  const choice = [...constByMode]
    .map(([mode, value]) => `mode === ${json(mode)} ? ${json(value)} :`)
    .join(' ')
  return [
    `if ((only = ${choice} undefined) !== undefined) {\n      if (v !== only) ${refuse}\n    }`,
    ...asked,
  ]
}

/** Conditions under which a text is wrong, each with its code, in the order in which they are asked. */
function valueFaults(value: ValueRule): readonly (readonly [string, string])[] {
  const faults: (readonly [string, string])[] = []
  if (value.kind === 'boolean') faults.push([`v !== 'true' && v !== 'false'`, 'E202'])
  else if (value.kind !== 'text') faults.push([`!${kindFunctions[value.kind]}(v)`, 'E202'])
  if ('enum' in value && value.enum)
    faults.push([value.enum.map((text) => `v !== ${json(text)}`).join(' && '), 'E203'])
  if ('minimum' in value && value.minimum !== undefined) faults.push([`Number(v) < ${value.minimum}`, 'E205'])
  if ('maximum' in value && value.maximum !== undefined) faults.push([`Number(v) > ${value.maximum}`, 'E205'])
  if ('schemes' in value && value.schemes)
    faults.push([value.schemes.map((scheme) => `!v.startsWith(${json(`${scheme}:`)})`).join(' && '), 'E206'])
  if ('pattern' in value && value.pattern !== undefined)
    faults.push([`!/^[\\x20-\\x7e]{0,1024}$/.test(v) || !${literal(value.pattern)}.test(v)`, 'E207'])
  return faults
}

function literal(pattern: string): string {
  return new RegExp(pattern, 'u').toString()
}

const kindFunctions = {
  integer: 'isInteger',
  number: 'isNumber',
  port: 'isPort',
  uri: 'isUri',
  duration: 'isDuration',
  list: 'isList',
  json: 'isJson',
} as const

function prohibitionCheck({
  id,
  reason,
  severity,
  when,
  variable,
  line,
}: GuardRules['prohibitions'][number]): string {
  const condition = when === 'present' ? 'v !== undefined' : 'v !== undefined && isOn(v)'
  const message = `${variable} is forbidden everywhere by ${id} (${severity}): ${reason}.`
  const expected = when === 'truthy' ? 'not set, or false' : 'not set'
  const words = json({ message, expected, fix: `unset ${variable}`, line })
  return `  v = env.${variable}\n  if (${condition}) findings.push(otherFinding('E401', '${variable}', v, ${words}))`
}

function findingFunctions(rules: GuardRules, type: Language['type']): string {
  return `function variableFinding(code${type(': string')}, variable${type(': string')}, value${type(': string | undefined')}, mode${type(': string')}, at${type(': number')})${type(': Finding')} {
  const [owner = '', secretPaths = [], sensitive = true, expected = '', requiredWords = '', line = 0, fixed = {}] = about()[variable] ?? []
  const only = fixed[mode]
  const [path] = secretPaths
  const words = (message${type(': string')}, wanted${type(': string')}, fix${type(': string')})${type(': Finding')} => ({
    code, variable, owner, secretPaths, message, expected: wanted, seen: seenWords(value, sensitive), fix, line,
  })
  switch (code) {
    case 'E201': {
      const from = path === undefined || path === 'unspecified' ? '' : \` from \${path}\`
      const when = requiredWords === 'always' ? '' : \` (\${requiredWords})\`
      const fix = only === undefined ? \`set \${variable}\${from}\` : \`set \${variable}=\${only}\`
      return words(\`\${variable} is required\${when}.\`, only ?? expected, fix)
    }
    case 'E204':
      return words(\`\${variable} is fixed in \${mode === ${json(unknownMode)} ? 'every mode' : mode}.\`, only ?? '', \`set \${variable}=\${only}\`)
    case 'E208':
      return words(\`\${variable} is the launcher's alone.\`, 'not set', 'start the program with \`sallyport run\`, which keeps it back')
    default: {
      const optional = isRequired(variable, at) ? '' : ', or unset it'
      return words(\`\${variable} \${faults[code] ?? ''}.\`, expected, \`set \${variable} to \${expected}\${optional}\`)
    }
  }
}

const faults${type(': Readonly<Record<string, string>>')} = {
  E202: 'is of another type',
  E203: 'has none of its values',
  E205: 'is out of range',
  E206: 'has the wrong scheme',
  E207: 'does not match its pattern',
}

const requiredAt = ()${type(': Readonly<Record<string, string>>')} => (${json(requiredMasks(rules))})

function isRequired(name${type(': string')}, at${type(': number')})${type(': boolean')} {
  return requiredAt()[name]?.[at] === '1'
}

function otherFinding(
  code${type(': string')},
  variable${type(': string')},
  value${type(': string | undefined')},
  words${type(": Pick<Finding, 'message' | 'expected' | 'fix' | 'line'>")},
)${type(': Finding')} {
  const known = about()[variable]
  const [owner, secretPaths = [], sensitive = true] = known ?? []
  const { message, expected, fix, line } = words
  return { code, variable, ...(owner === undefined ? {} : { owner }), secretPaths, message, expected, seen: seenWords(value, sensitive), fix, line }
}

function staleFinding(where${type(': string')})${type(': Finding')} {
  return {
    code: 'E103', secretPaths: [], message: \`This guard is of another contract than \${where} says.\`, expected: contract.digest,
    seen: 'another digest', fix: \`compile \${contract.file} again\`, line: 0,
  }
}

function scopeFinding(scope${type(': string')})${type(': Finding')} {
  const names = scopes.join(', ')
  return {
    code: 'E102', secretPaths: [], message: 'There is no such scope.', expected: \`one of \${names}\`,
    seen: seenWords(scope, false), fix: \`name one of \${names}\`, line: 0,
  }
}

function modeFinding(env${type(': Variables')})${type(': Finding')} {
  const names = contract.discriminators
  const owners${type(': Readonly<Record<string, string>>')} = ${json(ownersOf(rules))}
  const ranked = modes.map(([name, match, line]) => ({ name, match, line, differing: names.filter((one) => env[one] !== match[one]) }))
  const fewest = Math.min(...ranked.map(({ differing }) => differing.length))
  const nearest = ranked.filter(({ differing }) => differing.length === fewest)
  const owner = [...new Set(nearest.flatMap(({ differing }) => differing.flatMap((name) => owners[name] ?? [])))].join(', ')
  const seen = names.map((name) => \`\${name}=\${env[name] === undefined ? '(not set)' : env[name] === '' ? '(empty)' : seenWords(env[name], false)}\`).join(' ')
  const tuples = modes.map(([name, match]) => \`\${name}(\${names.map((one) => match[one]).join(',')})\`).join(' ')
  return {
    code: 'E101', ...(owner === '' ? {} : { owner }), secretPaths: [], message: \`No mode has \${seen}.\`,
    expected: \`\${names.join(',')} as in \${tuples}\`, seen,
    fix: nearest.map(({ name, match, differing }) => \`\${name} needs \${differing.map((one) => \`\${one}=\${match[one]}\`).join(' ')}\`).join(' · '),
    line: nearest[0]?.line ?? 0,
  }
}
${rules.migration ? migrationFunction(rules.migration, type) : ''}
/** Nothing but its length is said of a sensitive value, and of what looks like a secret in the wrong place. */
function seenWords(value${type(': string | undefined')}, sensitive${type(': boolean')})${type(': string')} {
  if (value === undefined) return 'not set'
  if (value === '') return 'set, but empty'
  const length = \`set, \${value.length} characters\`
  if (sensitive || !/^[\\x20-\\x7e]*$/.test(value) || (value.includes('://') && /[@?]/.test(value)) || /[A-Za-z0-9+/=_.-]{32}/.test(value)) return length
  return value.length > 60 ? \`\${length}, beginning \${value.slice(0, 60)}\` : value
}
`
}

function requiredMasks({
  variables,
  modes,
  scopes,
  discriminators,
}: GuardRules): Readonly<Record<string, string>> {
  const names = [...modes.map(({ name }) => name), unknownMode]
  const entries = variables
    .filter(({ name, requiredAt }) => requiredAt.size > 0 && !discriminators.includes(name))
    .map(
      ({ name, requiredAt }) =>
        [
          name,
          requiredMask(
            requiredAt,
            names,
            scopes.map((scope) => scope.name),
          ),
        ] as const,
    )
  return Object.fromEntries(entries)
}

function ownersOf({ variables, discriminators }: GuardRules): Readonly<Record<string, string>> {
  return Object.fromEntries(
    variables.filter(({ name }) => discriminators.includes(name)).map(({ name, owner }) => [name, owner]),
  )
}

function migrationFunction(migration: NonNullable<GuardRules['migration']>, type: Language['type']): string {
  const { variable, roles, roleByMode, line } = migration
  const takers = roles.flatMap((role) => (role.migrate === 'deny' ? [] : [role.name])).join(' or ')
  const standing = confirmationsOf(migration)
    .map(
      ({ variable, value }) =>
        `  if (!isMigration && env.${variable} === ${json(value)})
    say('E304', '${variable}', env.${variable}, '${variable} confirms a migration, and nothing is migrated here.', ${json(`not ${value}`)}, 'unset ${variable}, and set it for that one migration alone')
`,
    )
    .join('')
  return `
const roles${type(': Readonly<Record<string, readonly [migrate: string, variable?: string, value?: string]>>')} = ${json(Object.fromEntries(roles.map(({ name, migrate, confirm }) => [name, confirm ? [migrate, confirm.variable, confirm.value] : [migrate]])))}
const roleByMode${type(': Readonly<Record<string, string>>')} = ${json(roleByMode)}

function migrationFindings(env${type(': Variables')}, mode${type(': string')}, isMigration${type(': boolean')}, findings${type(': Finding[]')})${type(': void')} {
  const say = (code${type(': string')}, variable${type(': string')}, seen${type(': string | undefined')}, message${type(': string')}, expected${type(': string')}, fix${type(': string')}) => {
    findings.push(otherFinding(code, variable, seen, { message, expected, fix, line: ${line} }))
  }
  const name = env.${variable}
  const role = name === undefined || !Object.hasOwn(roles, name) ? undefined : roles[name]
  if (name !== undefined && role !== undefined) {
    const [migrate, confirm, value = ''] = role
    const wanted = roleByMode[mode]
    if (isMigration && migrate === 'deny')
      say('E301', '${variable}', name, \`A database with the role \${name} never takes a migration.\`, ${json(takers)}, 'point the migration to a database that takes it')
    if (isMigration && migrate === 'confirm' && confirm !== undefined && env[confirm] !== value)
      say('E302', confirm, env[confirm], \`A migration of \${name} has to be confirmed.\`, value, \`set \${confirm}=\${value} if it is meant\`)
    if (migrate !== 'deny' && wanted !== undefined && wanted !== name)
      say('E303', '${variable}', name, \`The mode \${mode} has a database with the role \${wanted}, not \${name}.\`, wanted, \`set ${variable}=\${wanted}, or start in the mode of \${name}\`)
  }
${standing}}
`
}

/** Only the functions that a variable of the contract needs. */
function valueFunctions({ variables, prohibitions }: GuardRules, type: Language['type']): string {
  const kinds = new Set(variables.filter(isChecked).map(({ value }) => value.kind))
  const signature = (name: string) => `function ${name}(text${type(': string')})${type(': boolean')}`
  const bodies: Readonly<Record<string, string>> = {
    integer: `${signature('isInteger')} {
  return /^-?[0-9]{1,15}$/.test(text)
}`,
    number: `${signature('isNumber')} {
  return /^-?[0-9]+(?:\\.[0-9]+)?$/.test(text) && (text.length <= 15 || text.replace(/[-.]/g, '').length <= 15)
}`,
    port: `${signature('isPort')} {
  return /^[0-9]{1,5}$/.test(text) && Number(text) <= 65535
}`,
    uri: `${signature('isUri')} {
  return /^[A-Za-z][A-Za-z0-9+.-]*:[\\x21-\\x7e]+$/.test(text)
}`,
    duration: `${signature('isDuration')} {
  return /^[0-9]{1,9}(?:ms|[smhd])?$/.test(text)
}`,
    list: `${signature('isList')} {
  return text !== '' && !text.startsWith(',') && !text.endsWith(',') && !text.includes(',,')
}`,
    json: `${signature('isJson')} {
  try {
    JSON.parse(text)
  } catch {
    return false
  }
  let depth = 0
  for (const [bracket] of text.replace(/"(?:[^"\\\\]|\\\\.)*"/g, '').matchAll(/[[\\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    if (depth > 64) return false
  }
  return true
}`,
  }
  // Letters in a list: a regular expression that takes both cases asks a table of Unicode, the first time for a tenth of a millisecond.
  const isOn = prohibitions.some(({ when }) => when === 'truthy')
    ? [`${signature('isOn')} {\n  return !['', '0', 'false', 'no', 'off'].includes(text.toLowerCase())\n}`]
    : []
  return [...[...kinds].flatMap((kind) => bodies[kind] ?? []), ...isOn].join('\n\n')
}

function enforceFunctions(rules: GuardRules, type: Language['type']): string {
  const kinds = rules.variables
    .filter(({ value }) => value.kind !== 'text' && value.kind !== 'uri' && value.kind !== 'duration')
    .map(({ name, value }) => `  ${name}: '${value.kind}',`)
    .join('\n')
  const typed = type('typed')
  const overloads = rules.scopes.map(({ name }) => {
    const isDefault = name === rules.defaultScope
    return `export function enforce(options${isDefault ? '?' : ''}: { readonly scope${isDefault ? '?' : ''}: ${json(name)}; readonly env?: Variables }): ${scopeType(name)}`
  })
  return `
/**
 * Stops the program with exit code 78 and every problem on standard error when its environment is not as the contract says; else gives the
 * variables by name, in their types. A contract file beside this guard must be the one that it was compiled from.
 */
${typed === '' ? '' : `${overloads.join('\n')}\n`}export function enforce(options${type(': { readonly scope?: string; readonly env?: Variables }')} = {})${type(': unknown')} {
  const env = { ...(options.env ?? process.env) }
  const checked = check(env, options.scope === undefined ? {} : { scope: options.scope })
  const findings = [...(isStale() ? [staleFinding(contract.file)] : []), ...checked.findings]
  if (findings.length > 0) {
    try {
      process.getBuiltinModule('node:fs').writeSync(2, report({ ...checked, findings }))
    } finally {
      // Also where nothing can be written: what is thrown could be caught.
      process.exit(78)
    }
  }
  return read(env, checked)
}

/** The report of a check, for people. */
export function report({ mode, scope, findings }${type(': Checked')})${type(': string')} {
  const lines = findings.map(({ code, message, seen, expected, owner, secretPaths, fix }) =>
    \`error[\${code}] \${message}\\n  found     \${seen}\\n  expected  \${expected}\\n\${owner === undefined ? '' : \`  owner     \${owner}\\n\`}\${secretPaths.length === 0 ? '' : \`  secret    \${secretPaths.join(', else ')}\\n\`}  fix       \${fix}\\n\`)
  return \`\${lines.join('\\n')}\\n\${findings.length} \${findings.length === 1 ? 'problem' : 'problems'} · mode \${mode ?? '(none)'} · scope \${scope} · \${contract.file}\\nNothing was started, and nothing was guessed.\\n\`
}

function isStale()${type(': boolean')} {
  const { statSync, readFileSync } = process.getBuiltinModule('node:fs')
  const beside = \`\${import.meta.dirname}/\${contract.file}\`
  try {
    if (statSync(beside, { throwIfNoEntry: false }) === undefined) return false
    return \`sha256:\${process.getBuiltinModule('node:crypto').hash('sha256', readFileSync(beside))}\` !== contract.digest
  } catch {
    // One that is there and cannot be read may be another one.
    return true
  }
}

// Those that are not given as the text that they are.
const kinds = ()${type(': Readonly<Record<string, string>>')} => ({
${kinds}
})

/** The declared variables that are set, in their types; of an environment that passed. */
function read(env${type(': Variables')}, { mode, scope }${type(': Checked')})${type(': unknown')} {
  const values${type(': Record<string, unknown>')} = { mode, scope }
  const kind = kinds()
  for (const name of contract.variables) {
    const text = env[name]
    if (text !== undefined) values[name] = valueOf(text, kind[name])
  }
  return Object.freeze(values)
}

function valueOf(text${type(': string')}, kind${type(': string | undefined')})${type(': unknown')} {
  switch (kind) {
    case 'boolean':
      return text === 'true'
    case 'integer':
    case 'number':
    case 'port':
      return Number(text)
    case 'list':
      return text.split(',')
    case 'json':
      return JSON.parse(text)
    default:
      return text
  }
}
`
}

function scopeType(scope: string): string {
  return `${typeName(scope)}Environment`
}
