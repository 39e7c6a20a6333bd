import { connect } from 'node:net'
import { join } from 'node:path'
import { cores, startPinned } from './pinned.ts'
import { createReader, type Response } from './response.ts'

/** Requests that some connections send over and over, each when the one before is answered, or at a rate whatever the answers do. */
export type Stream = {
  readonly name: string
  /** Whole HTTP/1.1 requests as text, sent in turn. */
  readonly requests: readonly string[]
  /** Each goes through the requests in steps of their number, so that of two times as many requests it sends two: those of an agent or two, as connections do. */
  readonly connections: number
  /** How many requests a connection lives for; absent is as many as there are. */
  readonly requestsPerConnection?: number
  /** Absent is as fast as they are answered. */
  readonly ratePerSecond?: number
  /** Its sender steps back where others send from the same core, whose latencies are what is asked for. */
  readonly background?: true
}

/** What to send where. Nothing goes on after `warmSeconds` and `seconds`. */
export type Load = {
  readonly port: number
  /** Connections show these client certificates in turn. PEM texts. */
  readonly tls?: {
    readonly ca: string
    readonly clients: readonly { readonly cert: string; readonly key: string }[]
  }
  readonly streams: readonly Stream[]
  /** Sent before anything is counted. */
  readonly warmSeconds: number
  readonly seconds: number
}

/** What came back to one stream. Latencies are milliseconds; at a rate they run from when the request was due. */
export type Answers = {
  readonly name: string
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  /** Answers that are no success, by status. */
  readonly refused: Readonly<Record<string, number>>
  readonly refusedPerSecond: number
  /** From when it was sent: a refusal gives no place to the requests that are due behind it. */
  readonly refusedP99: number
  /** Refusals that did not say when to come back. */
  readonly withoutRetryAfter: number
  readonly brokenConnections: number
  /** The first refusal, whole. */
  readonly sample: string
}

const generator = join(import.meta.dirname, 'generator.ts')

/** What the generator says when it begins to count. */
export const countingLine = 'counting'

/** What one generator is told. */
export type Order = Omit<Load, 'streams'> & { readonly stream: Stream }

/**
 * Sends the load from the other core, and gives what came back to each stream: each has a process of its own, so that none waits for another's answers
 * to be read. `onCounting` is called when one begins to count.
 */
export async function send({ streams, ...rest }: Load, onCounting?: () => void): Promise<readonly Answers[]> {
  return Promise.all(streams.map((stream) => sendStream({ ...rest, stream }, onCounting)))
}

async function sendStream(order: Order, onCounting?: () => void): Promise<Answers> {
  const priority = order.stream.background ? ['nice', '-n', '10'] : []
  const child = startPinned([...priority, process.execPath, generator], { core: cores.load })
  const late = setTimeout(() => void child.stop('SIGKILL'), (order.warmSeconds + order.seconds + 30) * 1000)
  child.write(JSON.stringify(order))
  try {
    const first = await child.line()
    if (first !== countingLine) throw new Error(`The load did not begin: ${first}`)
    onCounting?.()
    const answers: Answers = JSON.parse(await child.line())
    return answers
  } finally {
    clearTimeout(late)
    await child.stop()
  }
}

/** Sends one request on a connection of its own; gives the whole answer, or throws when its status is another one. */
export async function sendOne(port: number, request: string, status: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  try {
    const answer = await new Promise<Response>((resolve, reject) => {
      socket.on('data', createReader(resolve)).on('error', reject)
      socket.setTimeout(60_000, () => reject(new Error('No answer came.')))
      socket.write(request)
    })
    if (answer.status !== status) throw new Error(`Not ${status}: ${answer.whole()}`)
    return answer.whole()
  } finally {
    socket.destroy()
  }
}

/** A request as it stands on the wire. */
export function requestText(request: {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}): string {
  const body = request.body === undefined ? '' : JSON.stringify(request.body)
  const headers = {
    host: '127.0.0.1',
    ...(body === ''
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    ...request.headers,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${request.method} ${request.path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}
