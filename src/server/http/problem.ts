import type { Denied, EntryReceipt } from '../../broker/index.ts'
import { Failure, type FailureCode } from '../../primitives/index.ts'

/** The only place that knows status codes. `docs/errors.md` shows the same table; a test compares both. */
export const statusOf: Readonly<Record<FailureCode, number>> = {
  certificate_untrusted: 401,
  certificate_expired: 401,
  certificate_without_identity: 401,
  clock_behind: 500,
  contract_invalid: 500,
  contract_unreadable: 500,
  credential_minting_failure: 503,
  database_refused: 500,
  database_unreachable: 503,
  denied: 403,
  idempotency_conflict: 422,
  idempotency_key_invalid: 400,
  idempotency_replayed: 409,
  identity_ambiguous: 400,
  identity_missing: 401,
  identity_unknown: 403,
  internal: 500,
  issuer_unavailable: 503,
  lease_revoked: 409,
  lease_unknown: 404,
  log_unwritable: 503,
  machine_key_invalid: 401,
  method_not_allowed: 405,
  migration_busy: 409,
  migration_lost: 500,
  migration_refused: 403,
  mode_unmatched: 500,
  not_found: 404,
  not_permitted: 403,
  option_invalid: 500,
  overloaded: 503,
  plane_crossed: 403,
  policy_unavailable: 503,
  provider_answer_invalid: 502,
  provider_circuit_open: 503,
  provider_policy_too_large: 422,
  provider_refused: 502,
  provider_throttled: 503,
  provider_timeout: 504,
  provider_unreachable: 503,
  rate_limited: 429,
  request_invalid: 400,
  request_too_large: 413,
  rotation_unsupported: 422,
  shutting_down: 503,
  store_invalid: 500,
  store_locked: 500,
  tenant_conflict: 403,
  token_algorithm_refused: 401,
  token_audience_wrong: 401,
  token_expired: 401,
  token_issued_in_future: 401,
  token_issuer_unknown: 401,
  token_key_unknown: 401,
  token_malformed: 401,
  token_not_yet_valid: 401,
  token_signature_invalid: 401,
  token_too_large: 401,
  token_too_old: 401,
}

const retryAfterSeconds: Partial<Readonly<Record<FailureCode, number>>> = {
  credential_minting_failure: 5,
  issuer_unavailable: 5,
  log_unwritable: 5,
  overloaded: 1,
  policy_unavailable: 5,
  provider_circuit_open: 10,
  provider_throttled: 5,
  provider_unreachable: 5,
  rate_limited: 1,
  shutting_down: 1,
}

/** Of every answer. */
export const commonHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

export type Problem = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
}

/** A failure as problem details (RFC 9457). What is internal stays in the log. */
export function problemOf(failure: Failure, requestId: string): Problem {
  const { code } = failure
  const status = statusOf[code]
  const retryAfter = failure.retryAfterSeconds ?? retryAfterSeconds[code]
  return {
    status,
    headers: {
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    },
    body: {
      ...typeAndTitle(code),
      status,
      detail: failure.message,
      code,
      request_id: requestId,
      retryable: retryAfter !== undefined,
      ...(failure.next ? { next: failure.next } : {}),
    },
  }
}

/** A denial, with the rule, the contract's line, the nearest allowed request and the next command. */
export function denialOf(
  denied: Denied & { receipt: EntryReceipt },
  about: { requestId: string; contractDigest: string },
): Problem {
  const { nearest, receipt } = denied
  return {
    status: statusOf.denied,
    headers: {},
    body: {
      ...typeAndTitle('denied'),
      status: statusOf.denied,
      detail: denied.reason,
      code: 'denied',
      request_id: about.requestId,
      retryable: false,
      next: denied.next,
      rule: denied.rule,
      contract: { file: denied.file, ...denied.place, digest: about.contractDigest },
      ...(nearest ? { nearest: wireRequest(nearest) } : {}),
      receipt: wireReceipt(receipt),
    },
  }
}

export function wireRequest(request: NonNullable<Denied['nearest']>) {
  const { service, action, resource, durationSeconds } = request
  return {
    service,
    action,
    resource,
    ...(durationSeconds === undefined ? {} : { duration: durationSeconds }),
  }
}

export function wireReceipt(receipt: EntryReceipt) {
  return { index: receipt.index, leaf_hash: receipt.leafHash, checkpoint: receipt.checkpoint }
}

function typeAndTitle(code: FailureCode) {
  const words = code.replaceAll('_', ' ')
  return {
    type: `urn:sallyport:error:${code}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
  }
}

/** What Fastify itself throws, as a failure of the caller where it is one. */
export function fromFastify(thrown: unknown): Failure | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown) || typeof thrown.code !== 'string') return undefined
  const { code } = thrown
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new Failure('request_too_large', 'The request body is larger than 16 KiB.')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new Failure('request_invalid', 'The body has a media type that this operation does not take.')
  const callers = code.startsWith('FST_ERR_CTP') || callersOwn.has(code)
  return callers
    ? new Failure('request_invalid', 'The request could not be read.', { internal: code })
    : undefined
}

/** A path that cannot be decoded or is too long, and a caller that went away while it was sending. */
const callersOwn: ReadonlySet<string> = new Set(['FST_ERR_BAD_URL', 'FST_ERR_MAX_PARAM_LENGTH', 'ECONNRESET'])
