import type { ContractProblem } from './contract.ts'
import { printable } from './problem.ts'
import { isSecretName } from './rules/providers.ts'

/** How much of a long line is shown. */
const columnsMax = 100

const problemsShownMax = 100

/**
 * Problems for a person: `file:line:column  message`, the line with a caret under the place, and what to do next. Values that could be
 * secrets are shown as `*`, because terminals are recorded.
 */
export function formatProblems(
  problems: readonly ContractProblem[],
  { file, text }: { file: string; text: string },
): string {
  const lines = text.split(/\r?\n/)
  const masked = new Map<number, string>()
  const blocks = problems.slice(0, problemsShownMax).map((problem) => {
    const { line } = problem.place
    const shown = masked.get(line) ?? printable(maskSecrets(lines[line - 1] ?? ''))
    masked.set(line, shown)
    return formatProblem(problem, { file, line: shown })
  })
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  const rest = problems.length > problemsShownMax ? ` The first ${problemsShownMax} are shown.` : ''
  return `${blocks.join('\n\n')}\n\n${count} in ${file}.${rest}\n`
}

function formatProblem(
  { message, place, next }: ContractProblem,
  { file, line }: { file: string; line: string },
): string {
  const number = String(place.line).padStart(5)
  const from = line.length <= columnsMax ? 0 : Math.max(0, place.column - 1 - columnsMax / 2)
  const shown = line.slice(from, from + columnsMax)
  const caret = ' '.repeat(place.column - 1 - from)
  return [
    `${file}:${place.line}:${place.column}  ${message}`,
    `${number} | ${shown}`,
    `${' '.repeat(number.length)} | ${caret}^`,
    ...(next === undefined ? [] : [`Next: ${next}`]),
  ].join('\n')
}

/** Same length as before: what stands after a key that names a secret, passwords in URLs, and long runs that look random. */
function maskSecrets(line: string): string {
  const withoutUrls = line
    .replace(
      /(:\/\/[^/?#\s:@]*:)([^/?#\s@]+)(?=@)/g,
      (_, head: string, password: string) => head + stars(password),
    )
    .replace(/[A-Za-z0-9+=_-]{32,}/g, stars)
    .replace(/-----BEGIN.*$/, stars)
  for (const key of withoutUrls.matchAll(/([A-Za-z][\w.-]{0,63})["']?\s*:\s*(?=[^\s{])/g)) {
    const end = key.index + key[0].length
    if (isSecretName(key[1] ?? '')) return withoutUrls.slice(0, end) + stars(withoutUrls.slice(end))
  }
  return withoutUrls
}

function stars(text: string): string {
  return '*'.repeat(text.length)
}
