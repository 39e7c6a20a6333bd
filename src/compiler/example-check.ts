import { type Contract, isRequired, requireEnvironment } from '../contract/index.ts'
import { envExample } from './env-example.ts'

/** What is wrong with an example file, by its line; nothing in it repeats a value of the file. */
export type ExampleProblem = { readonly line: number; readonly message: string; readonly next: string }

const compiledMark = '# Compiled by sallyport from '

/**
 * Holds an example file against its contract: every name of the registry and no other stands there, with nothing or the contract's own
 * placeholder behind it; and one that says that it was compiled is what the contract compiles to now. One that covers some modes alone must have
 * what these require.
 */
export function checkExample(
  contract: Contract,
  text: string,
  covers: 'all' | readonly string[] = 'all',
): readonly ExampleProblem[] {
  const mode = /^# Names and placeholders for ([\w-]+):/m.exec(text)?.[1]
  if (mode !== undefined && !contract.modes.has(mode))
    return [{ line: 2, message: `The contract has no mode ${mode}.`, next: 'compile it anew' }]
  const expected = envExample(contract, mode)
  const placeholders = new Map(
    assignments(expected).map(({ name, value }): [string, string] => [name, value]),
  )
  const written = assignments(text)
  const names = new Set(written.filter(({ isComment }) => !isComment).map(({ name }) => name))
  const problems = [
    ...written.flatMap((one) => problemOf(one, placeholders.get(one.name))),
    ...[...placeholders.keys()]
      .filter((name) => !names.has(name) && isCovered(contract, name, covers))
      .map(missing),
  ]
  const isStale = text.startsWith(compiledMark) && text !== expected
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

type Assignment = {
  readonly name: string
  readonly value: string
  readonly line: number
  /** A value behind a `#` is as public as any. */
  readonly isComment: boolean
}

function assignments(text: string): readonly Assignment[] {
  return text.split('\n').flatMap((line, at) => {
    const [, mark, name, value = ''] = /^\s*(#\s?)?(?:export\s+)?([A-Za-z_]\w{0,127})=(.*)$/.exec(line) ?? []
    return name === undefined
      ? []
      : [{ name, value: value.trim(), line: at + 1, isComment: mark !== undefined }]
  })
}

function problemOf(
  { name, value, line, isComment }: Assignment,
  placeholder: string | undefined,
): readonly ExampleProblem[] {
  if (placeholder === undefined && isComment) return []
  if (placeholder === undefined)
    return [
      {
        line,
        message: `${name} is no variable that the contract hands to a program.`,
        next: `declare ${name} under \`variables\`, or take the line out`,
      },
    ]
  if (value === '' || value === placeholder) return []
  return [
    {
      line,
      message: `${name} has a value that is not the contract's placeholder.`,
      next: `leave ${name}= without a value, rotate what stood there if it was real, or write \`example\` in the contract`,
    },
  ]
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
