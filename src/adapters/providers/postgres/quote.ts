/** An identifier as SQL. */
export function name(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

/** A string literal as SQL; a backslash or control character, which settings of the server could read otherwise, is never let in. */
export function text(value: string): string {
  if (/[\\\x00-\x1f]/.test(value)) throw new RangeError('A literal holds a character that is not plain.')
  return `'${value.replaceAll("'", "''")}'`
}
