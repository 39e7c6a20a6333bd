import type { OutputConfiguration } from 'commander'
import { tell, terminal } from './terminal.ts'
import { wantsJson } from './wants-json.ts'

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
