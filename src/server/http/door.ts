import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Failure } from '../../primitives/index.ts'
import { commonHeaders, problemOf } from './problem.ts'
import { network } from './rate-limit.ts'
import { traceId } from './trace.ts'

/** Every bound of the door, by name. Whatever begins in one turn of the event loop waits for all the rest of that turn. */
export const doorLimits = {
  /** Requests that begin in one turn, and those of one tenant. */
  startsPerTurn: 128,
  startsPerTurnEach: 16,
  /** Requests that wait for a later turn, and those of one tenant. One more is refused. */
  waitingMax: 512,
  waitingEachMax: 128,
} as const

export type DoorLimits = { readonly [Name in keyof typeof doorLimits]: number }

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Where a process is entered, before anything of a request is looked at: so many begin, so many wait, and the rest is refused at once, for a
 * tenth of what serving it would take. Tenants take turns, so that one who floods waits and is refused, and the others are served as before.
 */
export interface Door {
  /** The handler behind the door. `refused` is told the status of each request that did not come through. */
  guard(handler: Handler, refused: (status: number) => void): Handler
  /**
   * Remembers whose connection it is: its next requests wait with those of that tenant. It decides whose turn it is and nothing else; who may
   * what is proven by every request. A connection of several tenants is one of its address, as all are before they prove anything.
   */
  proven(socket: Socket, tenant: string): void
}

/** `nextTurn` calls back once in the event loop's next turn. */
export function createDoor(
  changed: Partial<DoorLimits> = {},
  nextTurn: (callback: () => void) => unknown = setImmediate,
): Door {
  const limits = { ...doorLimits, ...changed }
  const owners = new WeakMap<Socket, string>()
  const started = new Map<string, number>()
  // The source whose turn it is stands first.
  const waiting = new Map<string, (() => void)[]>()
  const counts = { started: 0, waiting: 0 }
  let turning = false

  const mayStart = (source: string) =>
    counts.started < limits.startsPerTurn && (started.get(source) ?? 0) < limits.startsPerTurnEach
  const start = (source: string, begin: () => void) => {
    counts.started += 1
    started.set(source, (started.get(source) ?? 0) + 1)
    awaitTurn()
    begin()
  }
  const awaitTurn = () => {
    if (turning) return
    turning = true
    nextTurn(turn)
  }
  const turn = () => {
    turning = false
    counts.started = 0
    started.clear()
    for (let source = nextSource(); source !== undefined; source = nextSource()) startFirst(source)
    if (counts.waiting > 0) awaitTurn()
  }
  const nextSource = () => {
    for (const source of waiting.keys()) if (mayStart(source)) return source
    return undefined
  }
  const startFirst = (source: string) => {
    const queue = waiting.get(source) ?? []
    const begin = queue.shift()
    // Set anew, it stands last.
    waiting.delete(source)
    if (queue.length > 0) waiting.set(source, queue)
    counts.waiting -= 1
    if (begin) start(source, begin)
  }
  /** Why it cannot even wait. */
  const refusal = (queue: readonly unknown[]) => {
    if (queue.length >= limits.waitingEachMax) return tooManyOfOne
    return counts.waiting >= limits.waitingMax ? tooMany : undefined
  }

  return {
    guard: (handler, refused) => (request, response) => {
      const source = owners.get(request.socket) || network(request.socket.remoteAddress ?? '')
      const queue = waiting.get(source) ?? []
      // Whoever went away while waiting needs no answer.
      const begin = () => (request.socket.destroyed ? undefined : handler(request, response))
      if (queue.length === 0 && mayStart(source)) return start(source, begin)
      const failure = refusal(queue)
      if (failure) return refused(refuse(failure, request, response))
      queue.push(begin)
      waiting.set(source, queue)
      counts.waiting += 1
      awaitTurn()
    },
    proven(socket, tenant) {
      const owner = owners.get(socket)
      if (owner === undefined) owners.set(socket, `tenant ${tenant}`)
      else if (owner !== `tenant ${tenant}`) owners.set(socket, '')
    },
  }
}

const tooMany = new Failure('overloaded', 'The broker has more requests than it can serve now.', {
  next: 'try again after the seconds of Retry-After',
})
const tooManyOfOne = new Failure(
  'rate_limited',
  'Too many requests of this tenant or address wait already.',
  {
    next: 'try again after the seconds of Retry-After, with fewer requests at once',
  },
)

function refuse(failure: Failure, { headers: asked }: IncomingMessage, response: ServerResponse): number {
  const { traceparent } = asked
  const id = traceId(typeof traceparent === 'string' ? traceparent : undefined)
  const { status, headers, body } = problemOf(failure, id)
  const text = JSON.stringify(body)
  response.writeHead(status, {
    ...commonHeaders,
    ...headers,
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
  return status
}
