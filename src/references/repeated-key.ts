/** Whether an object of a text of valid JSON has the same key twice, at any depth and in any spelling (`\u0061` is `a`). */
export function repeatedKey(text: string): boolean {
  const objects: (Set<string> | undefined)[] = []
  let last = ''
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{') objects.push(new Set())
    else if (token === '[') objects.push(undefined)
    else if (token === '}' || token === ']') objects.pop()
    else if (token === ':') {
      const key = String(JSON.parse(last))
      if (objects.at(-1)?.has(key)) return true
      objects.at(-1)?.add(key)
    }
    last = token
  }
  return false
}
