import { type Contract, requireEnvironment, type Severity, type Variable } from '../contract/index.ts'
import { finding, type HygieneFinding } from './finding.ts'
import { type Guess, laterGuesses } from './later-guess.ts'
import { manifestGuesses } from './manifest-guess.ts'
import { searchExpression } from './search-expression.ts'
import type { Code } from './source-detector.ts'

/** Defaults for variables of the contract. Seed 003 §8: what is missing stops the program, and nothing is guessed. */
export function findGuesses(contract: Contract, source: Code): readonly HygieneFinding[] {
  const { variables } = requireEnvironment(contract)
  const found = new Map<string, HygieneFinding>()
  for (const { name, offset } of guessesIn(source)) {
    const variable = variables.get(name)
    if (!variable) continue
    const line = source.lineOf(offset)
    const made = finding(
      {
        code: 'guess',
        severity: severityOf(contract, variable),
        message: `A default stands in for ${name}${contract.discriminators.includes(name) ? ', which tells the modes apart' : ''}.`,
        reason: 'Where it is missing, the program guesses and does not stop',
        variable: name,
        file: source.path,
        line,
        next: `read ${name} without a default, and let \`sallyport check\` say that it is missing`,
      },
      source.lines[line - 1],
    )
    found.set(`${name}:${line}`, found.get(`${name}:${line}`) ?? made)
  }
  return [...found.values()]
}

/** A default of an optional setting is a habit, one of a discriminator decides what is done to whom. */
function severityOf({ discriminators }: Contract, { name, required, sensitive }: Variable): Severity {
  if (discriminators.includes(name) || sensitive) return 'high'
  return required.kind === 'optional' ? 'low' : 'medium'
}

function* guessesIn({ path, code }: Code): Iterable<Guess> {
  for (const { files, within, patterns } of languages) {
    if (!files.test(path) || !(within?.test(code) ?? true)) continue
    for (const pattern of patterns)
      for (const match of code.matchAll(pattern)) {
        const name = match.groups?.['name']
        if (name !== undefined) yield { name, offset: match.index + Math.max(0, match[0].indexOf(name)) }
      }
  }
  if (/\.(?:[cm]?[jt]sx?|vue|svelte)$/i.test(path)) yield* destructured(code)
  if (isDockerfile.test(path)) yield* dockerDefaults(code)
  yield* laterGuesses(path, code)
  yield* manifestGuesses(path, code)
}

const name = '(?<name>[A-Za-z_][A-Za-z0-9_]{0,127})'
const quoted = `["'\`]${name}["'\`]`
/** The value of a default: a text that is not empty, a number, a word; not a call, which may as well throw. */
const value =
  '(?:["\'`](?!["\'`])|[-\\d]|(?:true|false|True|False)\\b|(?!(?:None|null|nil|undefined|raise|throw|sys|process)\\b)[A-Za-z_$][\\w$.]{0,127}(?![\\w$.]|\\s*\\())'
/** A second argument: whatever it is, but for nothing. */
const argument = '(?!\\s|None\\b|null\\b|nil\\b|undefined\\b|""|\'\'|\\))'

/** Calls between a reading and its default, such as `.trim()`, behind a default that is empty and so none. */
const methods = '(?:\\s*[?&]?\\.\\w{1,32}(?:\\(\\))?){0,4}'

/** The name as an argument in Python, by its place or by the argument's name; libraries differ in that. */
const key = `(?:(?:key|name|option|var)\\s*=\\s*)?[rb]?${quoted}`
const byDefault = '(?:default\\s*=\\s*|(?!default\\b))'
/** What a library of Python takes in second place: a default, or a type and then it is none. */
const second = `(?!(?:str|int|bool|float|list|dict|tuple|set|bytes|json|url|Path|Decimal)\\b|\\w+\\s*=(?!=))${value}`

const nodeEnv = '\\b(?:process|import\\.meta|Bun)\\.env(?:\\??\\.|(?:\\?\\.)?\\[\\s*["\'`])'
const nodeRead = `${nodeEnv}${name}(?:["'\`]\\s*\\])?`
const nodeAgain = `${nodeEnv}\\k<name>\\b`
const inNode = `${quoted}\\s+in\\s+(?:process|import\\.meta|Bun)\\.env\\b`
const nothing = '(?:undefined|null|["\'](?:undefined)?["\'])'

/** `${NAME:default}` of Spring and its like; `${NAME:${OTHER}}` hands on what another says. */
const colon = `\\$\\{${name}:(?:\\$\\{[\\w.-]{1,64}:){0,4}(?![}\\s?+=-]|\\$\\{)`

const yamlFiles = /\.ya?ml$/i
const isDockerfile = /(?:^|\/)(?:dockerfile|containerfile)[^/]*$|\.(?:dockerfile|containerfile)$/i

function all(...sources: readonly string[]): readonly RegExp[] {
  return sources.map((source) => searchExpression(source, 'gm'))
}

type Language = {
  readonly files: RegExp
  /** Only in files with this in them. */
  readonly within?: RegExp
  readonly patterns: readonly RegExp[]
}

const languages: readonly Language[] = [
  {
    files: /\.pyi?$/i,
    patterns: all(
      `\\b(?:getenv|environ\\.(?:get|pop)|environb\\.get|[A-Za-z_][\\w.]{0,63}\\.setdefault)\\(\\s*${key}\\s*,\\s*${byDefault}${argument}`,
      `\\bgetenv\\(\\s*default\\s*=\\s*${argument}[^()]{0,200}?\\bkey\\s*=\\s*${quoted}`,
      `\\b(?:getenv|environ\\.get)\\(\\s*${key}\\s*(?:,\\s*${byDefault}(?:None|""|'')\\s*)?,?\\s*\\)(?:\\s*or\\s*(?:""|'')\\s*\\))?${methods}\\s*or\\s+${value}`,
      `\\b(?:getenv\\(|environ(?:\\.get\\(|\\[))\\s*${quoted}\\s*(?:,[^()]{0,64})?[)\\]]${methods}\\s+if\\s+[^\\n]{0,200}?\\s+else\\s+${value}`,
      `(?<=["'\\w]\\s)(?<!\\bNone\\s)if\\s[^\\n]{0,100}?${quoted}[^\\n]{0,100}?\\s+else\\s+(?:os\\.)?(?:getenv\\(|environ(?:\\.get\\(|\\[))\\s*["']\\k<name>["']`,
      // What is absent is set, for the process itself and for its children.
      `\\bif\\b[^\\n:]{0,200}\\b(?:environ|getenv)\\b[^\\n:]{0,200}:\\s*(?:os\\.)?environ\\[\\s*${quoted}\\s*\\]\\s*=\\s*${value}`,
      // decouple, environs, django-environ; pydantic's alias.
      `\\b(?:config|env(?:\\.\\w{1,32})?)\\(\\s*${key}\\s*,(?:[^()]|\\([^()]{0,200}\\)){0,200}?\\bdefault\\s*=\\s*${argument}`,
      `\\b(?:config|env(?:\\.\\w{1,32})?)\\(\\s*${key}\\s*,\\s*${second}`,
      `\\bField\\(\\s*(?:default\\s*=\\s*)?(?!\\.\\.\\.|None\\b)[^()\\n]{1,200}?\\b(?:env|alias|validation_alias)\\s*=\\s*${quoted}`,
    ),
  },
  {
    files: /\.(?:[cm]?[jt]sx?|vue|svelte)$/i,
    patterns: all(
      `${nodeRead}(?:\\s*(?:\\?\\?|\\|\\|)\\s*(?:""|''))?\\s*(?:\\)\\s*)?${methods}\\s*(?:\\?\\?|\\|\\|)=?\\s*${value}`,
      `\\bDeno\\.env\\.get\\(\\s*${quoted}\\s*\\)\\s*(?:\\?\\?|\\|\\|)\\s*${value}`,
      `\\bif\\s*\\(\\s*!\\s*${nodeRead}\\s*\\)\\s*(?:\\{\\s*)?${nodeAgain}["'\`\\]]*\\s*=\\s*${value}`,
      `\\bif\\s*\\(\\s*(?:typeof\\s*)?${nodeRead}\\s*={2,3}\\s*${nothing}\\s*\\)\\s*(?:\\{\\s*)?${nodeAgain}["'\`\\]]*\\s*=\\s*${value}`,
      `(?:${nodeRead}|${inNode})\\s*(?:\\)\\s*)?(?:!={1,2}\\s*${nothing}\\s*(?:\\)\\s*)?)?\\?\\s*${nodeAgain}[^:;]{0,200}:\\s*${value}`,
      `!\\s*(?:\\(\\s*)?(?:${nodeRead}|${inNode})\\s*(?:\\)\\s*)?\\?\\s*${value}[^;]{0,200}?:\\s*${nodeAgain}`,
      `${nodeRead}\\s*={2,3}\\s*${nothing}\\s*(?:\\)\\s*)?\\?\\s*${value}[^;]{0,200}?:\\s*${nodeAgain}`,
    ),
  },
  {
    // `env` alone is as often what a guard has checked.
    files: /\.(?:[cm]?[jt]sx?|vue|svelte)$/i,
    within: /import\s*\{(?=[^}]{0,400}?\benv\b)[^}]{0,800}\}\s*from\s*["'](?:node:)?process["']/,
    patterns: all(
      `(?<![\\w$.])env\\??\\.${name}\\s*(?:\\)\\s*)?${methods}\\s*(?:\\?\\?|\\|\\|)=?\\s*${value}`,
    ),
  },
  {
    files: /\.go$/i,
    patterns: all(
      `\\b\\w{0,64}[eE]nv\\w{0,64}\\(\\s*${quoted}\\s*,\\s*${argument}`,
      `\\bcmp\\.Or\\(\\s*os\\.Getenv\\(\\s*${quoted}\\s*\\)\\s*,`,
      `\\bif\\s+os\\.Getenv\\(\\s*${quoted}\\s*\\)\\s*==\\s*""\\s*\\{\\s*\\w{1,64}\\s*:?=\\s*["'\`\\d]`,
      `\\bSetDefault\\(\\s*${quoted}\\s*,`,
    ),
  },
  {
    files: /\.(?:rb|rake|gemspec)$|(?:^|\/)(?:Gemfile|Rakefile)$/i,
    patterns: all(
      `\\bENV\\.fetch\\(\\s*${quoted}\\s*,\\s*${argument}`,
      `\\bENV\\.fetch\\(\\s*${quoted}\\s*\\)\\s*(?:\\{|do\\b)(?!\\s*(?:\\}|end\\b|raise\\b|abort\\b|fail\\b|nil\\b))`,
      `\\bENV\\[\\s*${quoted}\\s*\\]${methods}\\s*\\|\\|=?\\s*${value}`,
    ),
  },
  {
    files: /\.(?:java|kts?|scala|groovy)$/i,
    patterns: all(
      `\\b(?:getOrDefault|getOrElse)\\(\\s*${quoted}\\s*,`,
      `\\bgetenv\\(\\s*${quoted}\\s*\\)\\s*\\?:\\s*${value}`,
      `\\bofNullable\\(\\s*System\\.getenv\\(\\s*${quoted}\\s*\\)\\s*\\)\\s*\\.orElse(?:Get)?\\(`,
      colon,
    ),
  },
  {
    // In all of these a shell, or what borrows its words, reads them.
    files: new RegExp(
      `\\.(?:sh|bash|zsh|ksh|mk|ya?ml|properties)$|(?:^|/)(?:makefile|procfile)$|${isDockerfile.source}`,
      'i',
    ),
    patterns: all(
      `\\$\\{${name}:?[-=](?!\\})`,
      `-z[ \\t]+["']?\\$\\{?${name}(?::?-)?\\}?["']?\\s*(?:\\]{1,2}\\s*)?(?:&&|(?:;\\s*)?then\\b)\\s*(?:export[ \\t]+)?\\k<name>=(?!\\$|["']\\$|""|''|\\s)`,
    ),
  },
  { files: /(?:^|\/)(?:application|bootstrap)[^/]*\.ya?ml$|\.properties$/i, patterns: all(colon) },
  // Elsewhere a shell may read it, for which a number is a part of the value.
  { files: yamlFiles, patterns: all(`${colon}(?!\\d)`) },
  { files: /\.mk$|(?:^|\/)makefile$/i, patterns: all(`^(?:export\\s+)?${name}\\s*\\?=\\s*\\S`) },
  {
    // A list entry's variable, `NAME: literal` or `NAME=literal`; not one that hands on another value.
    files: /(?:^|\/)(?:docker-)?compose[^/]*\.ya?ml$/i,
    patterns: all(
      `^[ \\t]+(?:-[ \\t]*)?["']?${name}["']?[ \\t]*(?::[ \\t]+|=)["']?(?![ \\t]|$|["'$#|>*&{\\[]|null\\b|~)`,
    ),
  },
  {
    // An entry of `env` in a pod: the name and a literal beside it, in either order.
    files: yamlFiles,
    patterns: all(
      `\\bname:[ \\t]*["']?${name}["']?[ \\t]*\\n[ \\t]+value:[ \\t]*(?!["']?\\{\\{)(?:["'](?!["'$])|[^\\s"'$])`,
      `\\bvalue:[ \\t]*(?:["'][^"'\\n{$]+["']|[^\\s"'{$]+)[ \\t]*\\n[ \\t]+name:[ \\t]*["']?${name}["']?[ \\t]*$`,
      `\\{[ \\t]*["']?name["']?:[ \\t]*["']?${name}["']?[ \\t]*,[ \\t]*["']?value["']?:[ \\t]*(?:["'](?!["'$])|[^\\s"'$}])`,
    ),
  },
]

/** `const { AOS_MODE = 'preprod' } = process.env`. */
function* destructured(code: string): Iterable<Guess> {
  for (const match of code.matchAll(/\{([^{}]{0,4000})\}\s*=\s*(?:process|import\.meta|Bun)\.env\b/g))
    for (const inner of (match[1] ?? '').matchAll(/([A-Za-z_]\w{0,127})\s*(?::\s*[\w$]+\s*)?=(?!=)/g))
      yield { name: inner[1] ?? '', offset: match.index + 1 + inner.index }
}

/** `ENV A=1 B=2`, `ENV A 1` and `ARG A=1`, over continued lines; `ENV A=$A` hands on what an argument says. */
function* dockerDefaults(code: string): Iterable<Guess> {
  for (const match of code.matchAll(/^[ \t]*(?:ENV|ARG)[ \t]+((?:\\\r?\n|[^\n])*)/gim)) {
    const words = match[1] ?? ''
    const start = match.index + match[0].length - words.length
    const old = /^([A-Za-z_]\w{0,127})[ \t]+(?![\s$=])/.exec(words)
    if (old) yield { name: old[1] ?? '', offset: start }
    else
      for (const pair of words.matchAll(/(?:^|[\s\\])([A-Za-z_]\w{0,127})=(?!\$|["']\$|""|''|\s|$)/g))
        yield {
          name: pair[1] ?? '',
          offset: start + pair.index + pair[0].length - (pair[1] ?? '').length - 1,
        }
  }
}
