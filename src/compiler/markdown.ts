import { type Contract, requireEnvironment, type Scheme, type Variable } from '../contract/index.ts'
import type { GuardRules } from '../guard/index.ts'
import { guardRules } from './guard-rules.ts'

/** The contract for people: modes, planes, gates, prohibitions, and every variable with its owner, requirement and secret path. */
export function markdownTables(contract: Contract): string {
  const rules = guardRules(contract)
  const { planes, gates, prohibitions, migrations, modeRules } = requireEnvironment(contract)
  const sections = [
    section(
      'Modes',
      ['mode', ...rules.discriminators.map(code), 'purpose', 'data'],
      rules.modes.map(({ name, match }) => {
        const said = modeRules.get(name)
        return [
          name,
          ...rules.discriminators.map((one) => code(match[one] ?? '')),
          said?.purpose ?? '',
          said?.dataClass ?? '',
        ]
      }),
    ),
    section(
      'Planes',
      ['plane', 'credential', 'endpoints', 'refuses'],
      [...planes.values()].map((plane) => [
        plane.name,
        credential(plane.scheme),
        plane.endpoints.map(code).join(' '),
        plane.rejects.join(', '),
      ]),
    ),
    section(
      'Database roles',
      ['role', 'migrations', 'meaning'],
      [...(migrations?.roles.values() ?? [])].map((role) => [
        role.name,
        role.confirm ? `with ${code(`${role.confirm.variable}=${role.confirm.value}`)}` : role.migrate,
        role.meaning ?? '',
      ]),
    ),
    section(
      'Gated features',
      ['gate', 'endpoints', 'only in', 'elsewhere'],
      [...gates.values()].map((gate) => [
        gate.id,
        [...gate.endpoints.keys()].map(code).join(' '),
        gate.modes.join(', '),
        `${gate.otherwise.status} ${code(JSON.stringify(gate.otherwise.body))}`,
      ]),
    ),
    section(
      'Prohibitions',
      ['prohibition', 'reason', 'severity'],
      [...prohibitions.values()].map(({ id, reason, severity }) => [id, reason, severity]),
    ),
    ...variableSections(contract, rules),
  ]
  return `<!-- Compiled by sallyport from ${rules.file}, contract ${rules.digest}. Do not edit it: compile the contract again. -->
# The environment contract ${contract.name}

${sections.filter((text) => text !== '').join('\n')}`
}

function credential(scheme: Scheme): string {
  switch (scheme.type) {
    case 'http':
      return code(
        `Authorization: Bearer <${scheme.issuer === undefined ? 'token' : `${scheme.issuer} token`}>`,
      )
    case 'apiKey':
      return code(scheme.name)
    case 'connectionString':
      return code(scheme.variable)
  }
}

function variableSections(contract: Contract, rules: GuardRules): readonly string[] {
  const groups = Map.groupBy(requireEnvironment(contract).variables.values(), ({ group }) => group)
  return [...groups].map(([group, variables]) =>
    section(
      `Variables: ${group}`,
      ['variable', 'owner', 'must be', 'required', 'secret'],
      variables.map((variable) => row(variable, rules)),
    ),
  )
}

function row(variable: Variable, { variables }: GuardRules): readonly string[] {
  const rule = variables.find(({ name }) => name === variable.name)
  const fixed = [...variable.constByMode].map(([mode, value]) => `${code(value)} in ${mode}`)
  return [
    code(variable.name),
    variable.owner,
    [rule?.expected ?? '', ...fixed].join('; '),
    rule?.requiredWords ?? '',
    [variable.sensitive ? 'sensitive' : '', ...variable.secretPaths.map(code)]
      .filter((text) => text !== '')
      .join(' '),
  ]
}

function section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`
  return `## ${title}\n\n${[line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')}\n`
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``
}
