import type { SarifLevel, Severity } from '../contract/index.ts'
import { sha256Hex } from '../primitives/index.ts'

/** What each code means, in one sentence. */
export const hygieneCodes = {
  'prohibited-environment': 'The environment holds what a prohibition of the contract forbids everywhere.',
  'prohibited-source': 'A line of a source file is what a prohibition of the contract forbids everywhere.',
  'prohibited-reuse': 'The value of another mode stands in this one.',
  probe:
    'The running service takes what the contract forbids there, or does not give the answer that it has.',
  guess: 'A default stands in for a variable of the contract: where it is missing, the program guesses.',
  'gate-unlisted': 'A path beside the gated ones stands in the code, and the contract lists no gate for it.',
  'mode-branch': 'The code asks for the mode itself, in a file that no gate of the contract refers to.',
  'baseline-stale': 'The baseline accepts a finding that is no longer there.',
} as const

export type HygieneCode = keyof typeof hygieneCodes

/** No field holds a character of a value of the environment. */
export type HygieneFinding = {
  /** Stable while the file and the line's words stay: 16 hexadecimal characters, by which a baseline names it. */
  readonly id: string
  readonly code: HygieneCode
  readonly severity: Severity
  readonly message: string
  /** Why it is forbidden, in the contract's words. */
  readonly reason?: string
  /** The contract's name of the prohibition. */
  readonly prohibition?: string
  readonly variable?: string
  /** Of the finding; in the environment it is that of the contract. */
  readonly file: string
  readonly line: number
  readonly next: string
}

/** `words`: what the finding is about beside its file, such as the line; it goes into the id alone. */
export function finding(given: Omit<HygieneFinding, 'id'>, words = ''): HygieneFinding {
  const { code, file, prohibition = '', variable = '' } = given
  // The environment has no file; the contract's name is as somebody typed it.
  const place = code === 'prohibited-environment' || code === 'prohibited-reuse' ? '' : file
  return {
    id: sha256Hex(JSON.stringify([code, place, prohibition, variable, words.trim()])).slice(0, 16),
    ...given,
  }
}

/** From the least to the worst. */
export const severities = [
  'low',
  'medium',
  'high',
  'critical-violation',
  'architecture-violation',
  'security-bug',
] as const satisfies readonly Severity[]

/** Whether a severity is that bad or worse. */
export function atLeast(severity: Severity, bound: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(bound)
}

export function severityLevel(severity: Severity): SarifLevel {
  if (severity === 'low') return 'note'
  return severity === 'medium' ? 'warning' : 'error'
}
