/** A portable regular expression, which a contract may hold, in its parts; see `portableExpression` of the contract's shapes. */
type Part =
  /** An operator, which all languages write alike. */
  | { readonly kind: 'operator'; readonly text: string }
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'class'; readonly negated: boolean; readonly characters: ReadonlySet<string> }

/** Printable ASCII, the only text that a pattern is asked of. */
const printableAscii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index))

/** As a POSIX extended regular expression, for `grep -E` in the locale C. */
export function posixExpression(pattern: string): string {
  return partsOf(pattern)
    .map((part) => {
      if (part.kind === 'operator') return part.text
      return posixClass(part.kind === 'character' ? [part.character] : members(part))
    })
    .join('')
}

/** As an expression of Python's `re`. */
export function pythonExpression(pattern: string): string {
  return partsOf(pattern)
    .map((part) => {
      if (part.kind === 'operator') return part.text
      if (part.kind === 'character') return escaped(part.character)
      const found = members(part)
      return found.length === 0 ? '(?!)' : `[${found.map(escaped).join('')}]`
    })
    .join('')
}

function escaped(character: string): string {
  return /[A-Za-z0-9]/.test(character) ? character : `\\${character}`
}

/** The characters that are meant, of printable ASCII; for a class that says what it is not, all the others. */
function members({ negated, characters }: Extract<Part, { kind: 'class' }>): readonly string[] {
  return printableAscii.filter((character) => characters.has(character) !== negated)
}

/** In brackets nothing is escaped: `]` stands first, `^` not first, `-` last, and `[` before nothing that it could open. */
function posixClass(found: readonly string[]): string {
  const [only] = found
  if (found.length === 0 || only === undefined) return '[^ -~]'
  if (found.length === 1) return /[A-Za-z0-9]/.test(only) ? only : only === '^' ? '\\^' : `[${only}]`
  const plain = found.filter((character) => !/[\]^[-]/.test(character))
  const has = (character: string) => (found.includes(character) ? character : '')
  const inside = `${has(']')}${plain.join('')}${has('[')}${has('^')}${has('-')}`
  // Of `[^-]` the caret would say "not".
  return inside.startsWith('^') ? `[-^]` : `[${inside}]`
}

function partsOf(pattern: string): readonly Part[] {
  const parts: Part[] = []
  let at = 0
  while (at < pattern.length) {
    const character = pattern.charAt(at)
    if (character === '[') {
      const { part, end } = classAt(pattern, at)
      parts.push(part)
      at = end
    } else if (character === '{') {
      const end = pattern.indexOf('}', at) + 1
      parts.push({ kind: 'operator', text: pattern.slice(at, end) })
      at = end
    } else if (character === '\\') {
      parts.push({ kind: 'character', character: pattern.charAt(at + 1) })
      at += 2
    } else {
      parts.push(
        '^$.|()*+?'.includes(character)
          ? { kind: 'operator', text: character }
          : { kind: 'character', character },
      )
      at += 1
    }
  }
  return parts
}

/** The class that opens at `start`; what follows a backslash is itself. */
function classAt(pattern: string, start: number): { part: Part; end: number } {
  const negated = pattern.charAt(start + 1) === '^'
  const characters = new Set<string>()
  let at = start + (negated ? 2 : 1)
  const next = () => {
    if (pattern.charAt(at) === '\\') at += 1
    at += 1
    return pattern.charAt(at - 1)
  }
  while (at < pattern.length && pattern.charAt(at) !== ']') {
    const first = next()
    const isRange = pattern.charAt(at) === '-' && pattern.charAt(at + 1) !== ']'
    if (isRange) at += 1
    const last = isRange ? next() : first
    for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code += 1)
      characters.add(String.fromCharCode(code))
  }
  return { part: { kind: 'class', negated, characters }, end: at + 1 }
}
