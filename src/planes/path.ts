/** A longer request target is refused; it is measured before anything is read. */
export const targetCharactersMax = 8 * 1024

/**
 * The path of a request target in origin form (RFC 9112 §3.2.1), without its query; `undefined` where two programs could read two paths in it:
 * an absolute URI, `//`, dot segments, `;` parameters, a backslash, control characters, and every escape that another decoding
 * would turn into one of these, or of a letter, digit or mark that never needs one. A proxy, the endpoint and the back end then mean the same
 * path, or nobody is let in.
 */
export function readPath(target: string): string | undefined {
  // Attacker-controlled.
  if (target.length > targetCharactersMax || !target.startsWith('/') || target.includes('#')) return undefined
  const query = target.indexOf('?')
  const path = query < 0 ? target : target.slice(0, query)
  return plainPath.test(path) && isUtf8(path) ? path : undefined
}

/** Letters, digits and marks of RFC 3986 §3.3 without `;`. */
const plain = "[A-Za-z0-9\\-._~!$&'()*+,=:@]"
/** Escapes of what means nothing in a path, also of `:` and `@`, as clients write them: not of controls, `/ \ . % ; ? #`, letters, digits, `- _ ~`. */
const escaped = '%(?:2[01246-9A-Ca-c]|3[ACDEacde]|40|5[BDEbde]|60|7[BCDbcd]|[89A-Fa-f][0-9A-Fa-f])'
const plainPath = new RegExp(`^(?:/(?!\\.+(?:/|$))(?:${plain}|${escaped})+)*/?$`)

/** An overlong or broken sequence is another spelling of something. */
function isUtf8(path: string): boolean {
  if (!path.includes('%')) return true
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}
