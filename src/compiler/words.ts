import type { RequiredWhen, Requirement, Variable } from '../contract/index.ts'

/** What the text of a variable must be, in words that say nothing of any value: "a whole number, at least 0". */
export function expectationOf({ type, constraints }: Pick<Variable, 'type' | 'constraints'>): string {
  const { enum: values, pattern, minimum, maximum, schemes } = constraints
  const bounds = [
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
  ]
  return [
    values ? `one of ${values.join(', ')}` : nouns[type],
    ...(schemes ? [`with the scheme ${schemes.join(' or ')}`] : []),
    ...bounds,
    ...(pattern === undefined ? [] : [`matching ${pattern}`]),
  ].join(', ')
}

const nouns: Readonly<Record<Variable['type'], string>> = {
  string: 'text',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  port: 'a port from 0 to 65535',
  uri: 'a URI',
  duration: 'a duration such as 30s',
  list: 'items separated by commas',
  json: 'JSON',
}

/** When a variable must be there: "in TEST, PROD, and for migrate, seed"; empty for one that never must. */
export function requirementWords(requirement: Requirement): string {
  switch (requirement.kind) {
    case 'always':
      return 'always'
    case 'optional':
      return ''
    case 'when':
      return whenWords(requirement)
    case 'any':
      return requirement.of.map(whenWords).join(', and ')
  }
}

function whenWords({ modes, scopes }: RequiredWhen): string {
  return [...(modes ? [`in ${modes.join(', ')}`] : []), ...(scopes ? [`for ${scopes.join(', ')}`] : [])].join(
    ' ',
  )
}
