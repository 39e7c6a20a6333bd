/** Whether a path, with slashes and relative, is of a pattern: `**` any folders, `*` and `?` within one name. */
export function pathMatches(pattern: string, path: string): boolean {
  return new RegExp(`^${expressionOf(pattern)}$`, 'u').test(path)
}

function expressionOf(pattern: string): string {
  return pattern.replace(/\*\*\/|\*\*|\*|\?|[\\^$.|+()[\]{}]/g, (token) => {
    if (token === '**/') return '(?:[^/]+/)*'
    if (token === '**') return '.*'
    if (token === '*') return '[^/]*'
    return token === '?' ? '[^/]' : `\\${token}`
  })
}
