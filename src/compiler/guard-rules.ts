import { type Contract, isRequired, type Requirement, requireEnvironment } from '../contract/index.ts'
import {
  type GuardRules,
  type MigrationRule,
  type ProhibitionRule,
  unknownMode,
  type ValueRule,
} from '../guard/index.ts'
import { Failure } from '../primitives/index.ts'
import { expectationOf, requirementWords } from './words.ts'

/** Throws `contract_invalid` for a contract that says nothing of an environment, or a bound that no language compares exactly. */
export function guardRules(contract: Contract): GuardRules {
  const environment = requireEnvironment(contract)
  const scopes = [...environment.scopes.values()]
  const names = { modes: [...contract.modes.keys()], scopes: scopes.map(({ name }) => name) }
  return {
    name: contract.name,
    // It stands in comments and code of other languages.
    file: (contract.file.split(/[/\\]/).at(-1) ?? '').replace(/[^\w.-]/g, '_'),
    digest: contract.digest,
    discriminators: contract.discriminators,
    modes: [...contract.modes.values()].map(({ name, match, place }) => ({ name, match, line: place.line })),
    scopes: scopes.map(({ name, commands }) => ({ name, commands })),
    defaultScope: scopes.find(({ isDefault }) => isDefault)?.name ?? 'runtime',
    variables: [...environment.variables.values()].map((variable) => {
      const { name, owner, secretPaths, sensitive, internal, place } = variable
      return {
        name,
        owner,
        secretPaths,
        sensitive,
        internal,
        value: valueRule(variable, contract.file),
        requiredAt: requiredAt(variable.required, names),
        constByMode: withUnknown(variable.constByMode, names.modes),
        expected: expectationOf(variable),
        requiredWords: requirementWords(variable.required),
        line: place.line,
      }
    }),
    prohibitions: prohibitionRules(environment.prohibitions.values()),
    ...(environment.migrations && { migration: migrationRule(environment.migrations) }),
  }
}

type Environment = ReturnType<typeof requireEnvironment>
type Variable = Environment['variables'] extends ReadonlyMap<string, infer One> ? One : never
type Prohibition = Environment['prohibitions'] extends ReadonlyMap<string, infer One> ? One : never

function valueRule({ name, type, constraints }: Variable, file: string): ValueRule {
  const { enum: values, pattern, minimum, maximum, schemes } = constraints
  for (const bound of [minimum, maximum])
    if (bound !== undefined && !exactNumber.test(String(bound)))
      throw new Failure(
        'contract_invalid',
        `${file}: ${name} is bound by ${bound}, which has more than 15 digits.`,
        {
          next: 'write a bound of at most 15 digits, without an exponent',
        },
      )
  const oneOf = values && { enum: values }
  const shape = pattern !== undefined && { pattern }
  switch (type) {
    case 'boolean':
    case 'json':
      return { kind: type }
    case 'string':
      return { kind: 'text', ...oneOf, ...shape }
    case 'duration':
    case 'list':
      return { kind: type, ...oneOf, ...shape }
    case 'uri':
      return { kind: type, ...oneOf, ...shape, ...(schemes && { schemes }) }
    case 'integer':
    case 'number':
    case 'port':
      return {
        kind: type,
        ...oneOf,
        ...(minimum !== undefined && { minimum }),
        ...(maximum !== undefined && { maximum }),
      }
  }
}

/** Fifteen digits are what a double tells apart, and what a shell compares in 64 bits. */
const exactNumber = /^-?(?=[0-9.]{1,16}$)(?:[0-9]{1,15}|[0-9]+\.[0-9]+)$/

function requiredAt(
  requirement: Requirement,
  names: { readonly modes: readonly string[]; readonly scopes: readonly string[] },
): ReadonlySet<string> {
  const found = new Set<string>()
  for (const scope of names.scopes) {
    const modes = names.modes.filter((mode) => isRequired(requirement, { mode, scope }))
    for (const mode of modes) found.add(`${scope} ${mode}`)
    if (modes.length === names.modes.length) found.add(`${scope} ${unknownMode}`)
  }
  return found
}

function withUnknown(
  constByMode: ReadonlyMap<string, string>,
  modes: readonly string[],
): ReadonlyMap<string, string> {
  const values = new Set(modes.map((mode) => constByMode.get(mode)))
  const [only] = values
  return values.size === 1 && only !== undefined
    ? new Map([...constByMode, [unknownMode, only]])
    : constByMode
}

function prohibitionRules(prohibitions: Iterable<Prohibition>): readonly ProhibitionRule[] {
  return [...prohibitions].flatMap(({ id, reason, severity, detectors, place }) =>
    detectors.flatMap((detector) =>
      detector.kind === 'environment'
        ? detector.variables.map((variable) => ({
            id,
            reason,
            severity,
            when: detector.when,
            variable,
            line: place.line,
          }))
        : [],
    ),
  )
}

function migrationRule(rules: NonNullable<Environment['migrations']>): MigrationRule {
  return {
    variable: rules.roleVariable,
    roles: [...rules.roles.values()].map(({ name, migrate, confirm }) => ({
      name,
      migrate,
      ...(confirm && { confirm }),
    })),
    roleByMode: Object.fromEntries(rules.roleByMode),
    line: rules.place.line,
  }
}
