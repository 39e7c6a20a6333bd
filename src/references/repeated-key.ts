import { nameShown, requestDepthMax, requestProblemsMax } from './raw-secret.ts'
import { secretKindOf } from './secret-shape.ts'

/**
 * The places of the first `requestProblemsMax` keys that an object of a text of valid JSON has twice, at any depth and in any spelling
 * (`\u0061` is `a`). A key that looks like a secret is not shown.
 */
export function repeatedKeys(text: string): readonly string[] {
  const found: string[] = []
  const open: Holder[] = []
  let last = ''
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]/g)) {
    const holder = open.at(-1)
    if (token === '{') open.push({ keys: new Set(), at: '' })
    else if (token === '[') open.push({ at: 0 })
    else if (token === '}' || token === ']') open.pop()
    else if (token === ':' && holder?.keys) {
      holder.at = String(JSON.parse(last))
      if (holder.keys.has(holder.at) && found.push(placeOf(open)) === requestProblemsMax) return found
      holder.keys.add(holder.at)
    } else if (token === ',' && typeof holder?.at === 'number') holder.at += 1
    last = token
  }
  return found
}

/** An object or array that is not closed yet, and where in it the reader is. */
type Holder = { readonly keys?: Set<string>; at: string | number }

/** No deeper than anybody looks: a request of a megabyte may be half a megabyte deep. */
function placeOf(open: readonly Holder[]): string {
  const labels = open.slice(0, requestDepthMax).map(({ at }) => {
    if (typeof at === 'number') return `[${at}]`
    return nameShown.test(at) && secretKindOf(at) === undefined ? `.${at}` : '.(key)'
  })
  return `$${labels.join('')}`
}
