import { formatDuration } from '../primitives/index.ts'
import type { CredentialRequest } from './request.ts'

/** The longest word that is written out; a resource that names one thing has at most 1024 characters. */
export const wordCharactersMax = 1024

/** A command for this request that can be pasted into a shell, whatever is in the request: it is attacker-controlled. */
export function commandLine(verb: 'explain' | 'request', request: CredentialRequest): string {
  const { service, action, resource, durationSeconds } = request
  const words = [service, action, resource].map(shellWord)
  const duration = canBeFormatted(durationSeconds) ? ['--duration', formatDuration(durationSeconds)] : []
  // After `--` a word that begins with a dash is no option.
  const isDashed = [service, action, resource].some((word) => printable(word).startsWith('-'))
  const rest = isDashed ? [...duration, '--', ...words] : [...words, ...duration]
  return ['sallyport', verb, ...rest].join(' ')
}

/** One word for a POSIX shell (IEEE 1003.1 §2.2.2) and for a sentence: as it is when harmless, else in single quotes. */
export function shellWord(text: string): string {
  const word = printable(text)
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** A text as it may stand in a sentence: controls, invisible formatting and line separators, which could rewrite what a terminal shows, as escapes. */
export function printable(text: string): string {
  return text
    .slice(0, wordCharactersMax)
    .toWellFormed()
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped)
    .slice(0, wordCharactersMax)
}

/** Escaped as in JSON: were it left out, the word would look like another one. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

function canBeFormatted(seconds: number | undefined): seconds is number {
  return Number.isInteger(seconds) && (seconds ?? 0) >= 1
}
