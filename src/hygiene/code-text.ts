/** How comments and texts are written in a file; `plain` has no comments that we know of. */
export type Syntax = 'hash' | 'python' | 'slash' | 'plain'

/**
 * The text with the characters of comments and Python's docstrings made blank, and everything else at its place. What is in doubt stays:
 * a comment that is not blanked costs a false finding, code that is blanked hides one.
 */
export function withoutComments(text: string, syntax: Syntax): string {
  switch (syntax) {
    case 'plain':
      return text
    case 'slash':
      return text.replace(slashTokens, (token) => (/^\/[/*]/.test(token) ? blank(token) : token))
    case 'hash':
      return text.replace(hashTokens, (token) => (token.startsWith('#') ? blank(token) : token))
    case 'python':
      return text.replace(pythonTokens, (token: string, indent: string | undefined) =>
        indent !== undefined || token.startsWith('#') ? blank(token) : token,
      )
  }
}

// Texts come first, so that a mark of a comment inside one is no comment. A text ends at its line, but for those that may go on.
const slashTokens =
  /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
// `$#`, `${#x}` and `a#b` are no comments.
const hashTokens = /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|(?<![^\s;])#[^\n]*/g
const pythonTokens =
  /(^[ \t]*)(?:[rRuU]?"""[\s\S]*?"""|[rRuU]?'''[\s\S]*?''')(?=[ \t]*(?:#.*)?$)|"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|#[^\n]*/gm

function blank(token: string): string {
  return token.replace(/[^\n]/g, ' ')
}

/** The syntax of a file by its name; `undefined` for one that is not read as source. */
export function syntaxOf(path: string): Syntax | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  if (/\.(?:pyi?|pyw)$/.test(name)) return 'python'
  if (/\.(?:[cm]?[jt]sx?|vue|svelte|go|java|kts?|scala|groovy|gradle|cs|rs|swift|php)$/.test(name))
    return 'slash'
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
