import type { Located } from '../located.ts'
import { nearestName } from '../nearest.ts'
import { quote, type Report } from '../problem.ts'
import { templateParts } from '../resource.ts'
import { namesIn, type Rule, requireKnown } from './reference.ts'

/** Names that the broker gives a meaning to; no part of a resource may take one. */
const reservedParts = ['resource', 'tenant', 'agent'] as const

/** Every service has a provider, and every action a resource that can be read in one way alone. */
export const serviceRule: Rule = (root, report) => {
  const providers = namesIn(root, 'providers')
  for (const [name, service] of root.at('services')?.entries ?? []) {
    requireKnown(service.at('provider'), providers, { noun: 'provider', section: 'providers' }, report)
    const actions = service.at('actions')
    if (actions?.entries.size === 0)
      report(actions.place, `The service ${name} has no action.`, 'add one under `actions`')
    for (const action of actions?.entries.values() ?? []) checkAction(action, report)
  }
}

function checkAction(action: Located, report: Report): void {
  const resource = action.at('resource')
  if (resource?.text === undefined) return
  const fault = templateFault(resource.text)
  if (fault) {
    report(resource.place, fault.message, fault.next)
    return
  }
  const means = action.at('means')
  if (means) checkMeans(means, [...templateParts(resource.text), 'resource'], report)
}

function checkMeans(node: Located, parts: readonly string[], report: Report): void {
  for (const match of (node.text ?? '').matchAll(/\{([A-Za-z][A-Za-z0-9_]*)\+?\}/g)) {
    const part = match[1] ?? ''
    if (parts.includes(part)) continue
    const meant = nearestName(part, parts)
    const next = meant
      ? `write \`{${meant}}\``
      : `use one of ${parts.map((known) => `{${known}}`).join(', ')}`
    report(node.place, `\`{${part}}\` is not a part of the action's resource.`, next)
  }
  for (const child of [...node.items, ...node.entries.values()]) checkMeans(child, parts, report)
}

type Fault = { message: string; next: string }

const wholePart = /\{([a-z][a-z0-9_]*)(\+?)\}/g

/** Why a template could not be read in exactly one way, if so. */
export function templateFault(template: string): Fault | undefined {
  const names = templateParts(template)
  const literal = template.replace(wholePart, '')
  const brace = /\{[^}]*\}?|\}/.exec(literal)?.[0]
  if (brace !== undefined)
    return {
      message: `${quote(brace)} is not a part of a resource.`,
      next: 'write `{name}` or `{name+}`, in lower-case letters, digits and `_`',
    }
  const stray = /[^A-Za-z0-9._@:+=/,~-]/u.exec(literal)?.[0]
  if (stray !== undefined)
    return {
      message: `${quote(stray)} cannot stand in a resource, so nothing could ever match.`,
      next: 'use letters, digits and `._@:+=/,~-` between the parts',
    }
  return partFault(template, names)
}

function partFault(template: string, names: readonly string[]): Fault | undefined {
  const reserved = reservedParts.find((part) => names.includes(part))
  if (reserved !== undefined)
    return {
      message: `\`{${reserved}}\` is the broker's word and cannot be a part.`,
      next: 'name the part otherwise',
    }
  const twice = names.find((part, index) => names.indexOf(part) !== index)
  if (twice !== undefined)
    return { message: `The part \`{${twice}}\` stands twice.`, next: 'name the second part otherwise' }
  const joined = /\}[A-Za-z0-9{]/.exec(template)
  if (joined)
    return {
      message: `Where the part before ${quote(template.slice(joined.index + 1))} ends cannot be told.`,
      next: 'put `/`, `:`, `.` or another separator after the part',
    }
  const wide = [...template.matchAll(wholePart)].filter((match) => match[2] === '+')
  if (wide.length > 1)
    return { message: 'Only one part may hold slashes.', next: 'keep `+` on one part, best the last' }
  return undefined
}
