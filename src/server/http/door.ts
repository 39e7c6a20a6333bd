import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { network } from './rate-limit.ts'
import { createTurnAway } from './turn-away.ts'
import { createTurns, type Source, type TurnLimits, turnLimits, unproven } from './turns.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Where a process is entered, before anything of a request is looked at: so many begin, so many wait, and the rest is refused at once, for a
 * tenth of what serving it would take. Tenants take turns, so that one who floods waits and is refused, and the others are served as before.
 */
export interface Door {
  /** The handler behind the door. `refused` is told the status of each request that did not come through. */
  guard(handler: Handler, refused: (status: number) => void): Handler
  /** To be told of every connection. */
  accepted(): void
  /**
   * Remembers whose connection it is: its next requests wait with those of that tenant. It decides whose turn it is and nothing else; who may
   * what is proven by every request.
   */
  proven(socket: Socket, tenant: string): void
}

/** `nextTurn` calls back once in the event loop's next turn. */
export function createDoor(
  changed: Partial<TurnLimits> = {},
  nextTurn: (callback: () => void) => unknown = setImmediate,
): Door {
  const limits = { ...turnLimits, ...changed }
  const turns = createTurns(limits, nextTurn)
  const sources = new WeakMap<Socket, Source>()
  const turnAway = createTurnAway(nextTurn, {
    unheardMs: () => (turns.areShort() ? limits.unheardInShortTurnsMs : limits.unheardMs),
    heardInTurn: () => limits.heardPerTurn + limits.heardPerStart * turns.begun(),
  })

  /** What is not proven yet: connections that had no chance to prove anything take turns with those that had one and did not. */
  const unprovenSource = (socket: Socket, word: string) => ({
    group: unproven,
    name: `${word} ${network(socket.remoteAddress ?? '')}`,
  })

  return {
    guard: (handler, refused) => (request, response) => {
      const { socket } = request
      const source = sources.get(socket) ?? unprovenSource(socket, 'new')
      const entered = turns.enter(source, () => {
        // Whoever went away while waiting needs no answer.
        if (socket.destroyed) return false
        handler(request, response)
        return true
      })
      if (entered !== 'taken') return refused(turnAway(entered, request, response))
      if (!sources.has(socket)) sources.set(socket, unprovenSource(socket, 'known'))
    },
    accepted: turns.accepted,
    proven(socket, tenant) {
      const own = `tenant ${tenant}`
      const known = sources.get(socket)
      if (known === undefined || known.group === unproven) sources.set(socket, { group: own, name: own })
      else if (known.group !== own && known.group !== 'several') sources.set(socket, severalSource(socket))
    },
  }
}

function severalSource(socket: Socket): Source {
  return { group: 'several', name: network(socket.remoteAddress ?? '') }
}
