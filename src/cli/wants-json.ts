/** Whether a program reads the answer. Read before the words are parsed, because they may be wrong; with SARIF every failure is JSON, too. */
export function wantsJson(words: readonly string[]): boolean {
  const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words
  return own.some(
    (word, at) =>
      word === '--json' ||
      /^--format=(?:json|sarif)$/.test(word) ||
      (word === '--format' && /^(?:json|sarif)$/.test(own[at + 1] ?? '')),
  )
}
