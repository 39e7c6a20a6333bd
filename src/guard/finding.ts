/** What a check of an environment can find. Codes are stable: documents, alerts and suppressions name them. */
export const findingCodes = {
  E101: 'No mode of the contract has these discriminators.',
  E102: 'The scope is none of the contract, or not that of the command.',
  E103: 'The compiled guard is of another contract.',
  E104: 'A file of variables that was named cannot be read.',
  E201: 'A variable that must be there is not.',
  E202: 'A variable is not of its type.',
  E203: 'A variable has none of the values that it may have.',
  E204: 'A variable has not the one value that it must have in this mode.',
  E205: 'A number is out of its range.',
  E206: 'A URI has a scheme that it may not have.',
  E207: 'A variable does not match its pattern.',
  E208: 'A variable that is the launcher’s alone has reached the program.',
  E301: 'The role of the database never takes a migration.',
  E302: 'A migration of this database has to be confirmed.',
  E303: 'The role of the database is not that of the mode.',
  E304: 'A confirmation of migrations stands where nothing is migrated.',
  E401: 'A variable is set that a prohibition forbids everywhere.',
} as const satisfies Readonly<Record<string, string>>

export type FindingCode = keyof typeof findingCodes

/** One problem of an environment. No field holds a character of a sensitive value. */
export type Finding = {
  readonly code: FindingCode
  /** Absent where no single variable is to blame. */
  readonly variable?: string
  readonly owner?: string
  /** Where the secret lives; the first wins. */
  readonly secretPaths: readonly string[]
  /** One sentence. */
  readonly message: string
  /** What was expected, in words. */
  readonly expected: string
  /** What was found: `not set`, the value of a variable that is no secret, or `set, 41 characters`. */
  readonly seen: string
  /** The one change that would mend it. */
  readonly fix: string
  /** Line of the contract, from 1; 0 where it has none. */
  readonly line: number
}

export type Checked = {
  /** The mode whose whole tuple holds; absent when none does. */
  readonly mode?: string
  readonly scope: string
  /** In the order of the contract; empty is a pass. */
  readonly findings: readonly Finding[]
}

/** How much of a value that is no secret is shown. */
const shownMax = 60

/**
 * What is said of a value. Attacker-controlled, and possibly a secret in the wrong place: of a sensitive variable nothing but its length
 * is said, and neither of a URL with a user or a query, of what looks random or does not print.
 */
export function seenWords(value: string | undefined, sensitive: boolean): string {
  if (value === undefined) return 'not set'
  if (value === '') return 'set, but empty'
  const length = `set, ${value.length} characters`
  if (sensitive || !/^[\x20-\x7e]*$/.test(value) || looksSecret(value)) return length
  return value.length > shownMax ? `${length}, beginning ${value.slice(0, shownMax)}` : value
}

function looksSecret(value: string): boolean {
  // A password stands before the `@` of a URL, with slashes or without, or in its query; base64 and paths have the same characters.
  return (value.includes('://') && /[@?]/.test(value)) || /[A-Za-z0-9+/=_.-]{32}/.test(value)
}
