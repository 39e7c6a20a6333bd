import { Failure, type FailureCode } from '../../../primitives/index.ts'

/** What PostgreSQL, the network or the caller's signal threw, as a failure of the provider port. Upstream words stay in `internal`. */
export function toProviderFailure(thrown: unknown, signal: AbortSignal): unknown {
  if (thrown instanceof Failure) return thrown
  if (signal.aborted) return isTimeout(signal.reason) ? fail('provider_timeout', thrown) : signal.reason
  return fail(codeOf(thrown), thrown)
}

/** The SQLSTATE of PostgreSQL or the `code` of Node, if there is one. */
export function errorCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}

/** The server itself answered with an error, so the transaction is one that failed. */
export function isSqlState(thrown: unknown): boolean {
  const code = errorCode(thrown)
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && code !== 'EPIPE'
}

/** Two changed the same row of the catalogue at once (GRANT and REVOKE do); trying again is the remedy. */
export function isCatalogRace(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false
  const code = errorCode(thrown)
  return (
    code === '40001' ||
    code === '40P01' ||
    (code === 'XX000' && thrown.message.startsWith('tuple concurrently'))
  )
}

/** The server refuses what was to be granted, not the role itself: each place of its source says so under its own name. */
export function isRefusedGrant(thrown: unknown): boolean {
  return (
    errorCode(thrown) === '42501' &&
    thrown instanceof Error &&
    'routine' in thrown &&
    thrown.routine === 'aclcheck_error'
  )
}

const sentences: Readonly<Partial<Record<FailureCode, string>>> = {
  provider_unreachable: 'The database cannot be reached.',
  provider_timeout: 'The database did not answer in time.',
  provider_throttled: 'The database has too much to do at the moment.',
  provider_refused: 'The database refused.',
}

const refusals: Readonly<Record<string, string>> = {
  '42501': "The broker's own role lacks a privilege in the database.",
  '42P01': 'There is no such table.',
  '42703': 'There is no such column.',
  '3F000': 'There is no such schema.',
  '3D000': 'There is no such database.',
  '28P01': "The database refuses the broker's own login.",
  '28000': "The database refuses the broker's own login.",
  '2BP01': 'Objects of others depend on what the role of this lease made.',
}

function fail(code: FailureCode, thrown: unknown): Failure {
  const state = errorCode(thrown)
  const internal =
    thrown instanceof Error ? `${state ?? thrown.name}: ${thrown.message}` : 'no error was thrown'
  const refusal = code === 'provider_refused' ? refusals[state ?? ''] : undefined
  return new Failure(code, refusal ?? sentences[code] ?? 'The database failed.', {
    internal,
    ...(isUnsent(thrown) ? { unsent: true } : {}),
  })
}

function codeOf(thrown: unknown): FailureCode {
  const code = errorCode(thrown)
  if (isTimeout(thrown)) return 'provider_timeout'
  if (isCatalogRace(thrown)) return 'provider_throttled'
  if (code === undefined) return isRefusedTls(thrown) ? 'provider_refused' : 'provider_unreachable'
  if (!isSqlState(thrown)) return isTls(code) ? 'provider_refused' : 'provider_unreachable'
  if (code === '53300' || code === '53400') return 'provider_throttled'
  if (code === '57014' || code === '55P03') return 'provider_timeout'
  // 08 connection, 53 resources, 57 an operator stopped it, 58 and XX the server itself.
  return /^(08|53|57|58|XX)/.test(code) ? 'provider_unreachable' : 'provider_refused'
}

/** No connection came to be. A mint that asks over several has done nothing over those before: what it makes is in its last transaction. */
function isUnsent(thrown: unknown): boolean {
  const causes: unknown[] = thrown instanceof AggregateError ? thrown.errors : [thrown]
  return causes.length > 0 && causes.every((one) => Object(one).syscall === 'connect')
}

function isTimeout(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false
  return (
    thrown.name === 'TimeoutError' || errorCode(thrown) === 'ETIMEDOUT' || /\btimeout\b/.test(thrown.message)
  )
}

function isTls(code: string): boolean {
  return code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || /CERT|UNABLE_TO/.test(code)
}

// Thrown by `pg` without a code when the server has no TLS and the contract asks for it.
function isRefusedTls(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.includes('SSL')
}
