import type { Place } from '../contract.ts'
import type { Located } from '../located.ts'
import { quote, type Report } from '../problem.ts'
import { holdsSecret } from './providers.ts'
import {
  type Names,
  namesIn,
  onLine,
  type Rule,
  requireEach,
  requireKeys,
  requireKnown,
} from './reference.ts'

/** One variable of the file; `node` holds what is said of it, or its bare name. */
export type Declared = { readonly name: string; readonly node: Located; readonly place: Place }

/** Every variable as it is declared, in the order of the file, also those that are declared twice. */
export function declaredVariables(root: Located): readonly Declared[] {
  return (root.at('variables')?.items ?? []).flatMap((group) => [
    ...[...(group.at('vars')?.entries ?? [])].map(([name, node]) => ({ name, node, place: node.keyPlace })),
    ...(group.at('names')?.items ?? []).flatMap((node) =>
      node.text === undefined ? [] : [{ name: node.text, node, place: node.place }],
    ),
  ])
}

export const variableKind = { noun: 'variable', section: 'variables' } as const

/** The names of all variables. */
export function variableNames(root: Located): ReadonlySet<string> {
  return new Set(declaredVariables(root).map(({ name }) => name))
}

/** Every variable is declared once, says of itself what can hold, names what exists, and holds no secret. */
export const variableRule: Rule = (root, report) => {
  const seen = new Map<string, Place>()
  const known = { modes: namesIn(root, 'modes'), scopes: scopeNames(root) }
  for (const variable of declaredVariables(root)) {
    const first = seen.get(variable.name)
    if (first)
      report(
        variable.place,
        `The variable ${variable.name} stands twice; the first is on ${onLine(first)}.`,
        'keep one: a variable has one owner',
      )
    else seen.set(variable.name, variable.place)
    checkConstraints(variable, report)
    checkRequirement(variable, known, report)
    checkSecrecy(variable, report)
    checkPaths(root, variable, report)
  }
  refuseTwinPaths(root, report)
  checkDiscriminators(root, report)
}

/** Scopes by name; `runtime` is there where no section names any. */
export function scopeNames(root: Located): ReadonlySet<string> {
  return root.at('scopes') ? (namesIn(root, 'scopes') ?? new Set()) : new Set(['runtime'])
}

const appliesTo: Readonly<Record<string, readonly string[]>> = {
  enum: ['string', 'integer', 'number', 'port', 'uri', 'duration'],
  pattern: ['string', 'uri', 'duration', 'list'],
  minimum: ['integer', 'number', 'port'],
  maximum: ['integer', 'number', 'port'],
  schemes: ['uri'],
}

function checkConstraints({ name, node }: Declared, report: Report): void {
  const type = node.at('type')?.text ?? 'string'
  for (const [constraint, types] of Object.entries(appliesTo)) {
    const found = node.at(constraint)
    if (found && !types.includes(type))
      report(
        found.keyPlace,
        `\`${constraint}\` says nothing of ${name}, whose type is ${type}.`,
        `remove it, or write \`type: ${types[0]}\``,
      )
  }
  const minimum = node.at('minimum')?.value
  const maximum = node.at('maximum')
  if (typeof minimum === 'number' && typeof maximum?.value === 'number' && minimum > maximum.value)
    report(maximum.place, `${name} is at least ${minimum} and at most ${maximum.value}.`, 'swap the two')
  for (const value of ownValues(node)) requireFitting({ name, node }, value, report)
}

/** The values that the contract itself gives a variable. */
function ownValues(node: Located): readonly Located[] {
  const example = node.at('example')
  return [
    ...(example ? [example] : []),
    ...(node.at('const')?.entries.values() ?? []),
    ...(node.at('enum')?.items ?? []),
  ]
}

function requireFitting(
  { name, node }: Pick<Declared, 'name' | 'node'>,
  value: Located,
  report: Report,
): void {
  const text = typeof value.value === 'boolean' ? String(value.value) : value.text
  if (text === undefined || value.keyPlace === node.keyPlace) return
  const fault = faultOf(text, node)
  if (fault !== undefined)
    report(
      value.place,
      `${quote(text)} is no value of ${name}, which must be ${fault}.`,
      'write one that it may have',
    )
}

/** What a text must be and is not; in this the guards and this file agree on the simple types alone. */
function faultOf(text: string, node: Located): string | undefined {
  const type = node.at('type')?.text
  const values = node.at('enum')?.texts ?? []
  if (type === 'boolean' && text !== 'true' && text !== 'false') return '`true` or `false`'
  if ((type === 'integer' || type === 'port') && !/^-?[0-9]{1,15}$/.test(text)) return 'a whole number'
  if (type === 'number' && !/^-?[0-9]+(\.[0-9]+)?$/.test(text)) return 'a number'
  if (type === 'uri' && !/^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(text)) return 'a URI'
  return values.length > 0 && !values.includes(text) ? `one of ${values.join(', ')}` : undefined
}

type Known = { readonly modes: Names; readonly scopes: Names }

function checkRequirement({ node }: Declared, known: Known, report: Report): void {
  const required = node.at('required')
  for (const when of required ? [required, ...required.items] : []) {
    requireEach(when.at('modes'), known.modes, modeKind, report)
    requireEach(when.at('scopes'), known.scopes, scopeKind, report)
    if (when.entries.size === 0 && typeof when.value === 'object' && !Array.isArray(when.value))
      report(when.place, 'Neither modes nor scopes are named.', 'write `required: always` if that is meant')
  }
  requireKeys(node.at('const'), known.modes, modeKind, report)
}

export const modeKind = { noun: 'mode', section: 'modes' } as const
export const scopeKind = { noun: 'scope', section: 'scopes' } as const

/** A contract is published: what it says of a secret is where it lives, never what it is. */
function checkSecrecy({ name, node }: Declared, report: Report): void {
  const sensitive = node.at('sensitive')?.value === true
  for (const key of ['const', 'enum']) {
    const found = node.at(key)
    if (sensitive && found)
      report(
        found.keyPlace,
        `\`${key}\` says what ${name} is, and ${name} is sensitive.`,
        'remove one of the two',
      )
  }
  for (const value of ownValues(node)) {
    const reason = holdsSecret(value.text)
    if (reason)
      report(
        value.concealedPlace,
        `A value of ${name} ${reason}, and stands in the contract itself.`,
        'write a placeholder without a secret',
      )
  }
}

function checkPaths(root: Located, { name, node }: Declared, report: Report): void {
  const written = node.at('secretRef')
  const paths = secretPathNodes(root)
  for (const at of written ? [written, ...written.items] : []) {
    if (at.text === undefined || at.text === unspecifiedPath) continue
    if (!requireKnown(at, new Set(paths.keys()), pathKind, report)) continue
    const path = paths.get(at.text)
    if (path && !path.at('keys')?.texts.includes(name))
      report(
        at.place,
        `The secret path ${at.text} (${onLine(path.keyPlace)}) does not hold ${name}.`,
        `add ${name} to its \`keys\``,
      )
  }
}

/** Written where a seed names the store and no path. */
export const unspecifiedPath = 'unspecified'

const pathKind = { noun: 'secret path', section: 'secretStores' } as const

/** Two stores may hold one path, but then a reference to it has two readings. */
function refuseTwinPaths(root: Located, report: Report): void {
  const first = secretPathNodes(root)
  for (const store of root.at('secretStores')?.entries.values() ?? [])
    for (const [path, node] of store.at('paths')?.entries ?? []) {
      const known = first.get(path)
      if (known && known !== node)
        report(
          node.keyPlace,
          `The secret path ${path} stands twice; the first is on ${onLine(known.keyPlace)}.`,
          'rename one of the two',
        )
    }
}

/** Each secret path with its node; of two with one name the first. */
export function secretPathNodes(root: Located): ReadonlyMap<string, Located> {
  const found = new Map<string, Located>()
  for (const store of root.at('secretStores')?.entries.values() ?? [])
    for (const [path, node] of store.at('paths')?.entries ?? []) if (!found.has(path)) found.set(path, node)
  return found
}

function checkDiscriminators(root: Located, report: Report): void {
  if (!root.at('variables')) return
  const declared = declaredVariables(root)
  const names = variableNames(root)
  for (const item of root.at('discriminators')?.items ?? []) {
    if (!requireKnown(item, names, variableKind, report)) continue
    const variable = declared.find(({ name }) => name === item.text)
    if (variable) checkDiscriminator(root, variable, report)
  }
}

function checkDiscriminator(root: Located, { name, node }: Declared, report: Report): void {
  const sensitive = node.at('sensitive')
  if (sensitive?.value === true)
    report(sensitive.place, `${name} tells modes apart, so messages name its value.`, 'remove `sensitive`')
  for (const [mode, { at }] of [...(root.at('modes')?.entries ?? [])].map(
    ([mode, node]) => [mode, { at: node.at('match', name) }] as const,
  )) {
    const fault = at?.text === undefined ? undefined : faultOf(at.text, node)
    if (at && fault !== undefined)
      report(
        at.place,
        `The mode ${mode} needs ${name}=${at.text ?? ''}, but ${name} (${onLine(node.keyPlace)}) must be ${fault}.`,
        'change the mode or the variable',
      )
  }
}
