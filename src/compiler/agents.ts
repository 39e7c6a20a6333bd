import { type Contract, type PlaneRules, requireEnvironment } from '../contract/index.ts'
import type { GuardRules } from '../guard/index.ts'
import { guardRules } from './guard-rules.ts'

/** The rules for AI agents and automation, as `AGENTS.md` (seed 003 §6, with what it refers to). */
export function agentRules(contract: Contract): string {
  const rules = guardRules(contract)
  const environment = requireEnvironment(contract)
  const { agents, planes, prohibitions, gates } = environment
  const parts = [
    `<!-- Compiled by sallyport from ${rules.file}, contract ${rules.digest}. Do not edit it: compile the contract again. -->
# Rules for AI agents and automation: ${contract.name}

This is a rulebook. Whoever changes or runs this system follows it.`,
    modes(rules),
    bullets('You must', [
      ...(agents?.must ?? []),
      `Run \`sallyport check\` before you start anything; exit code 78 is a refusal, never a thing to work around`,
    ]),
    bullets('You must not', [
      ...(agents?.mustNot ?? []),
      'Give a variable of the contract a default in code, in an image or in a manifest',
      'Print, copy or commit the value of a sensitive variable',
    ]),
    bullets(
      'Forbidden in every environment',
      [...prohibitions.values()].map(({ id, reason, severity }) => `${id}: ${reason} (${severity})`),
    ),
    ...(planes.size === 0 ? [] : [['## Planes do not mix', ...[...planes.values()].map(plane)].join('\n\n')]),
    bullets(
      'Gated features',
      [...gates.values()].map(
        (gate) =>
          `${gate.id}: ${[...gate.endpoints.keys()].join(', ')} only in ${gate.modes.join(', ')}; elsewhere ${gate.otherwise.status}`,
      ),
    ),
    migrations(contract),
    secrets(contract),
    ...(agents && agents.answers.size > 0
      ? [
          [
            '## Asked often',
            [...agents.answers].map(([question, answer]) => `- ${question} → ${answer}`).join('\n'),
          ].join('\n\n'),
        ]
      : []),
    ...(agents ? [`## When a task is against this contract\n\n${agents.onViolation}.`] : []),
    bullets('Remember', agents?.remember ?? []),
  ]
  return `${parts.filter((text) => text !== '').join('\n\n')}\n`
}

function bullets(title: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `## ${title}\n\n${items.map((item) => `- ${item}`).join('\n')}`
}

function modes({ modes, discriminators }: GuardRules): string {
  const rows = modes.map(
    ({ name, match }) => `- ${name}: ${discriminators.map((one) => `\`${one}=${match[one]}\``).join(' ')}`,
  )
  return `## The modes\n\nThere are exactly these, and no default. In any other combination nothing starts, and nothing is guessed.\n\n${rows.join('\n')}`
}

function plane({ name, scheme, endpoints, rejects, testing, clients }: PlaneRules): string {
  const shown = {
    http: 'Authorization: Bearer',
    apiKey: 'name' in scheme ? scheme.name : '',
    connectionString: 'variable' in scheme ? scheme.variable : '',
  }
  const lines = [
    `- Credential: \`${shown[scheme.type]}\``,
    ...(endpoints.length > 0 ? [`- Endpoints: ${endpoints.map((one) => `\`${one}\``).join(', ')}`] : []),
    ...(rejects.length > 0 ? [`- Refuses the credentials of: ${rejects.join(', ')}`] : []),
    ...testing.methods.map(({ method, environment, how }) => `- ${method} (${environment}): ${how}`),
    ...(testing.never.length > 0 ? [`- Never: ${testing.never.join(', ')}`] : []),
    ...[...clients].flatMap(([client, sentences]) => sentences.map((sentence) => `- ${client}: ${sentence}`)),
  ]
  return `### ${name}\n\n${lines.join('\n')}`
}

function migrations(contract: Contract): string {
  const rules = requireEnvironment(contract).migrations
  if (!rules) return ''
  const roles = [...rules.roles.values()].map(({ name, migrate, confirm }) => {
    if (migrate === 'deny') return `\`${name}\` never takes a migration`
    return confirm
      ? `\`${name}\` only with \`${confirm.variable}=${confirm.value}\`, which a person sets`
      : `\`${name}\` takes migrations`
  })
  const bootstrap = rules.bootstrap
    ? [`An empty database first needs ${rules.bootstrap.require} (${rules.bootstrap.id})`]
    : []
  return bullets('Migrations', [`\`${rules.roleVariable}\` decides`, ...roles, ...bootstrap])
}

function secrets(contract: Contract): string {
  const rules = requireEnvironment(contract).secretRules
  if (!rules) return ''
  return bullets('Secrets', [
    `They come from ${rules.inject.join(' or ')}`,
    `They are never in ${rules.neverIn.join(', ')}`,
    `A leak leads to ${rules.onLeak}`,
  ])
}
