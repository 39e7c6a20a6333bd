import { AwsV4Signer } from 'aws4fetch'
import { type Clock, Failure } from '../../../primitives/index.ts'
import type { AwsKeys } from './config.ts'

/** One call, still unsigned. */
export type Call = {
  readonly url: URL
  readonly service: 'sts' | 'iam' | 's3'
  readonly region: string
  /** Sent as a POST of a form; absent is a GET. */
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
}

export type Answer = {
  readonly status: number
  readonly text: string
  /** Seconds after which AWS wants to be asked again. */
  readonly retryAfterSeconds?: number
}

export type Exchange = (call: Call, keys: AwsKeys, signal: AbortSignal) => Promise<Answer>

/** No answer that is wanted here comes near this. */
export const answerBytesMax = 65_536

/**
 * Signs (AWS Signature Version 4) and sends calls, each within its time, following no redirect. Throws `provider_timeout`,
 * `provider_unreachable` and, for an answer that is too long or no text, `provider_answer_invalid`.
 */
export function createExchange(options: { clock: Clock; timeoutSeconds: number }): Exchange {
  return async (call, keys, signal) => {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutSeconds * 1000)])
    try {
      stop.throwIfAborted()
      const { url, method, headers, body } = await sign(call, keys, options.clock)
      const response = await fetch(url, {
        method,
        headers,
        body: body ?? null,
        redirect: 'manual',
        signal: stop,
      })
      return { status: response.status, text: await readText(response), ...retryAfter(response) }
    } catch (thrown) {
      if (thrown instanceof Failure) throw thrown
      throw brokenOff(call, thrown, stop)
    }
  }
}

function sign({ url, service, region, form, headers }: Call, keys: AwsKeys, clock: Clock) {
  return new AwsV4Signer({
    url: url.href,
    service,
    region,
    method: form ? 'POST' : 'GET',
    headers: { ...headers, ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}) },
    body: form ? new URLSearchParams(form).toString() : null,
    accessKeyId: keys.accessKeyId.reveal(),
    secretAccessKey: keys.secretAccessKey.reveal(),
    ...(keys.sessionToken ? { sessionToken: keys.sessionToken.reveal() } : {}),
    datetime: new Date(clock.now()).toISOString().replace(/[:-]|\.[0-9]{3}/g, ''),
  }).sign()
}

const retryAfterSecondsMax = 3_600

/** Where it stands in seconds (RFC 9110 §10.2.3) that somebody could wait. */
function retryAfter({ headers }: Response): Pick<Answer, 'retryAfterSeconds'> {
  const words = headers.get('retry-after') ?? ''
  const seconds = /^[0-9]{1,4}$/.test(words) ? Number(words) : 0
  return seconds > 0 && seconds <= retryAfterSecondsMax ? { retryAfterSeconds: seconds } : {}
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > answerBytesMax) throw unreadable(`the answer has more than ${answerBytesMax} bytes`)
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (cause) {
    throw unreadable('the answer is not UTF-8', cause)
  }
}

function unreadable(internal: string, cause?: unknown): Failure {
  return new Failure('provider_answer_invalid', 'AWS gave an answer that cannot be read.', {
    internal,
    cause,
  })
}

function brokenOff({ url, service }: Call, cause: unknown, stop: AbortSignal): Failure {
  const name = service.toUpperCase()
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : `${cause}`
  const unsent = isUnsent(cause) ? ({ unsent: true } as const) : {}
  const detail = { internal: `${url.host}: ${reason}`, cause, ...unsent }
  if (stop.aborted) return new Failure('provider_timeout', `AWS ${name} did not answer in time.`, detail)
  return new Failure('provider_unreachable', `AWS ${name} cannot be reached.`, detail)
}

/** No connection came to be; of what was sent over one nobody knows how far it came. */
function isUnsent(thrown: unknown): boolean {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  // All the addresses of a name were tried.
  const causes = cause instanceof AggregateError ? cause.errors : [cause]
  return causes.length > 0 && causes.every((one) => ['connect', 'getaddrinfo'].includes(Object(one).syscall))
}
