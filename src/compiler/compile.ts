import { type Contract, requireEnvironment } from '../contract/index.ts'
import type { GuardRules } from '../guard/index.ts'
import { Failure } from '../primitives/index.ts'
import { agentRules } from './agents.ts'
import { envExample } from './env-example.ts'
import { guardRules } from './guard-rules.ts'
import { javascriptGuard, typescriptGuard } from './javascript.ts'
import { jsonSchema } from './json-schema.ts'
import { markdownTables } from './markdown.ts'
import { pythonGuard } from './python.ts'
import { shellGuard } from './sh.ts'

/** What a contract can be compiled to. */
export const compileTargets = [
  'js',
  'ts',
  'sh',
  'python',
  'json-schema',
  'env-example',
  'markdown',
  'agents-md',
] as const

export type CompileTarget = (typeof compileTargets)[number]

export type CompileOptions = {
  /** For `json-schema`: the scope of the process; absent is the contract's default. */
  readonly scope?: string
  /** For `env-example`: the mode whose fixed values it holds. */
  readonly mode?: string
}

/** The text of a target. Throws `option_invalid` for a scope or mode that the contract does not have, and `contract_invalid`. */
export function compileContract(
  contract: Contract,
  target: CompileTarget,
  options: CompileOptions = {},
): string {
  const rules = guardRules(contract)
  const { scopes } = requireEnvironment(contract)
  const scope = known('scope', options.scope, [...scopes.keys()]) ?? rules.defaultScope
  const mode = known('mode', options.mode, [...contract.modes.keys()])
  switch (target) {
    case 'js':
      return javascriptGuard(readable(rules))
    case 'ts':
      return typescriptGuard(readable(rules))
    case 'sh':
      return shellGuard(rules)
    case 'python':
      return pythonGuard(readable(rules))
    case 'json-schema':
      return jsonSchema(rules, scope)
    case 'env-example':
      return envExample(contract, mode)
    case 'markdown':
      return markdownTables(contract)
    case 'agents-md':
      return agentRules(contract)
  }
}

function known(noun: string, wanted: string | undefined, names: readonly string[]): string | undefined {
  if (wanted === undefined || names.includes(wanted)) return wanted
  throw new Failure('option_invalid', `The contract has no ${noun} ${wanted}.`, {
    next: `name one of ${names.join(', ')}`,
  })
}

/** What a guard gives its program has the names of the variables, and `mode` and `scope` beside them. */
function readable(rules: GuardRules): GuardRules {
  const taken = rules.variables.find(
    ({ name }) => name === 'mode' || name === 'scope' || name in Object.prototype,
  )
  if (!taken) return rules
  throw new Failure(
    'contract_invalid',
    `A guard cannot give a variable called ${taken.name} beside the mode and scope.`,
    {
      next: 'rename the variable',
    },
  )
}
