import { type Contract, isRequired, requireEnvironment } from '../contract/index.ts'
import { isSecretName, secretKindOf } from '../references/index.ts'
import { envExample } from './env-example.ts'
import { type Assignment, type Comment, linesOf, readExampleLine } from './example-lines.ts'

/** What is wrong with an example file, by its line; nothing in it repeats a value of the file. */
export type ExampleProblem = { readonly line: number; readonly message: string; readonly next: string }

const compiledMark = '# Compiled by sallyport from '

/**
 * Holds an example file against its contract: every name of the registry and no other stands there, with nothing or the contract's own
 * placeholder behind it; no comment holds what looks like a secret, and no line is anything else; and one that says that it was compiled is
 * what the contract compiles to now. One that covers some modes alone must have what these require.
 */
export function checkExample(
  contract: Contract,
  text: string,
  covers: 'all' | readonly string[] = 'all',
): readonly ExampleProblem[] {
  const lines = linesOf(text)
  const mode = lines.flatMap((line) => /^# Names and placeholders for ([\w.-]+):/.exec(line)?.[1] ?? [])[0]
  if (mode !== undefined && !contract.modes.has(mode))
    return [{ line: 2, message: `The contract has no mode ${mode}.`, next: 'compile it anew' }]
  const expected = linesOf(envExample(contract, mode))
  const known = knownIn(contract, expected)
  const names = new Set(lines.flatMap((line) => assignedIn(line)?.name ?? []))
  const problems = [
    ...lines.flatMap((line, at) => problemsOf(line, known).map((one) => ({ ...one, line: at + 1 }))),
    ...[...known.placeholders.keys()]
      .filter((name) => !names.has(name) && isCovered(contract, name, covers))
      .map(missing),
  ]
  const isStale = lines[0]?.startsWith(compiledMark) && lines.join('\n') !== expected.join('\n')
  return problems.length === 0 && isStale ? [stale(contract)] : problems
}

function isCovered(contract: Contract, name: string, covers: 'all' | readonly string[]): boolean {
  if (covers === 'all') return true
  const { variables, scopes } = requireEnvironment(contract)
  const required = variables.get(name)?.required
  return covers.some((mode) =>
    [...scopes.keys()].some((scope) => required !== undefined && isRequired(required, { mode, scope })),
  )
}

/** What may stand in the file. */
type Known = {
  /** As they are compiled, so that nothing in them has to be looked at. */
  readonly lines: ReadonlySet<string>
  /** By the names that have to be there; most are empty. */
  readonly placeholders: ReadonlyMap<string, string>
  readonly sensitive: ReadonlySet<string>
}

function knownIn(contract: Contract, expected: readonly string[]): Known {
  const { variables } = requireEnvironment(contract)
  const sensitive = [...variables.values()].filter(
    (one) => one.sensitive || one.secretPaths.length > 0 || isSecretName(one.name),
  )
  return {
    lines: new Set(expected),
    placeholders: new Map(
      expected.flatMap((line): [string, string][] => {
        const one = assignedIn(line)
        return one === undefined ? [] : [[one.name, one.value]]
      }),
    ),
    sensitive: new Set(sensitive.map(({ name }) => name)),
  }
}

function assignedIn(line: string): Assignment | undefined {
  const read = readExampleLine(line)
  return read.kind === 'assignment' ? read : undefined
}

type Problem = Omit<ExampleProblem, 'line'>

function problemsOf(line: string, known: Known): readonly Problem[] {
  if (known.lines.has(line)) return []
  const read = readExampleLine(line)
  switch (read.kind) {
    case 'empty':
      return []
    case 'comment':
      return commentProblems(read, known)
    case 'assignment':
      return assignmentProblems(read, known)
    case 'unreadable':
      return [unreadable]
  }
}

function assignmentProblems(one: Assignment, known: Known): readonly Problem[] {
  const { name } = one
  if (known.placeholders.has(name)) return isPlaceholder(one, known) ? [] : [valued(name, known)]
  // What stands before `=` in the last line of a key is no name, and not shown.
  if (!/^[A-Za-z_][\w.-]{0,62}$/.test(name) || secretKindOf(name) !== undefined) return [unreadable]
  return [
    {
      message: `${name} is no variable that the contract hands to a program.`,
      next: `declare ${name} under \`variables\`, or take the line out`,
    },
  ]
}

/** A value behind a `#` is as public as any. */
function commentProblems({ text, whole, inside }: Comment, known: Known): readonly Problem[] {
  if (whole !== undefined && known.placeholders.has(whole.name))
    return isPlaceholder(whole, known) ? [] : [valued(whole.name, known)]
  const isNamed = inside.some(
    (one) => (known.sensitive.has(one.name) || isSecretName(one.name)) && !isPlaceholder(one, known),
  )
  // The digest of a contract says of itself what it is.
  const kind =
    secretKindOf(text.replace(/\bsha256:[0-9a-f]{64}\b/g, '')) ?? (isNamed ? 'named secret' : undefined)
  if (kind === undefined) return []
  return [
    {
      message: `A comment holds what looks like a secret (${kind}).`,
      next: 'take it out, and rotate it if it was real',
    },
  ]
}

function isPlaceholder({ name, value }: Assignment, { placeholders }: Known): boolean {
  return value === '' || value === placeholders.get(name)
}

function valued(name: string, { sensitive }: Known): Problem {
  const advice = `leave ${name}= without a value, rotate what stood there if it was real`
  return {
    message: `${name} has a value that is not the contract's placeholder.`,
    next: sensitive.has(name) ? advice : `${advice}, or write \`example\` in the contract`,
  }
}

const unreadable: Problem = {
  message: 'The line is neither empty nor a comment, and assigns nothing to a name.',
  next: 'take it out, and rotate what stood there if it was secret',
}

function missing(name: string): ExampleProblem {
  return { line: 1, message: `${name} is missing.`, next: `add the line ${name}=` }
}

function stale({ file }: Contract): ExampleProblem {
  return {
    line: 1,
    message: 'It was compiled from another text of the contract.',
    next: `sallyport compile --target env-example --contract ${file}, once more`,
  }
}
