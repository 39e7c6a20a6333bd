/** What went wrong, as a stable word. Each one has a paragraph in `docs/errors.md`; a test compares both ways. */
export const failureCodes = [
  'certificate_untrusted',
  'certificate_expired',
  'certificate_without_identity',
  'clock_behind',
  'contract_invalid',
  'contract_unreadable',
  'credential_minting_failure',
  'database_refused',
  'database_unreachable',
  'denied',
  'idempotency_conflict',
  'idempotency_key_invalid',
  'idempotency_replayed',
  'identity_ambiguous',
  'identity_missing',
  'identity_unknown',
  'internal',
  'issuer_unavailable',
  'lease_revoked',
  'lease_unknown',
  'log_unwritable',
  'machine_key_invalid',
  'method_not_allowed',
  'migration_busy',
  'migration_lost',
  'migration_refused',
  'mode_unmatched',
  'not_found',
  'not_permitted',
  'option_invalid',
  'overloaded',
  'plane_crossed',
  'policy_unavailable',
  'provider_answer_invalid',
  'provider_circuit_open',
  'provider_policy_too_large',
  'provider_refused',
  'provider_throttled',
  'provider_timeout',
  'provider_unreachable',
  'rate_limited',
  'request_invalid',
  'request_too_large',
  'rotation_unsupported',
  'shutting_down',
  'store_invalid',
  'store_locked',
  'tenant_conflict',
  'token_algorithm_refused',
  'token_audience_wrong',
  'token_expired',
  'token_issued_in_future',
  'token_issuer_unknown',
  'token_key_unknown',
  'token_malformed',
  'token_not_yet_valid',
  'token_signature_invalid',
  'token_too_large',
  'token_too_old',
] as const

export type FailureCode = (typeof failureCodes)[number]

export type FailureDetail = {
  /** Seen by the log alone: addresses, upstream words. Never a secret. */
  readonly internal?: string
  readonly cause?: unknown
  /** What the caller can do next, as one sentence or command. */
  readonly next?: string
  /** An entry of the log tells of it already. */
  readonly recorded?: true
  /** It broke before a byte of the request went out: whoever was to be asked has done nothing. */
  readonly unsent?: true
  /** When to try again, as whoever was asked says. */
  readonly retryAfterSeconds?: number
}

/** A breakage with a stable `code` and a sentence that is safe to show to the caller. A "no" is a value, not this. */
export class Failure extends Error {
  readonly code: FailureCode
  readonly internal: string | undefined
  readonly next: string | undefined
  readonly recorded: boolean
  readonly unsent: boolean
  readonly retryAfterSeconds: number | undefined

  constructor(code: FailureCode, message: string, detail: FailureDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'Failure'
    this.code = code
    this.internal = detail.internal
    this.next = detail.next
    this.recorded = detail.recorded === true
    this.unsent = detail.unsent === true
    this.retryAfterSeconds = detail.retryAfterSeconds
  }
}

/** The failure inside whatever was thrown; what nobody foresaw becomes `internal` and says nothing to the caller. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown
  const internal =
    thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : 'a value was thrown that is no error'
  return new Failure('internal', 'The broker failed. Nothing was released.', { internal, cause: thrown })
}
