/** Whatever is not an answer: who calls was not accepted, something is down, the request is not valid. A denial is an answer. */
export class SallyportError extends Error {
  /** A stable word of the broker's `docs/errors.md`, or `unreachable`, `untrusted`, `timeout`, `aborted`, `answer_invalid` of the client itself. */
  readonly code: string
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  readonly requestId: string | undefined
  readonly next: string | undefined
  /** Whether the same request may work later. */
  readonly retryable: boolean

  constructor(
    code: string,
    message: string,
    detail: { status?: number; requestId?: string; next?: string; retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'SallyportError'
    this.code = code
    this.status = detail.status ?? 0
    this.requestId = detail.requestId
    this.next = detail.next
    this.retryable = detail.retryable ?? false
  }
}

/** Node's own word for a failure of the network, of TLS or of a file. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
}
