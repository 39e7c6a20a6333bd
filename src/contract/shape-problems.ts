import type { z } from 'zod'
import type { Located } from './located.ts'
import { nearestName } from './nearest.ts'
import { quote, type Report } from './problem.ts'
import { contractShape } from './shape.ts'
import { exampleAt, keysAt } from './shape-path.ts'

/** Reports every way in which the file does not have the shape of a contract. */
export function reportShape(root: Located, report: Report): void {
  const issues = contractShape.safeParse(root.value).error?.issues ?? []
  const unknown = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? unknownKeys(issue) : []))
  for (const key of unknown) reportUnknownKey(key, root, report)
  // A key that is there under a misspelt name is one problem, not two.
  const misspelt = new Set(unknown.map(({ path, meant }) => pathLabel([...path, meant ?? ''])))
  for (const issue of issues) {
    const missing = root.at(...issue.path) === undefined
    if (!missing) reportIssue(issue, root, report)
    else if (!misspelt.has(pathLabel(issue.path))) reportMissing(issue.path, root, report)
  }
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
      report(at.place, `${label} is empty, and needs at least one item.`, 'add an item')
      return
    case 'too_big':
      report(at.place, `${label} has more than ${issue.maximum} items.`, 'split it')
      return
    case 'unrecognized_keys':
      return
    default:
      report(at.place, `${label} is not what the format asks for.`, 'compare it with docs/contract.md')
  }
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
