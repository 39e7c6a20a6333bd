import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Broker, Caller, Evidence, Identifier, IdentityRefused } from '../../broker/index.ts'
import { Failure, type FailureCode, isId } from '../../primitives/index.ts'
import type { Operation } from '../../protocol/index.ts'
import { createDeadlines } from './deadline.ts'
import type { Door } from './door.ts'
import { createRateLimiter, type RateLimiter } from './rate-limit.ts'
import { createRefusalLog, type Refusal, type RefusalLimits } from './refusals.ts'
import { traceId } from './trace.ts'

export type GateParts = {
  readonly plane: Caller['plane']
  readonly broker: Pick<Broker, 'recordRefusal'>
  readonly identifier: Identifier
  /** What came with a request to say who calls; this is all that differs between the planes. */
  readonly evidence: (request: FastifyRequest) => Evidence | IdentityRefused
  /** Told who is behind a connection. */
  readonly door?: Pick<Door, 'proven'>
  /** Shared by both planes; absent is one with the limits that `rateLimits` names. */
  readonly limiter?: RateLimiter
  /** Other bounds than those that `refusalLimits` names. */
  readonly refusalLimits?: Partial<RefusalLimits>
  /** Internal notes, for the operator's log. */
  readonly log: (line: Readonly<Record<string, unknown>>) => void
}

/** Where a plane is entered: who calls is proven, who asks too often is held back, and whatever is refused comes into the log. */
export interface Gate {
  /** Proves who calls. Throws why nobody is let in, after that is recorded; `rate_limited`; `log_unwritable`. */
  admit(operation: Operation, request: FastifyRequest): Promise<Caller>
  /** Who was let in with this request, if anybody. */
  callerOf(request: FastifyRequest): Caller | undefined
  /** Records a request that came to nothing, unless the broker has an entry of it already. Never rejects. */
  refused(failure: Failure, request: FastifyRequest): Promise<void>
  /** Records what was no request at all. */
  broken(failure: Failure, socket: Socket): void
  /** Records what was only counted so far. */
  close(): Promise<void>
}

/** Time that identifying may take, in milliseconds. */
const identifyMs = 5_000

/** Failures of which nothing else makes an entry. The broker's own entries tell of the others, or the log itself does not work. */
const recorded: ReadonlySet<FailureCode> = new Set([
  'idempotency_conflict',
  'idempotency_key_invalid',
  'idempotency_replayed',
  'lease_unknown',
  'method_not_allowed',
  'not_found',
  'not_permitted',
  'rate_limited',
  'request_invalid',
  'request_too_large',
])

export function createGate(parts: GateParts, requestIdOf: (request: FastifyRequest) => string): Gate {
  const { plane, identifier, door, limiter = createRateLimiter(Date.now) } = parts
  const refusals = createRefusalLog(parts.broker, parts.refusalLimits)
  const deadline = createDeadlines(identifyMs)
  const unnoted = (thrown: unknown) =>
    parts.log({ level: 'error', message: 'A refusal could not be recorded.', internal: String(thrown) })

  const refuse = async (refused: IdentityRefused, operation: Operation, request: FastifyRequest) => {
    request.noted = true
    const { code, message, internal, subject } = refused
    const about = { plane, requestId: requestIdOf(request), scope: operation.id, address: addressOf(request) }
    await refusals.note({ ...about, code, ...(subject === undefined ? {} : { subject }) })
    const slower = limiter.afterRefusal(code, about.address)
    return slower ?? new Failure(code, message, internal === undefined ? {} : { internal })
  }

  return {
    async admit(operation, request) {
      const evidence = parts.evidence(request)
      const identified = 'kind' in evidence ? evidence : await identifier.identify(evidence, deadline())
      if (identified.kind === 'refused') throw await refuse(identified, operation, request)
      request.caller = identified.caller
      // Also of who asks too often, who is then refused at the door.
      door?.proven(request.raw.socket, identified.caller.tenant)
      limiter.admit(identified.caller)
      return identified.caller
    },
    callerOf: ({ caller }) => caller ?? undefined,
    async refused({ code, recorded: told }, request) {
      if (told || request.noted || !recorded.has(code)) return
      request.noted = true
      const { caller } = request
      const about = { plane, code, requestId: requestIdOf(request), address: addressOf(request) }
      const refusal: Refusal = { ...about, scope: scopeOf(request), ...(caller ? { caller } : {}) }
      await refusals.note(refusal).catch(unnoted)
    },
    broken({ code }, { remoteAddress = '' }) {
      const about = { plane, code, requestId: traceId(undefined), address: remoteAddress, scope: '' }
      refusals.note(about).catch(unnoted)
    },
    close: () => refusals.flush(),
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who was let in; on the request itself, because a map with weak keys makes every collection of garbage look at all of them. */
    caller: Caller | null
    /** Whether its refusal is recorded. */
    noted: boolean
  }
}

/** Of the connection; what a header says about it is the caller's own word. */
function addressOf({ raw }: FastifyRequest): string {
  return raw.socket.remoteAddress ?? ''
}

/** The operation and the lease that was asked for. Never the path itself: anything may be written there, also a key. */
function scopeOf({ method, routeOptions, params }: FastifyRequest): string {
  const operation = routeOptions.config?.operation ?? method
  const id: unknown = Object(params).id
  return typeof id === 'string' && isId(id, 'lse') ? `${operation} ${id}` : operation
}
