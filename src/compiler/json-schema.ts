import type { GuardRules, ValueRule, VariableRule } from '../guard/index.ts'

/** JSON Schema 2020-12 of an environment as an object of texts: one schema a mode, for a process of the scope. */
export function jsonSchema(rules: GuardRules, scope: string): string {
  const { name, digest, variables, modes } = rules
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:sallyport:environment:${name}:${scope}`,
    $comment: `Compiled by sallyport from ${rules.file}, contract ${digest}. Do not edit it: compile the contract again.`,
    title: `The environment of a process of ${name} with the scope ${scope}`,
    type: 'object',
    properties: Object.fromEntries(
      variables.map((rule) => [rule.name, { ...textSchema(rule), ...annotations(rule) }]),
    ),
    not: { anyOf: forbidden(rules) },
    oneOf: modes.map((mode) => modeSchema(rules, { mode: mode.name, match: mode.match, scope })),
  }
  return `${JSON.stringify(rules.prohibitions.length > 0 ? schema : { ...schema, not: undefined }, null, 2)}\n`
}

function annotations({ owner, secretPaths, sensitive, requiredWords }: VariableRule) {
  const words = [
    `Owner: ${owner}.`,
    ...(requiredWords === '' ? [] : [`Required ${requiredWords}.`]),
    ...(secretPaths.length === 0 ? [] : [`Secret: ${secretPaths.join(', else ')}.`]),
  ]
  return { description: words.join(' '), ...(sensitive && { writeOnly: true }) }
}

function modeSchema(
  { variables, discriminators }: GuardRules,
  at: { readonly mode: string; readonly match: Readonly<Record<string, string>>; readonly scope: string },
) {
  const required = variables.filter(({ requiredAt }) => requiredAt.has(`${at.scope} ${at.mode}`))
  const fixed = variables.flatMap(({ name, constByMode }) => {
    const value = constByMode.get(at.mode)
    return value === undefined ? [] : [[name, { const: value }] as const]
  })
  const tuple = discriminators.map((name) => [name, { const: at.match[name] }] as const)
  return {
    title: at.mode,
    properties: Object.fromEntries([...tuple, ...fixed]),
    required: [...new Set([...discriminators, ...required.map(({ name }) => name)])],
    // A variable that is required is not empty.
    ...(required.length > 0 && {
      allOf: [{ properties: Object.fromEntries(required.map(({ name }) => [name, { minLength: 1 }])) }],
    }),
  }
}

function forbidden({ prohibitions }: GuardRules) {
  return prohibitions.map(({ variable, when, id, reason }) => ({
    $comment: `${id}: ${reason}`,
    required: [variable],
    ...(when === 'truthy' && {
      properties: { [variable]: { not: { pattern: '^(0|[Ff][Aa][Ll][Ss][Ee]|[Nn][Oo]|[Oo][Ff][Ff])?$' } } },
    }),
  }))
}

/** What a schema can say of a text; bounds of numbers are beyond it. */
function textSchema({ value }: VariableRule): Readonly<Record<string, unknown>> {
  const patterns = [
    ...(kindPatterns[value.kind] === undefined ? [] : [kindPatterns[value.kind]]),
    ...('schemes' in value && value.schemes ? [`^(?:${value.schemes.map(literal).join('|')}):`] : []),
    ...('pattern' in value && value.pattern !== undefined ? [value.pattern] : []),
  ]
  const [only, ...more] = patterns
  return {
    type: 'string',
    ...(value.kind === 'boolean' && { enum: ['true', 'false'] }),
    ...('enum' in value && value.enum && { enum: value.enum }),
    ...(only !== undefined && { pattern: only }),
    ...(more.length > 0 && { allOf: more.map((pattern) => ({ pattern })) }),
  }
}

const kindPatterns: Readonly<Partial<Record<ValueRule['kind'], string>>> = {
  integer: '^-?[0-9]{1,15}$',
  number: '^-?[0-9]+(\\.[0-9]+)?$',
  port: '^[0-9]{1,5}$',
  uri: '^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$',
  duration: '^[0-9]{1,9}(ms|[smhd])?$',
  list: '^[^,]+(,[^,]+)*$',
}

function literal(text: string): string {
  return text.replace(/[.+]/g, '\\$&')
}
