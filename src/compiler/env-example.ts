import { type Contract, requireEnvironment, type Variable } from '../contract/index.ts'
import type { GuardRules, VariableRule } from '../guard/index.ts'
import { guardRules } from './guard-rules.ts'

/**
 * An example file: every name with its owner, when it is required and where its secret lives, and a safe placeholder or nothing. With a mode
 * it holds what the mode fixes; without one no discriminator has a value, because there is no default mode.
 */
export function envExample(contract: Contract, mode?: string): string {
  const rules = guardRules(contract)
  const { variables } = requireEnvironment(contract)
  const groups = Map.groupBy(
    [...variables.values()].filter(({ internal }) => !internal),
    ({ group }) => group,
  )
  const head = [
    `# Compiled by sallyport from ${rules.file}, contract ${rules.digest}`,
    `# Names and placeholders${mode === undefined ? '' : ` for ${mode}`}: no secret stands here. A variable without a value is not set.`,
    ...modeLines(rules, mode),
  ]
  const blocks = [...groups].map(([group, members]) => {
    const lines = members.map((variable) => variableLines(variable, rules, mode))
    return [`# --- ${group} ---`, ...lines].join('\n')
  })
  return `${[head.join('\n'), ...blocks].join('\n\n')}\n`
}

function modeLines({ modes, discriminators }: GuardRules, mode: string | undefined): readonly string[] {
  if (mode !== undefined) return []
  return modes.map(
    ({ name, match }) => `# ${name}: ${discriminators.map((one) => `${one}=${match[one]}`).join(' ')}`,
  )
}

function variableLines(variable: Variable, rules: GuardRules, mode: string | undefined): string {
  const rule = rules.variables.find(({ name }) => name === variable.name)
  const words = [
    variable.owner,
    rule?.expected ?? '',
    ...(rule?.requiredWords ? [`required ${rule.requiredWords}`] : []),
    ...(variable.secretPaths.length > 0 ? [`secret ${variable.secretPaths.join(', else ')}`] : []),
    ...(variable.sensitive ? ['never commit its value'] : []),
  ]
  return `# ${words.join(' · ')}\n${variable.name}=${rule === undefined ? '' : placeholder(variable, rule, rules, mode)}`
}

function placeholder(
  variable: Variable,
  rule: VariableRule,
  rules: GuardRules,
  mode: string | undefined,
): string {
  const match = rules.modes.find(({ name }) => name === mode)?.match[variable.name]
  const fixed = mode === undefined ? undefined : rule.constByMode.get(mode)
  return shellWord(match ?? fixed ?? variable.example ?? '')
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]*$/.test(text) ? text : JSON.stringify(text)
}
