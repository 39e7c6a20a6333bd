import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Failure } from '../../primitives/index.ts'
import { connectionLimits } from './connections.ts'
import { commonHeaders, problemOf } from './problem.ts'
import { traceId } from './trace.ts'

type TurnAway = (why: keyof typeof answers, request: IncomingMessage, response: ServerResponse) => number

type NextTurn = (callback: () => void) => unknown

/** How long a connection is not listened to after a refusal, and how many of them are heard again in this turn. */
type Hearing = { readonly unheardMs: () => number; readonly heardInTurn: () => number }

/** Answers that there is no place, and gives the status. `nextTurn` calls back once in the event loop's next turn. */
export function createTurnAway(nextTurn: NextTurn, hearing: Hearing): TurnAway {
  const drop = createDrop(nextTurn, hearing)
  return (why, request, response) => {
    const { status, headers, before, after } = answers[why]
    const { traceparent } = request.headers
    response.writeHead(status, headers)
    response.end(before + (typeof traceparent === 'string' ? traceId(traceparent) : nextId()) + after)
    drop(request)
    return status
  }
}

const answers = {
  full: prepare(
    new Failure('overloaded', 'The broker has more requests than it can serve now.', {
      next: 'try again after the seconds of Retry-After',
    }),
  ),
  'full of its own': prepare(
    new Failure('rate_limited', 'Too many requests of this tenant or address wait already.', {
      next: 'try again after the seconds of Retry-After, with fewer requests at once',
    }),
  ),
} as const

/** An answer that lacks only the id of the request: thousands of them are sent in a second that has no time for them. */
function prepare(failure: Failure) {
  const placeholder = '0'.repeat(32)
  const { status, headers, body } = problemOf(failure, placeholder)
  const text = JSON.stringify(body)
  const [before = '', after = ''] = text.split(placeholder)
  const all = {
    ...commonHeaders,
    ...headers,
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(text)),
  }
  return { status, headers: Object.entries(all).flat(), before, after }
}

const ownPart = randomBytes(12).toString('hex')
let count = 0

/** Unlike any other, though not secret: a random part of this process and a number. 32 hexadecimal characters. */
function nextId(): string {
  count = (count + 1) % 2 ** 32
  return ownPart + count.toString(16).padStart(8, '0')
}

/**
 * Node reads what is left of a request that was answered and drops it, so that its connection serves again. Most are whole within the turn; under one
 * that is not, the connection is closed after `lingerMs`: its sender had time to read the answer, and cannot keep us reading.
 */
function createDrop(nextTurn: NextTurn, hearing: Hearing): (request: IncomingMessage) => void {
  const answered: IncomingMessage[] = []
  const hearLater = createHearLater(nextTurn, hearing)
  const look = () => {
    const pauseMs = hearing.unheardMs()
    for (const request of answered.splice(0))
      if (!request.complete) closeLater(request)
      else if (pauseMs > 0) hearLater(request.socket, pauseMs)
  }
  return (request) => {
    if (answered.length === 0) nextTurn(look)
    answered.push(request)
  }
}

/** Those refused together come back together: heard all at once, they would make one turn as long as the flood is wide. */
function createHearLater(nextTurn: NextTurn, { heardInTurn }: Hearing) {
  const due: Socket[] = []
  const hear = () => {
    for (const socket of due.splice(0, heardInTurn())) socket.resume()
    if (due.length > 0) nextTurn(hear)
  }
  return (socket: Socket, milliseconds: number) => {
    socket.pause()
    setTimeout(() => {
      if (due.push(socket) === 1) nextTurn(hear)
    }, milliseconds).unref()
  }
}

function closeLater(request: IncomingMessage): void {
  setTimeout(() => {
    if (!request.complete) request.socket.destroy()
  }, connectionLimits.lingerMs).unref()
}
