import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  validateHeaderValue,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https'
import { codeOf, SallyportError } from './error.ts'
import { checkAuthority, checkIdentity, type Identity, identityHeaders } from './identity.ts'
import { createPatience, type Patience, timeoutOf } from './patience.ts'

export type ClientOptions = {
  /** Of the listener, such as `https://127.0.0.1:7420`. Plain HTTP is accepted to a loopback address alone. */
  readonly url: string
  /** The CA of the broker's certificate, PEM; absent is the system's store. */
  readonly ca?: string
  readonly identity: Identity
  /** Milliseconds for one call; default 20 000. A call that names `waitSeconds` has at least 5 s more than those. */
  readonly timeoutMs?: number
}

export type Call = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** What the broker itself may take. */
  readonly waitSeconds?: number
}

export type Answer = { readonly status: number; readonly text: string }

export interface Transport {
  call(call: Call): Promise<Answer>
  /** The body piece by piece, of an answer of status 200. The time is for each piece. */
  stream(call: Call): Promise<AsyncIterable<Uint8Array>>
  close(): void
}

/** Bytes of an answer that are read. */
const answerBytesMax = 4_194_304

export function createTransport(options: ClientOptions): Transport {
  const base = parseUrl(options.url)
  const timeoutMs = timeoutOf(options.timeoutMs)
  const { agent, send } = createConnections(base, options)
  const open = async (call: Call, patience: Patience): Promise<IncomingMessage> => {
    const content = contentOf(call)
    const proof = await identityHeaders(options.identity, patience)
    const headers = writable({ ...proof, ...contentHeaders(call), ...call.headers })
    const { signal } = patience
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    try {
      const request = send(new URL(call.path, base), { method: call.method, headers, agent, signal })
      request.once('response', resolve)
      request.once('error', reject)
      request.end(content)
    } catch (cause) {
      throw new SallyportError('option_invalid', 'The call cannot be written as a request.', { cause })
    }
    return promise
  }
  return {
    async call(call) {
      const patience = createPatience(call, timeoutMs)
      try {
        const response = await open(call, patience)
        return { status: response.statusCode ?? 0, text: await readText(response) }
      } catch (cause) {
        throw broken(cause, { base, call, patience })
      } finally {
        patience.end()
      }
    },
    async stream(call) {
      const patience = createPatience(call, timeoutMs)
      const fail = (cause: unknown) => {
        patience.end()
        return broken(cause, { base, call, patience })
      }
      try {
        const response = await open(call, patience)
        if (response.statusCode === 200) return pieces(response, patience, fail)
        throw problemError({ status: response.statusCode ?? 0, text: await readText(response) })
      } catch (cause) {
        throw fail(cause)
      }
    },
    close: () => agent.destroy(),
  }
}

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (!url) throw new SallyportError('option_invalid', 'The url of the broker is none.')
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && loopback)) return url
  throw new SallyportError('option_invalid', `${url.origin} is not https, and not on loopback.`)
}

function createConnections(base: URL, { identity, ca }: ClientOptions) {
  checkIdentity(identity)
  if (base.protocol === 'http:') {
    const agent = new HttpAgent({ keepAlive: true })
    return { agent, send: (url: URL, options: RequestOptions) => httpRequest(url, options) }
  }
  if (ca !== undefined) checkAuthority(ca)
  const agent = new HttpsAgent({
    keepAlive: true,
    minVersion: 'TLSv1.3',
    ...(identity.kind === 'certificate' ? { cert: identity.certificate, key: identity.key } : {}),
    ...(ca === undefined ? {} : { ca }),
  })
  return { agent, send: (url: URL, options: RequestOptions) => httpsRequest(url, options) }
}

function contentHeaders(call: Call): Record<string, string> {
  if (call.form) return { 'content-type': 'application/x-www-form-urlencoded' }
  return call.body === undefined ? {} : { 'content-type': 'application/json' }
}

function contentOf(call: Call): string | undefined {
  if (call.form) return new URLSearchParams(call.form).toString()
  try {
    return call.body === undefined ? undefined : JSON.stringify(call.body)
  } catch (cause) {
    throw new SallyportError('option_invalid', 'What is asked for cannot be written as JSON.', { cause })
  }
}

/** These headers, if they can be sent. Throws `option_invalid` naming the one that cannot, never its value: it may be a secret. */
function writable(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers))
    try {
      validateHeaderValue(name, value)
    } catch (cause) {
      const message = `The header ${name} cannot hold what it is given (${codeOf(cause)}).`
      const next = 'take line ends and other controls out of it: what is read from a file often ends in one'
      throw new SallyportError('option_invalid', message, { cause, next })
    }
  return headers
}

async function readText(response: IncomingMessage): Promise<string> {
  const read: Buffer[] = []
  let size = 0
  for await (const piece of response) {
    const bytes = Buffer.from(piece)
    size += bytes.length
    if (size > answerBytesMax) throw new SallyportError('answer_invalid', 'The answer is too large.')
    read.push(bytes)
  }
  return Buffer.concat(read).toString('utf8')
}

async function* pieces(
  response: IncomingMessage,
  patience: Patience,
  fail: (cause: unknown) => SallyportError,
) {
  try {
    for await (const piece of response) {
      patience.again()
      yield new Uint8Array(Buffer.from(piece))
    }
  } catch (cause) {
    throw fail(cause)
  } finally {
    patience.end()
  }
}

/** Why a call came to no answer. */
function broken(cause: unknown, about: { base: URL; call: Call; patience: Patience }): SallyportError {
  const { base, call, patience } = about
  if (cause instanceof SallyportError) return cause
  if (call.signal?.aborted) return new SallyportError('aborted', 'The call was given up.', { cause })
  if (patience.late())
    return new SallyportError('timeout', `${base.origin} did not answer in time.`, { cause, retryable: true })
  const word = codeOf(cause)
  if (/^(UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_|ERR_TLS_CERT)/.test(word)) {
    const next = 'give the CA that signed it, or the name that stands in it'
    return new SallyportError('untrusted', `The certificate of ${base.origin} does not hold (${word}).`, {
      cause,
      next,
    })
  }
  return new SallyportError('unreachable', `${base.origin} cannot be reached${word && ` (${word})`}.`, {
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
