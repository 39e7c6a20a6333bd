import {
  type PolicyEngine,
  type PolicyQuestion,
  policyUnavailable,
  readPolicyAnswer,
} from '../../../broker/index.ts'
import { Failure, type Secret } from '../../../primitives/index.ts'

/** The most bytes of an answer that are read. */
export const answerBytesMax = 65_536

export type OpaServerOptions = {
  /** Where the server's REST API begins, such as `https://opa.internal:8181`. Plain HTTP is accepted to a loopback address alone. */
  readonly url: string
  /** Sent as `Authorization: Bearer`. */
  readonly token?: Secret
  /** The decision's path under `/v1/data/`; default `sallyport/decision`. */
  readonly decision?: string
  /** How long one decision may take; default 1000. */
  readonly timeoutMilliseconds?: number
}

/**
 * A policy engine behind OPA's REST API (`POST /v1/data/{path}`). The server must hold the policy and the data of this contract.
 * Throws `option_invalid` for a URL that could be listened in on; each decision throws `policy_unavailable` for anything but a
 * complete answer in time.
 */
export function openOpaServer(options: OpaServerOptions): PolicyEngine {
  const url = decisionUrl(options)
  const headers = {
    'content-type': 'application/json',
    ...(options.token ? { authorization: `Bearer ${options.token.reveal()}` } : {}),
  }
  return {
    revision: `opa-server ${url.href}`,
    async decide(question, signal) {
      const timeout = AbortSignal.timeout(options.timeoutMilliseconds ?? 1000)
      const document = await post(url, { headers, question, signal: AbortSignal.any([signal, timeout]) })
      return readPolicyAnswer(document)
    },
  }
}

function decisionUrl({ url, decision = 'sallyport/decision' }: OpaServerOptions): URL {
  const base = URL.parse(url)
  if (!base) throw invalid('The address of the OPA server is not a URL.')
  if (base.username || base.password || base.search || base.hash)
    throw invalid('The address of the OPA server must have no user, password, query or fragment.')
  const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(base.hostname)
  if (base.protocol !== 'https:' && !(base.protocol === 'http:' && isLoopback))
    throw invalid('The OPA server must be reached by https, or by http on a loopback address.')
  const path = decision.split('/').map(encodeURIComponent).join('/')
  return new URL(`${base.pathname.replace(/\/+$/, '')}/v1/data/${path}`, base)
}

type Post = {
  readonly headers: Readonly<Record<string, string>>
  readonly question: PolicyQuestion
  readonly signal: AbortSignal
}

async function post(url: URL, { headers, question, signal }: Post): Promise<unknown> {
  try {
    const body = JSON.stringify({ input: question })
    // A redirect would let somebody else decide.
    const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' })
    const text = await readBounded(answer)
    if (answer.status !== 200) throw new Error(`status ${answer.status}`)
    const document: unknown = JSON.parse(text)
    // Without `result` the decision is undefined.
    return typeof document === 'object' && document !== null && 'result' in document
      ? document.result
      : undefined
  } catch (thrown) {
    throw policyUnavailable(`${url.href}: ${thrown instanceof Error ? thrown.message : 'aborted'}`, thrown)
  }
}

async function readBounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length
    if (bytes > answerBytesMax) throw new Error(`the answer is over ${answerBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function invalid(message: string): Failure {
  return new Failure('option_invalid', message, { next: 'give it as https://host:8181' })
}
