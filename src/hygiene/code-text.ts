/** How comments and texts are written in a file; `plain` has no comments that we know of. */
export type Syntax = 'hash' | 'python' | 'script' | 'go' | 'slash' | 'plain'

/**
 * The text with the characters of comments and Python's docstrings made blank, and everything else at its place. What is in doubt stays:
 * a comment that is not blanked costs a false finding, code that is blanked hides one.
 */
export function withoutComments(text: string, syntax: Syntax): string {
  if (syntax === 'plain') return text
  return text.replace(tokens[syntax], (token: string, comment: string | undefined) =>
    comment === undefined ? token : blank(token),
  )
}

// A text ends at its line, but for those that may go on. What a backslash escapes begins none: else a line of such marks would be gone
// through once for each of them.
const escaped = /\\./
const quoted = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/
const template = /`(?:[^`\\]|\\[\s\S])*`/
/** A regular expression where a value may stand; its own marks begin neither text nor comment. */
const expression =
  /\/(?![/*>])(?<=(?:^|[(,=:[!&|?{};+~^%]|=>|\b(?:return|typeof|case|in|of|do|else|throw|void|delete|await|yield))[ \t]*\/)(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\]?)*\/?/
// Behind a letter, a quote, a colon or a backslash these marks are as likely those of an address, of a pattern of paths or of an expression.
const slashComment = /(\/\/(?<=(?:^|[\s;,{])..)[^\n]*|\/\*(?<=(?:^|[\s(;,{])..)[\s\S]*?\*\/)/
/** Goes to the end, so that no mark behind it is looked at for an end once more. */
const endless = /\/\*(?<=(?:^|[\s(;,{])..)[\s\S]*/
const docstring =
  /[rRuU]?(?:"""(?<=^[ \t]*[rRuU]?""")(?:[^"\\]|\\[\s\S]|"(?!""))*"""|'''(?<=^[ \t]*[rRuU]?''')(?:[^'\\]|\\[\s\S]|'(?!''))*''')(?=[ \t]*(?:#.*)?$)/
const longText = /"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""|'''(?:[^'\\]|\\[\s\S]|'(?!''))*'''/

/** Texts come first, so that a mark of a comment inside one is no comment; a comment is the one group. */
const tokens: Readonly<Record<Exclude<Syntax, 'plain'>, RegExp>> = {
  script: oneOf(escaped, quoted, template, slashComment, endless, expression),
  go: oneOf(escaped, quoted, /`[^`]*`/, slashComment, endless),
  slash: oneOf(escaped, /"""[\s\S]*?"""|@"(?:[^"]|"")*"/, quoted, slashComment, endless),
  // `$#`, `${#x}`, `#{x}` and `a#b` are no comments.
  hash: oneOf(escaped, /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|((?<![^\s;])#(?!\{)[^\n]*)/),
  python: oneOf(escaped, new RegExp(`(${docstring.source}|#[^\\n]*)`), longText, quoted),
}

function oneOf(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join('|'), 'gm')
}

function blank(token: string): string {
  return token.replace(/[^\n]/g, ' ')
}

/** The syntax of a file by its name; `undefined` for one that is not read as source. */
export function syntaxOf(path: string): Syntax | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  if (/\.(?:pyi?|pyw)$/.test(name)) return 'python'
  if (/\.(?:[cm]?[jt]sx?|vue|svelte)$/.test(name)) return 'script'
  if (name.endsWith('.go')) return 'go'
  if (/\.(?:java|kts?|scala|groovy|gradle|cs|rs|swift|php)$/.test(name)) return 'slash'
  if (/\.(?:rb|rake|gemspec|sh|bash|zsh|ksh|ya?ml|tf|mk|dockerfile|containerfile)$/.test(name)) return 'hash'
  if (/^(?:dockerfile|containerfile|makefile|gemfile|rakefile|procfile)(?:\..*)?$/.test(name)) return 'hash'
  if (/\.(?:ini|cfg|toml|properties)$/.test(name)) return 'hash'
  return undefined
}

/** Line numbers of offsets, from 1. */
export function lineCounter(text: string): (offset: number) => number {
  const ends: number[] = []
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) ends.push(at)
  return (offset) => {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((ends[middle] ?? 0) < offset) low = middle + 1
      else high = middle
    }
    return low + 1
  }
}
