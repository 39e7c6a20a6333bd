import type { z } from 'zod'
import type { Located } from './located.ts'
import { nearestName } from './nearest.ts'
import { brokerNeeds, hasBroker } from './parts.ts'
import { quote, type Report } from './problem.ts'
import { contractShape } from './shape.ts'
import { exampleAt, keysAt, kindsAt } from './shape-path.ts'

/** Reports every way in which the file does not have the shape of a contract. */
export function reportShape(root: Located, report: Report): void {
  const issues = (contractShape.safeParse(root.value).error?.issues ?? []).flatMap((issue) =>
    settled(issue, root),
  )
  const unknown = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? unknownKeys(issue) : []))
  for (const key of unknown) reportUnknownKey(key, root, report)
  // A key that is there under a misspelt name is one problem, not two.
  const misspelt = new Set(unknown.map(({ path, meant }) => pathLabel([...path, meant ?? ''])))
  for (const issue of issues) {
    const missing = root.at(...issue.path) === undefined
    if (!missing) reportIssue(issue, root, report)
    else if (!misspelt.has(pathLabel(issue.path))) reportMissing(issue.path, root, report)
  }
  for (const path of missingForBroker(root))
    if (!misspelt.has(pathLabel(path))) reportMissing(path, root, report)
}

/** The problems of the branch that was meant, where a value may be of several kinds: the first one whose kind and keys it has. */
function settled(issue: Issue, root: Located): readonly Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue]
  const meant = issue.errors.toSorted((left, right) => distance(left) - distance(right))[0] ?? []
  return meant.flatMap((inner) => settled({ ...inner, path: [...issue.path, ...inner.path] }, root))
}

function distance(issues: readonly Issue[]): number {
  const here = issues.filter(({ path }) => path.length === 0)
  if (here.some(({ code }) => code === 'invalid_type' || code === 'invalid_value')) return 2
  return here.some(({ code }) => code === 'unrecognized_keys') ? 1 : 0
}

/** What a broker needs and the file does not have, where it has anything that a broker alone reads. */
function missingForBroker(root: Located): readonly (readonly string[])[] {
  if (!hasBroker(root.value)) return []
  const planes = root.at('planes')
    ? [
        ['planes', 'machine'],
        ['planes', 'human'],
      ]
    : [['planes']]
  const ceilings = [...(root.at('modes')?.entries.keys() ?? [])].map((mode) => ['modes', mode, 'ceiling'])
  const needs = [...brokerNeeds.map((section) => [section]), ...planes, ...ceilings]
  return needs.filter((path) => root.at(...path) === undefined)
}

/** `modes.PROD.ceiling` or `grants[2].agents[0]`, in backquotes. */
export function pathLabel(path: readonly PropertyKey[]): string {
  const joined = path.reduce<string>((label, part) => {
    if (typeof part === 'number') return `${label}[${part}]`
    return label === '' ? String(part) : `${label}.${String(part)}`
  }, '')
  return joined === '' ? 'The contract' : `\`${joined}\``
}

type Issue = z.core.$ZodIssue

type UnknownKey = {
  readonly key: string
  readonly path: readonly PropertyKey[]
  readonly known: readonly string[]
  readonly meant: string | undefined
}

function unknownKeys({ keys, path }: z.core.$ZodIssueUnrecognizedKeys): readonly UnknownKey[] {
  const known = keysAt(path)
  return keys.map((key) => ({ key, path, known, meant: nearestName(key, known) }))
}

function reportUnknownKey({ key, path, known, meant }: UnknownKey, root: Located, report: Report): void {
  // It has a rule of its own.
  if (key === 'default' && path[0] === 'modes') return
  const next = meant ? `write \`${meant}\`` : `use one of ${known.join(', ')}`
  report(root.nearest([...path, key]).keyPlace, `${pathLabel(path)} has no key ${quote(key)}.`, next)
}

function reportMissing(path: readonly PropertyKey[], root: Located, report: Report): void {
  const key = String(path.at(-1))
  report(
    root.nearest(path).place,
    `${pathLabel(path.slice(0, -1))} needs \`${key}\`, and has none.`,
    `add \`${key}: ${exampleAt(path) ?? '…'}\``,
  )
}

function reportIssue(issue: Issue, root: Located, report: Report): void {
  const at = root.nearest(issue.path)
  const label = pathLabel(issue.path)
  switch (issue.code) {
    case 'invalid_key': {
      const { must, next } = nameRule(issue.issues)
      report(at.keyPlace, `${quote(String(issue.path.at(-1)))} must be ${must}.`, next)
      return
    }
    case 'custom': {
      const { must, next, hidden } = ruleOf(issue)
      report(
        hidden ? at.concealedPlace : at.place,
        `${label} ${instead(hidden ? undefined : at)}must be ${must}.`,
        next,
      )
      return
    }
    case 'invalid_type':
      report(
        at.place,
        `${label} is ${kindOf(at.value)}, but must be ${kinds[issue.expected] ?? issue.expected}.`,
        mendType(issue, at),
      )
      return
    case 'invalid_value':
      reportValue(issue, at, report)
      return
    case 'too_small':
      if (issue.origin === 'number' || issue.origin === 'int') reportBound(issue, at, report)
      else report(at.place, `${label} is empty, and needs at least one item.`, 'add an item')
      return
    case 'too_big':
      if (issue.origin === 'number' || issue.origin === 'int') reportBound(issue, at, report)
      else report(at.place, `${label} has more than ${issue.maximum} items.`, 'split it')
      return
    case 'invalid_union':
      reportKind(issue, root, report)
      return
    case 'unrecognized_keys':
      return
    default:
      report(at.place, `${label} is not what the format asks for.`, 'compare it with docs/contract.md')
  }
}

function reportBound(
  issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
  at: Located,
  report: Report,
): void {
  const bound = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`
  report(
    at.place,
    `${pathLabel(issue.path)} is ${String(at.value)}, but must be ${bound}.`,
    'change the number',
  )
}

/** A discriminator that has none of its values. */
function reportKind(issue: z.core.$ZodIssueInvalidUnion, root: Located, report: Report): void {
  const at = root.nearest(issue.path)
  const label = pathLabel(issue.path)
  const known = kindsAt(issue.path)
  const written = at.text
  if (root.at(...issue.path) === undefined || written === undefined)
    report(at.place, `${label} must be one of ${known.join(', ')}.`, `write \`${known[0]}\``)
  else
    report(
      at.place,
      `${label} is ${quote(written)}, but must be one of ${known.join(', ')}.`,
      `write \`${nearestName(written, known) ?? known[0]}\``,
    )
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
}

function mendType({ path, expected }: z.core.$ZodIssueInvalidType, at: Located): string {
  const example = exampleAt(path)
  if (expected === 'array' && at.text !== undefined) return `put it in brackets: \`[${at.text}]\``
  if (example !== undefined) return `write it as \`${example}\``
  const scalar = typeof at.value === 'number' || typeof at.value === 'boolean'
  return expected === 'string' && scalar
    ? `put it in quotes: \`"${at.value}"\``
    : `write ${kinds[expected] ?? 'it'} here`
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  return typeof value === 'string' ? 'text' : `the ${typeof value} ${String(value)}`
}

function reportValue(issue: z.core.$ZodIssueInvalidValue, at: Located, report: Report): void {
  const values = issue.values.map(String)
  const written = at.text
  const shown = written === undefined ? kindOf(at.value) : quote(written)
  const label = pathLabel(issue.path)
  const next = `write \`${(written === undefined ? undefined : nearestName(written, values)) ?? values[0]}\``
  if (written === 'none')
    report(at.place, `${label} is "none", and a token without a signature proves nothing.`, next)
  else if (values.includes('RS256') && /^HS[0-9]+$/.test(written ?? ''))
    report(at.place, `${label} is ${shown}, and whoever can check such a token can also make one.`, next)
  else
    report(
      at.place,
      `${label} is ${shown}, but must be ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}.`,
      next,
    )
}

/** `is "15x", but `, or nothing for a mapping, a list or what must not be shown. */
function instead(at: Located | undefined): string {
  return at?.text === undefined ? '' : `is ${quote(at.text)}, but `
}

function ruleOf(issue: z.core.$ZodIssueCustom): { must: string; next: string; hidden: boolean } {
  const next: unknown = issue.params?.['next']
  return {
    must: issue.message,
    next: typeof next === 'string' ? next : 'compare it with docs/contract.md',
    hidden: issue.params?.['hidden'] === true,
  }
}

function nameRule(issues: readonly Issue[]): { must: string; next: string } {
  const custom = issues.find((issue) => issue.code === 'custom')
  return custom ? ruleOf(custom) : { must: 'text', next: 'rename it' }
}
