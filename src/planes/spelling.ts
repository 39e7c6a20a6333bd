import { endpointStem } from '../contract/index.ts'

/** Whether some router takes a path that was read to one of these globs, however it is spelt: what must be closed is asked by this. */
export function compileSpellings(globs: readonly string[]): (path: string) => boolean {
  if (globs.length === 0) return () => false
  const pattern = new RegExp(`^(?:${globs.map(patternOf).join('|')})$`, 'is')
  return (path) => pattern.test(path.includes('%') ? withoutEscapes(path) : path)
}

function patternOf(glob: string): string {
  // The path above a last `*` too: an empty rest is enough for Fastify and Go, and for Hono and Spring the `/` may lack as well.
  if (glob.endsWith('/*')) return `${segmentsOf(glob.slice(0, -'/*'.length))}(?:/.*)?`
  const stem = endpointStem(glob)
  // A name that may be any has its ending in it; asked for twice, attackers could make the search quadratic.
  return `${segmentsOf(stem)}${stem.endsWith('*') ? '' : '(?:\\.[^/]*)?'}/?`
}

function segmentsOf(path: string): string {
  return path.replaceAll(/[^\w/*]/g, '\\$&').replaceAll('*', '[^/]+')
}

/** With a letter as the one of ASCII that a comparison without case may take it for, such as `ſ`, `ı` and the Kelvin sign. */
function withoutEscapes(path: string): string {
  const decoded = decodeURIComponent(path)
  if (!/\P{ASCII}/u.test(decoded)) return decoded
  return decoded.normalize('NFKD').replaceAll(/\p{M}/gu, '').toUpperCase()
}
