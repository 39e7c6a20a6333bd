import type { OutputConfiguration } from 'commander'
import { tell, terminal } from './terminal.ts'

/** Where a program reads the answer, a wrong word is told as every other failure is; else commander tells it. */
export function usageErrors(words: readonly string[]): OutputConfiguration {
  if (!wantsJson(words)) return {}
  return {
    outputError: (text) => {
      const message = text
        .replace(/^error: /, '')
        .trim()
        .replaceAll('\n', ' ')
      tell(terminal({ json: true }), { code: 'option_invalid', message, next: 'sallyport --help' })
    },
    writeErr: () => undefined,
  }
}

/** Read before the words are parsed, because they may be wrong. With SARIF every failure is JSON, too. */
function wantsJson(words: readonly string[]): boolean {
  const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words
  return own.some(
    (word, at) =>
      word === '--json' ||
      /^--format=(?:json|sarif)$/.test(word) ||
      (word === '--format' && /^(?:json|sarif)$/.test(own[at + 1] ?? '')),
  )
}
