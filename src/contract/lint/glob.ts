/** Characters that can stand in a resource. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@:+=/,~-'

/** One character of a set, or any number of them. */
type Step = { readonly of: string; readonly many: boolean }

/** Whether any text at all is both of a grant's pattern and of an action's template. */
export function canProduce(template: string, pattern: string): boolean {
  const [left, right] = [templateSteps(template), patternSteps(pattern)]
  const seen = new Set<number>()
  const open: (readonly [number, number])[] = [[0, 0]]
  for (let state = open.pop(); state; state = open.pop()) {
    const [at, on] = state
    const id = at * (right.length + 1) + on
    if (seen.has(id)) continue
    seen.add(id)
    const [one, two] = [left[at], right[on]]
    if (!one && !two) return true
    if (one?.many) open.push([at + 1, on])
    if (two?.many) open.push([at, on + 1])
    if (one && two && [...one.of].some((character) => two.of.includes(character)))
      open.push([one.many ? at : at + 1, two.many ? on : on + 1])
  }
  return false
}

/** Whether every text of one pattern is also of the other; errs towards no. */
export function patternContains(outer: string, inner: string): boolean {
  const whole = '\u0002'
  const text = inner.replaceAll('**', whole)
  const source = outer
    .split(/(\*\*|\*)/)
    .map((piece) => {
      if (piece === '**') return '.*'
      return piece === '*' ? `[^/${whole}]*` : piece.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    })
    .join('')
  return new RegExp(`^${source}$`, 's').test(text)
}

/** Whether a pattern leaves out no resource of an action. */
export function coversAll(template: string, pattern: string): boolean {
  return patternContains(
    pattern,
    template.replace(/\{[a-z][a-z0-9_]*(\+?)\}/g, (_, plus: string) => (plus ? '**' : '*')),
  )
}

function patternSteps(pattern: string): readonly Step[] {
  return pattern.split(/(\*\*|\*)/).flatMap((piece): readonly Step[] => {
    if (piece === '**') return [{ of: alphabet, many: true }]
    if (piece === '*') return [{ of: alphabet.replace('/', ''), many: true }]
    return [...piece].map((of) => ({ of, many: false }))
  })
}

/** A part ends where what follows it first stands, so it holds neither that character nor, but for `{key+}`, a slash. */
function templateSteps(template: string): readonly Step[] {
  const pieces = template.matchAll(/\{[a-z][a-z0-9_]*(\+?)\}(?=(.?))|([^{]+)/gs)
  return [...pieces].flatMap(([, plus, follower = '', literal]): readonly Step[] => {
    if (literal !== undefined) return [...literal].map((of) => ({ of, many: false }))
    const of = plus ? alphabet : [...alphabet].filter((one) => one !== '/' && one !== follower).join('')
    return [
      { of, many: false },
      { of, many: true },
    ]
  })
}
