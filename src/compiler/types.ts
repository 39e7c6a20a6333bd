import type { GuardRules, ValueRule, VariableRule } from '../guard/index.ts'

/** Every declared variable, each of which may be absent. */
export function valueTypes({ variables }: GuardRules): string {
  const lines = variables
    .filter(({ internal }) => !internal)
    .map((rule) => `  /** ${commentOf(rule)} */\n  readonly ${rule.name}?: ${typeOf(rule.value)}`)
  return `/** Every variable of the contract. */\nexport type Values = {\n${lines.join('\n')}\n}\n`
}

function commentOf({ owner, expected, requiredWords }: VariableRule): string {
  return `${owner} · ${expected}${requiredWords === '' ? '' : ` · required ${requiredWords}`}`.replaceAll(
    '*/',
    '* /',
  )
}

/** For each scope the union over the modes of what is known there: which variables are there, and which have one value. */
export function environmentTypes(rules: GuardRules): string {
  const { modes, scopes, defaultScope } = rules
  const aliases = scopes.map(({ name: scope }) => {
    const members = modes.map(({ name }) => `  | (Values & ${modeType(rules, { mode: name, scope })})`)
    return `export type ${typeName(scope)}Environment =\n${members.join('\n')}\n`
  })
  const names = modes.map(({ name }) => `'${name}'`).join(' | ')
  return `export type Mode = ${names}

${aliases.join('\n')}
/** The environment of a process of the default scope. */
export type Environment = ${typeName(defaultScope)}Environment
`
}

function modeType(rules: GuardRules, at: { readonly mode: string; readonly scope: string }): string {
  const { discriminators, modes, variables } = rules
  const match = modes.find(({ name }) => name === at.mode)?.match ?? {}
  const known = variables.flatMap((rule) => {
    const { name, value, requiredAt, constByMode, internal } = rule
    if (internal || discriminators.includes(name)) return []
    const required = requiredAt.has(`${at.scope} ${at.mode}`)
    const fixed = constByMode.get(at.mode)
    if (!required && fixed === undefined) return []
    return [
      `readonly ${name}${required ? '' : '?'}: ${fixed === undefined ? typeOf(value) : literalOf(fixed, value)}`,
    ]
  })
  return `{ ${[
    `readonly mode: '${at.mode}'`,
    `readonly scope: '${at.scope}'`,
    ...discriminators.map((name) => `readonly ${name}: ${JSON.stringify(match[name])}`),
    ...known,
  ].join('; ')} }`
}

function typeOf(value: ValueRule): string {
  if ('enum' in value && value.enum && !isNumeric(value))
    return value.enum.map((text) => JSON.stringify(text)).join(' | ')
  switch (value.kind) {
    case 'boolean':
      return 'boolean'
    case 'integer':
    case 'number':
    case 'port':
      return 'number'
    case 'list':
      return 'readonly string[]'
    case 'json':
      return 'unknown'
    default:
      return 'string'
  }
}

function isNumeric({ kind }: ValueRule): boolean {
  return kind === 'integer' || kind === 'number' || kind === 'port'
}

/** The type of a value that is fixed in a mode. */
function literalOf(fixed: string, value: ValueRule): string {
  if (value.kind === 'boolean') return fixed
  if (isNumeric(value)) return String(Number(fixed))
  return value.kind === 'list' || value.kind === 'json' ? typeOf(value) : JSON.stringify(fixed)
}

/** `pre-prod` becomes `PreProd`. */
export function typeName(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')
}
