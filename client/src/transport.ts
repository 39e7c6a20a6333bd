import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { SallyportError } from './error.ts'

/** What proves who calls. A token may be a function, read anew for each call, because platforms rotate it. */
export type Identity =
  | { readonly kind: 'certificate'; readonly certificate: string; readonly key: string }
  | { readonly kind: 'token'; readonly token: string | (() => string | Promise<string>) }
  | { readonly kind: 'machine-key'; readonly key: string; readonly header: string }

export type ClientOptions = {
  /** Of the listener, such as `https://127.0.0.1:7420`. Plain HTTP is accepted to a loopback address alone. */
  readonly url: string
  /** The CA of the broker's certificate, PEM; absent is the system's store. */
  readonly ca?: string
  readonly identity: Identity
  /** Milliseconds for one call; default 20 000. */
  readonly timeoutMs?: number
}

export type Call = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export type Answer = { readonly status: number; readonly text: string }

export interface Transport {
  call(call: Call): Promise<Answer>
  /** The body piece by piece, of an answer of status 200. */
  stream(call: Call): Promise<AsyncIterable<Uint8Array>>
  close(): void
}

/** Bytes of an answer that are read. */
const answerBytesMax = 4_194_304
const timeoutMsDefault = 20_000

export function createTransport(options: ClientOptions): Transport {
  const base = new URL(options.url)
  refusePlainText(base)
  const secure = base.protocol === 'https:'
  const { identity } = options
  const certificate = identity.kind === 'certificate' ? { cert: identity.certificate, key: identity.key } : {}
  const agent = secure
    ? new HttpsAgent({
        keepAlive: true,
        minVersion: 'TLSv1.3',
        ...certificate,
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      })
    : new HttpAgent({ keepAlive: true })
  const open = async (call: Call): Promise<IncomingMessage> => {
    const headers = { ...(await identityHeaders(identity)), ...contentHeaders(call), ...call.headers }
    const signal = AbortSignal.any([
      AbortSignal.timeout(options.timeoutMs ?? timeoutMsDefault),
      ...(call.signal ? [call.signal] : []),
    ])
    return new Promise((resolve, reject) => {
      const send = secure ? httpsRequest : httpRequest
      const request = send(new URL(call.path, base), { method: call.method, headers, agent, signal }, resolve)
      request.once('error', (cause) => reject(unreachable(cause, base)))
      request.end(contentOf(call))
    })
  }
  return {
    async call(call) {
      const response = await open(call)
      return { status: response.statusCode ?? 0, text: await readText(response, base) }
    },
    async stream(call) {
      const response = await open(call)
      if (response.statusCode === 200) return response
      throw problemError({ status: response.statusCode ?? 0, text: await readText(response, base) })
    },
    close: () => agent.destroy(),
  }
}

function refusePlainText(url: URL): void {
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && loopback)) return
  throw new SallyportError('option_invalid', `${url.origin} is not https, and not on loopback.`)
}

async function identityHeaders(identity: Identity): Promise<Record<string, string>> {
  switch (identity.kind) {
    case 'certificate':
      return {}
    case 'machine-key':
      return { [identity.header]: identity.key }
    case 'token': {
      const token = typeof identity.token === 'string' ? identity.token : await identity.token()
      return { authorization: `Bearer ${token}` }
    }
  }
}

function contentHeaders(call: Call): Record<string, string> {
  if (call.form) return { 'content-type': 'application/x-www-form-urlencoded' }
  return call.body === undefined ? {} : { 'content-type': 'application/json' }
}

function contentOf(call: Call): string | undefined {
  if (call.form) return new URLSearchParams(call.form).toString()
  return call.body === undefined ? undefined : JSON.stringify(call.body)
}

async function readText(response: IncomingMessage, base: URL): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  try {
    for await (const piece of response) {
      const bytes = Buffer.from(piece)
      size += bytes.length
      if (size > answerBytesMax) throw new SallyportError('answer_invalid', 'The answer is too large.')
      pieces.push(bytes)
    }
  } catch (cause) {
    throw cause instanceof SallyportError ? cause : unreachable(cause, base)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function unreachable(cause: unknown, base: URL): SallyportError {
  if (cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError')) {
    return new SallyportError('timeout', `${base.origin} did not answer in time.`, { cause, retryable: true })
  }
  return new SallyportError('unreachable', `${base.origin} cannot be reached.`, {
    cause,
    retryable: true,
    next: 'is the broker running?',
  })
}

/** The problem document (RFC 9457) of an answer as an error. */
export function problemError(answer: Answer): SallyportError {
  const problem = parseObject(answer.text)
  const text = (name: string) => (typeof problem[name] === 'string' ? problem[name] : undefined)
  const requestId = text('request_id')
  const next = text('next')
  return new SallyportError(
    text('code') ?? 'answer_invalid',
    text('detail') ?? `The broker answered ${answer.status}.`,
    {
      status: answer.status,
      retryable: problem['retryable'] === true,
      ...(requestId === undefined ? {} : { requestId }),
      ...(next === undefined ? {} : { next }),
    },
  )
}

/** JSON that is an object; anything else is an empty one. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
  } catch {
    return {}
  }
}
