import type { Place } from '../contract.ts'
import type { Located } from '../located.ts'
import { nearestName } from '../nearest.ts'
import { brokerNeeds } from '../parts.ts'
import { quote, type Report } from '../problem.ts'
import type { ContractShape } from '../shape.ts'

/** A check across the parts of a contract. It reads the tree leniently: what has a wrong shape is reported elsewhere. */
export type Rule = (root: Located, report: Report) => void

export type Kind = { readonly noun: string; readonly section: string; readonly within?: string }

/** Reports a name that is not among the known ones, with the one that was probably meant. */
export function requireKnown(
  at: { readonly text: string | undefined; readonly place: Place } | undefined,
  known: Names,
  kind: Kind,
  report: Report,
): boolean {
  if (at?.text === undefined || known === undefined) return false
  if (known.has(at.text)) return true
  report(
    at.place,
    `There is no ${kind.noun} ${quote(at.text)}${kind.within ?? ''}.`,
    nextFor(at.text, [...known], kind),
  )
  return false
}

/** As `requireKnown`, for a text and for each item of a list. */
export function requireEach(node: Located | undefined, known: Names, kind: Kind, report: Report): void {
  for (const at of node ? [node, ...node.items] : []) requireKnown(at, known, kind, report)
}

/** As `requireKnown`, for each key of a mapping. */
export function requireKeys(node: Located | undefined, known: Names, kind: Kind, report: Report): void {
  for (const [text, { keyPlace }] of node?.entries ?? [])
    requireKnown({ text, place: keyPlace }, known, kind, report)
}

function nextFor(written: string, names: readonly string[], kind: Kind): string {
  const meant = nearestName(written, names)
  if (meant !== undefined) return `write \`${meant}\``
  const add = `add ${quote(written)} under \`${kind.section}\``
  if (names.length === 0) return add
  const shown = names.slice(0, 8).join(', ')
  return `${add}, or name one of ${shown}${names.length > 8 ? ', …' : ''}`
}

/** The names in a section; `undefined` when it is needed and not there, which is a problem of its own and not one for each reference. */
export type Names = ReadonlySet<string> | undefined

/** The names in a section such as `tenants` (a list of names) or `modes` (a mapping). */
export function namesIn(root: Located, section: keyof ContractShape): Names {
  const found = root.at(section)
  if (!found && neededSections.has(section)) return undefined
  return new Set(found ? [...found.texts, ...found.entries.keys()] : [])
}

const neededSections: ReadonlySet<string> = new Set(['discriminators', 'modes', ...brokerNeeds])

export function onLine(place: Place): string {
  return `line ${place.line}`
}
