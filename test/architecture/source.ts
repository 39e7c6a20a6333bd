/** A TypeScript source made ready for questions about its words. Both texts keep every offset and line of the original. */
export type Source = {
  readonly path: string
  /** Comments blanked. */
  readonly code: string
  /** Comments, the insides of strings, templates' fixed parts and regular expressions blanked. */
  readonly bare: string
}

/** One import, export-from or `import()`, static, of types or dynamic; `undefined` when what it names cannot be read. */
export type Arrow = { readonly target: string | undefined; readonly line: number }

export function readSource(path: string, text: string): Source {
  const scan = { text, code: [...text.split('')], bare: [...text.split('')], at: 0, previous: '' }
  scanUntil(scan, undefined)
  return { path, code: scan.code.join(''), bare: scan.bare.join('') }
}

export function lineOf(source: Source, offset: number): number {
  return source.bare.slice(0, offset).split('\n').length
}

export function arrowsOf(source: Source): readonly Arrow[] {
  const starts = /\bfrom\s*(?=['"])|\bimport\s*(?=['"])|\bimport\s*\(\s*/g
  return [...source.bare.matchAll(starts)].map((match) => {
    const offset = match.index + match[0].length
    const literal = /^(['"])([^'"\n]*)\1/.exec(source.code.slice(offset))
    return { target: literal?.[2], line: lineOf(source, match.index) }
  })
}

/** Every place where the pattern (with the flag g) stands in the text of that kind. */
export function linesWith(
  source: Source,
  pattern: RegExp,
  kind: 'code' | 'bare' = 'bare',
): readonly { line: number; text: string }[] {
  return [...source[kind].matchAll(pattern)].map((match) => ({
    line: lineOf(source, match.index),
    text: match[0].trim(),
  }))
}

type Scan = { readonly text: string; code: string[]; bare: string[]; at: number; previous: string }

/** Walks code until the closing brace of a template's `${`, or to the end. */
function scanUntil(scan: Scan, end: '}' | undefined): void {
  let depth = 0
  while (scan.at < scan.text.length) {
    const character = scan.text[scan.at] ?? ''
    const two = scan.text.slice(scan.at, scan.at + 2)
    if (two === '//') blankTo(scan, lineEnd(scan), ['code', 'bare'])
    else if (two === '/*') blankTo(scan, after(scan, '*/', scan.at + 2), ['code', 'bare'])
    else if (character === "'" || character === '"') skipQuoted(scan, character)
    else if (character === '`') skipTemplate(scan)
    else if (character === '/' && regexMayStart(scan)) skipRegex(scan)
    else {
      if (character === end && depth === 0) return
      if (character === '{') depth += 1
      if (character === '}') depth -= 1
      if (/\S/.test(character)) scan.previous = character
      scan.at += 1
    }
  }
}

function blankTo(scan: Scan, end: number, kinds: readonly ('code' | 'bare')[]): void {
  for (let at = scan.at; at < end; at += 1)
    for (const kind of kinds) if (scan[kind][at] !== '\n') scan[kind][at] = ' '
  scan.at = end
}

function lineEnd(scan: Scan): number {
  const end = scan.text.indexOf('\n', scan.at)
  return end < 0 ? scan.text.length : end
}

function after(scan: Scan, mark: string, from: number): number {
  const found = scan.text.indexOf(mark, from)
  return found < 0 ? scan.text.length : found + mark.length
}

function skipQuoted(scan: Scan, quote: string): void {
  scan.at += 1
  let end = scan.at
  while (end < scan.text.length && scan.text[end] !== quote && scan.text[end] !== '\n')
    end += scan.text[end] === '\\' ? 2 : 1
  blankTo(scan, end, ['bare'])
  scan.at += 1
  scan.previous = quote
}

function skipTemplate(scan: Scan): void {
  scan.at += 1
  while (scan.at < scan.text.length && scan.text[scan.at] !== '`') {
    if (scan.text.startsWith('${', scan.at)) {
      scan.at += 2
      scan.previous = '{'
      scanUntil(scan, '}')
      scan.at += 1
    } else blankTo(scan, scan.at + (scan.text[scan.at] === '\\' ? 2 : 1), ['bare'])
  }
  scan.at += 1
  scan.previous = '`'
}

/** A slash divides after a value; after an operator, an opening bracket or a keyword it starts a regular expression. */
function regexMayStart(scan: Scan): boolean {
  if (/[)\]}'"`]/.test(scan.previous)) return false
  if (!/[\w$]/.test(scan.previous)) return true
  const word = /([\w$]+)\s*$/.exec(scan.bare.slice(Math.max(0, scan.at - 20), scan.at).join(''))?.[1] ?? ''
  return ['return', 'typeof', 'case', 'of', 'in', 'await', 'yield', 'else', 'do'].includes(word)
}

function skipRegex(scan: Scan): void {
  let end = scan.at + 1
  let inClass = false
  while (end < scan.text.length && scan.text[end] !== '\n') {
    const character = scan.text[end]
    if (character === '/' && !inClass) break
    if (character === '[') inClass = true
    if (character === ']') inClass = false
    end += character === '\\' ? 2 : 1
  }
  blankTo(scan, end + 1, ['bare'])
  scan.previous = ')'
}
