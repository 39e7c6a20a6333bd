import { formatDuration, parseDurationSeconds } from '../../primitives/index.ts'
import type { Place } from '../contract.ts'
import type { Located } from '../located.ts'
import { quote, type Report } from '../problem.ts'
import { isPlainResource, matchResource } from '../resource.ts'
import { templateFault } from './catalogue.ts'
import { type Names, namesIn, onLine, type Rule, requireKnown } from './reference.ts'

/** Every grant names what exists, stays under the ceilings of its modes, and can be used by someone for something. */
export const grantRule: Rule = (root, report) => {
  const ids = new Map<string, Place>()
  const known: Known = {
    tenants: namesIn(root, 'tenants'),
    identities: namesIn(root, 'identities'),
    services: namesIn(root, 'services'),
    modes: namesIn(root, 'modes'),
  }
  for (const grant of root.at('grants')?.items ?? []) {
    refuseTwin(grant.at('id'), ids, report)
    requireKnown(grant.at('tenant'), known.tenants, { noun: 'tenant', section: 'tenants' }, report)
    for (const agent of grant.at('agents')?.items ?? []) checkAgent(root, known, { grant, agent }, report)
    checkActions(root, known, grant, report)
    for (const resource of grant.at('resources')?.items ?? [])
      checkResource(root, { grant, resource }, report)
    for (const mode of grant.at('modes')?.items ?? []) checkMode(root, known, { grant, mode }, report)
  }
}

type Known = Readonly<Record<'tenants' | 'identities' | 'services' | 'modes', Names>>

function refuseTwin(id: Located | undefined, seen: Map<string, Place>, report: Report): void {
  if (id?.text === undefined) return
  const first = seen.get(id.text)
  if (first)
    report(
      id.place,
      `The grant ${quote(id.text)} stands twice; the first is on ${onLine(first)}.`,
      'give it another id',
    )
  else seen.set(id.text, id.place)
}

function checkAgent(
  root: Located,
  known: Known,
  { grant, agent }: { grant: Located; agent: Located },
  report: Report,
): void {
  if (agent.text === undefined || agent.text === '*') return
  if (agent.text.includes('*')) {
    report(
      agent.place,
      `${quote(agent.text)} names no agent: \`*\` stands alone, for every agent.`,
      'name the agents',
    )
    return
  }
  if (!requireKnown(agent, known.identities, { noun: 'identity', section: 'identities' }, report)) return
  const tenant = root.at('identities', agent.text, 'tenant')
  const wanted = grant.at('tenant')?.text
  if (tenant?.text !== undefined && wanted !== undefined && tenant.text !== wanted)
    report(
      agent.place,
      `The agent ${agent.text} belongs to the tenant ${tenant.text} (${onLine(tenant.place)}), not to ${wanted}.`,
      `name agents of ${wanted}`,
    )
  const plane = root.at('identities', agent.text, 'plane')
  const planes = grant.at('planes')?.texts ?? ['machine']
  if (plane?.text !== undefined && !planes.includes(plane.text))
    report(
      agent.place,
      `The agent ${agent.text} calls on the ${plane.text} plane (${onLine(plane.place)}), where this grant does not hold.`,
      `add ${plane.text} to the \`planes\` of the grant, or remove the agent`,
    )
}

function checkActions(root: Located, known: Known, grant: Located, report: Report): void {
  const service = grant.at('service')
  const found = requireKnown(service, known.services, { noun: 'service', section: 'services' }, report)
  for (const action of grant.at('actions')?.items ?? []) {
    if (action.text?.includes('*'))
      report(
        action.place,
        `${quote(action.text)}: an action cannot be named with a wildcard.`,
        'name each action',
      )
    else if (found && service?.text !== undefined) {
      const actions = root.at('services', service.text, 'actions')?.entries ?? new Map<string, Located>()
      const section = `services.${service.text}.actions`
      requireKnown(
        action,
        new Set(actions.keys()),
        { noun: 'action', section, within: ` in the service ${service.text}` },
        report,
      )
    }
  }
}

function checkResource(
  root: Located,
  { grant, resource }: { grant: Located; resource: Located },
  report: Report,
): void {
  const pattern = resource.text
  if (pattern === undefined) return
  const actions = grant.at('actions')?.texts ?? []
  const wild = actions.find((action) => action.includes('*'))
  if (/^\*+$/.test(pattern) && wild !== undefined)
    report(
      resource.place,
      `${quote(pattern)} over the action ${quote(wild)} grants everything.`,
      'name the resources',
    )
  else if (!isPattern(pattern))
    report(
      resource.place,
      `${quote(pattern)} is not a pattern of resources: \`*\` and \`**\` are its only wildcards.`,
      'use letters, digits and `._@:+=/,~-`, `*` within one segment, `**` across segments',
    )
  else if (!pattern.includes('*') && !canBeAsked(root, grant, pattern))
    report(
      resource.place,
      `No action of this grant has a resource that is written ${quote(pattern)}.`,
      'write it as the `resource` of the action says',
    )
}

function isPattern(pattern: string): boolean {
  return (
    /^[A-Za-z0-9._@:+=/,~*-]{1,1024}$/.test(pattern) &&
    !pattern.includes('***') &&
    (pattern.includes('*') || isPlainResource(pattern))
  )
}

function canBeAsked(root: Located, grant: Located, resource: string): boolean {
  const service = grant.at('service')?.text ?? ''
  const templates = (grant.at('actions')?.texts ?? []).map(
    (action) => root.at('services', service, 'actions', action, 'resource')?.text,
  )
  // What is not there, or is itself wrong, has its own problem.
  return templates.some(
    (template) =>
      template === undefined ||
      templateFault(template) !== undefined ||
      matchResource(template, resource) !== undefined,
  )
}

function checkMode(
  root: Located,
  known: Known,
  { grant, mode }: { grant: Located; mode: Located },
  report: Report,
): void {
  const found = requireKnown(mode, known.modes, { noun: 'mode', section: 'modes' }, report)
  if (!found || mode.text === undefined) return
  const ceiling = root.at('modes', mode.text, 'ceiling', 'duration')
  const asked = grant.at('maxDuration')
  const ceilingSeconds = parseDurationSeconds(ceiling?.text ?? '')
  const askedSeconds = parseDurationSeconds(asked?.text ?? '')
  if (!ceiling || !asked || ceilingSeconds === undefined || askedSeconds === undefined) return
  if (askedSeconds > ceilingSeconds)
    report(
      asked.place,
      `\`maxDuration\` is ${formatDuration(askedSeconds)}, but the ceiling of ${mode.text} (${onLine(ceiling.place)}) is ${formatDuration(ceilingSeconds)}.`,
      `write \`maxDuration: ${formatDuration(ceilingSeconds)}\`, or split the grant by mode`,
    )
}
