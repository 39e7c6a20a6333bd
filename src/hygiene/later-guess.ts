import { searchExpression } from './search-expression.ts'

/** A default for a name, where its name stands. */
export type Guess = { readonly name: string; readonly offset: number }

/** How many characters after a reading its default is looked for. */
const reachCharacters = 4000
/** More readings than that are no program that people write. */
const readingsMax = 500

/**
 * Defaults that a later statement gives to what was read: `mode = os.getenv("AOS_MODE")`, then `mode = mode or "preprod"`, or
 * `if not mode: mode = "preprod"`. A reading that fails by itself, such as `os.environ["AOS_MODE"]`, needs none and is not followed.
 */
export function* laterGuesses(path: string, code: string): Iterable<Guess> {
  const reading = readings.find(({ files }) => files.test(path))?.pattern
  if (!reading) return
  const read = [...code.matchAll(reading)].slice(0, readingsMax).map(({ groups, index, 0: text }) => ({
    held: groups?.['held'] ?? '',
    present: groups?.['present'],
    name: groups?.['name'] ?? '',
    end: index + text.length,
  }))
  for (const { held, present, name, end } of [...read, ...destructured(path, code)]) {
    // What is read into the same variable once more is another story.
    const until = read.find((other) => other.held === held && other.end > end)?.end ?? code.length
    const found = defaultOf(held, present).exec(code.slice(end, Math.min(until, end + reachCharacters)))
    if (found) yield { name, offset: end + found.index + found[0].length - 1 }
  }
}

/** `present`: what holds whether it was there, as in Go. */
type Reading = {
  readonly held: string
  readonly present?: string | undefined
  readonly name: string
  readonly end: number
}

/** `const { AOS_MODE, PORT: port } = process.env`, where the name or another one then holds it. */
function destructured(path: string, code: string): readonly Reading[] {
  if (!/\.(?:[cm]?[jt]sx?|vue|svelte)$/i.test(path)) return []
  return [...code.matchAll(/\{([^{}]{0,4000})\}\s*=\s*(?:process|import\.meta|Bun)\.env\b/g)]
    .slice(0, readingsMax)
    .flatMap(({ 0: text, 1: inner = '', index }) =>
      [...inner.matchAll(/([A-Za-z_]\w{0,127})[ \t]*(?::[ \t]*([A-Za-z_]\w{0,63}))?[ \t]*(?:,|\n|$)/g)].map(
        ([, name = '', held = name]) => ({ held, name, end: index + text.length }),
      ),
    )
}

const name = '["\'`](?<name>[A-Za-z_][A-Za-z0-9_]{0,127})["\'`]'
const held = '\\b(?<held>[A-Za-z_]\\w{0,63})\\b'

const readings: readonly { readonly files: RegExp; readonly pattern: RegExp }[] = [
  {
    files: /\.pyi?$/i,
    pattern: searchExpression(
      `${held}\\s*(?::\\s*[\\w.\\[\\] |]{1,64})?=\\s*(?:os\\.)?(?:getenv|environ\\.get)\\(\\s*${name}\\s*(?:,\\s*(?:None|""|''))?\\s*,?\\s*\\)(?!\\s*or\\b)`,
      'g',
    ),
  },
  {
    files: /\.(?:[cm]?[jt]sx?|vue|svelte)$/i,
    pattern: searchExpression(
      `${held}\\s*(?::\\s*[\\w.<>\\[\\] |]{1,64})?=\\s*(?:process|import\\.meta|Bun)\\.env(?:\\.|\\[["'\`])(?<name>[A-Za-z_]\\w{0,127})(?:["'\`]\\])?(?!\\w|\\s*(?:\\?\\?|\\|\\||\\?(?!\\.)))`,
      'g',
    ),
  },
  {
    files: /\.go$/i,
    pattern: searchExpression(
      `${held}(?:\\s*,\\s*(?<present>\\w{1,64}))?\\s*:?=\\s*os\\.(?:Getenv|LookupEnv)\\(\\s*${name}\\s*\\)`,
      'g',
    ),
  },
  {
    files: /\.(?:rb|rake)$/i,
    pattern: searchExpression(`${held}\\s*=\\s*ENV\\[\\s*${name}\\s*\\](?!\\s*\\|\\|)`, 'g'),
  },
  {
    files: /\.(?:java|kts?|scala|groovy)$/i,
    pattern: searchExpression(`${held}\\s*=\\s*System\\.getenv\\(\\s*${name}\\s*\\)(?!\\s*\\?:)`, 'g'),
  },
]

/** A text that is not empty, or a number. */
const literal = '(?:["\'`](?!["\'`])|-?\\d)'
/** The same, or a name or constant of the program; not a call, which may as well throw. */
const settled = `(?:${literal}|(?!(?:None|null|nil|undefined|raise|throw|await|new)\\b)[A-Za-z_$][\\w$.]{0,127}(?![\\w$.]|\\s*\\())`

/** What gives that variable a default. */
function defaultOf(variable: string, present: string | undefined): RegExp {
  const it = escaped(variable)
  const here = `(?<![\\w$.])${it}(?![\\w$])`
  const absent = [
    `not\\s+${it}`,
    `!\\s*${it}`,
    `${it}\\s+is\\s+None`,
    `${it}\\s*={2,3}\\s*(?:""|''|null|nil|undefined)`,
    `${it}\\.(?:nil|empty|isEmpty|isBlank)\\b[?()]*`,
    `len\\(${it}\\)\\s*==\\s*0`,
    ...(present === undefined ? [] : [`!\\s*${present}\\b`, `${present}\\s*==\\s*false\\b`]),
  ].join('|')
  return searchExpression(
    [
      `${here}\\s*(?:\\|\\||\\?\\?)=\\s*${settled}`,
      `${here}\\s*:?=\\s*(?:\\(\\s*)?${it}\\s*(?:\\bor\\b|\\|\\||\\?\\?|\\?:)\\s*${settled}`,
      `${here}\\s*(?:\\bor\\b|\\|\\||\\?\\?|\\?:)\\s*${literal}`,
      `${here}\\s+if\\s+${it}(?:\\s+is\\s+not\\s+None)?\\s+else\\s+${settled}`,
      `(?<=["'\\w]\\s)(?<!\\bNone\\s)if\\s+(?:${absent})\\s+else\\s+${it}\\b`,
      `${here}\\s*(?:!={1,2}\\s*(?:undefined|null|""|'')\\s*)?\\?\\s*${it}\\b[^:;?]{0,100}:\\s*${settled}`,
      `(?:${absent})\\s*(?:\\)\\s*)?\\?\\s*${settled}[^;]{0,200}?:\\s*${it}\\b`,
      `\\b(?:if|unless)\\b\\s*(?:\\(\\s*)?(?:${absent})(?:\\s*(?:\\|\\||\\bor\\b)[^\\n{:;]{0,100}?)?\\s*(?:\\)\\s*)?(?:(?::|\\{|then\\b)\\s*)?${it}\\s*=\\s*${settled}`,
      `^\\s*;\\s*(?:${absent})\\s*\\{\\s*${it}\\s*=\\s*${settled}`,
      `${here}\\s*=\\s*${literal}[^\\n]{0,200}?\\bif\\s+(?:${absent})`,
    ].join('|'),
    '',
  )
}

function escaped(text: string): string {
  return text.replace(/\$/g, '\\$&')
}
