import type { Place } from '../contract.ts'
import { endpointsMeet } from '../endpoint.ts'
import type { Located } from '../located.ts'
import { hasBroker } from '../parts.ts'
import { quote, type Report } from '../problem.ts'
import { namesIn, onLine, type Rule, requireEach, requireKnown } from './reference.ts'
import { scopeKind, scopeNames, variableKind, variableNames } from './variables.ts'

export const planeKind = { noun: 'plane', section: 'planes' } as const

/** Planes never cross: each has credentials and endpoints of its own, and names what exists. */
export const planeRule: Rule = (root, report) => {
  const planes = root.at('planes')?.entries ?? new Map<string, Located>()
  const known = { planes: namesIn(root, 'planes'), scopes: scopeNames(root), variables: variableNames(root) }
  for (const [name, plane] of planes) {
    for (const key of ['rejects', 'standsInFor']) {
      requireEach(plane.at(key), known.planes, planeKind, report)
      refuseItself(name, plane.at(key), report)
    }
    requireEach(plane.at('scopes'), known.scopes, scopeKind, report)
    for (const path of [['scheme', 'variable'], ['enabledBy'], ['controlledBy']])
      requireKnown(plane.at(...path), known.variables, variableKind, report)
    requireIssuer(root, name, plane, report)
    refuseUnheededStandIn(name, plane, planes, report)
  }
  refuseSharedSchemes(planes, report)
  refuseSharedEndpoints(planes, report)
  if (hasBroker(root.value)) requireBrokerSchemes(root, report)
}

function refuseItself(name: string, list: Located | undefined, report: Report): void {
  for (const item of list?.items ?? [])
    if (item.text === name) report(item.place, `The plane ${name} names itself.`, 'name another plane')
}

function requireIssuer(root: Located, name: string, plane: Located, report: Report): void {
  const issuer = plane.at('scheme', 'issuer')
  if (
    !root.at('issuers') ||
    !requireKnown(issuer, namesIn(root, 'issuers'), { noun: 'issuer', section: 'issuers' }, report)
  )
    return
  const own = root.at('issuers', issuer?.text ?? '', 'plane')
  if (issuer && own?.text !== undefined && own.text !== name)
    report(
      issuer.place,
      `The issuer ${issuer.text} (${onLine(own.place)}) is on the ${own.text} plane, not on ${name}.`,
      'name an issuer of this plane',
    )
}

function refuseUnheededStandIn(
  name: string,
  plane: Located,
  planes: ReadonlyMap<string, Located>,
  report: Report,
): void {
  for (const item of plane.at('standsInFor')?.items ?? []) {
    const other = planes.get(item.text ?? '')?.at('rejects')
    const refusal = other?.items.find(({ text }) => text === name)
    if (refusal)
      report(
        item.place,
        `${name} stands in for ${item.text}, which rejects it (${onLine(refusal.place)}).`,
        'remove it here or there',
      )
  }
}

/** What would tell two credentials apart is the same in both planes. */
function refuseSharedSchemes(planes: ReadonlyMap<string, Located>, report: Report): void {
  const seen = new Map<string, { name: string; place: Place }>()
  for (const [name, plane] of planes) {
    const scheme = plane.at('scheme')
    const kind = scheme?.at('type')?.text
    const own = { apiKey: scheme?.at('name')?.text?.toLowerCase(), http: scheme?.at('issuer')?.text ?? '' }
    if (!scheme || (kind !== 'apiKey' && kind !== 'http') || own[kind] === undefined) continue
    const key = `${kind} ${own[kind]}`
    const first = seen.get(key)
    const place = scheme.at('name')?.place ?? scheme.place
    if (!first) seen.set(key, { name, place })
    else
      report(
        place,
        `The planes ${first.name} (${onLine(first.place)}) and ${name} take the same credential; planes never cross.`,
        kind === 'http' ? 'name another `issuer`' : 'name another header',
      )
  }
}

function refuseSharedEndpoints(planes: ReadonlyMap<string, Located>, report: Report): void {
  const seen: { name: string; glob: string; place: Place }[] = []
  for (const [name, plane] of planes)
    for (const { text: glob, place } of plane.at('endpoints')?.items ?? []) {
      if (glob === undefined) continue
      const first = seen.find((other) => other.name !== name && endpointsMeet(other.glob, glob))
      if (first)
        report(
          place,
          `${quote(glob)} and ${quote(first.glob)} of the plane ${first.name} (${onLine(first.place)}) meet; planes never cross.`,
          'narrow one of the two',
        )
      seen.push({ name, glob, place })
    }
}

const brokerSchemes = { machine: 'apiKey', human: 'http' } as const

function requireBrokerSchemes(root: Located, report: Report): void {
  for (const [name, kind] of Object.entries(brokerSchemes)) {
    const written = root.at('planes', name, 'scheme', 'type')
    if (written?.text !== undefined && written.text !== kind)
      report(
        written.place,
        `The plane ${name} of a broker is shown by ${quote(kind)}, not by ${quote(written.text)}.`,
        `write \`type: ${kind}\``,
      )
  }
}
