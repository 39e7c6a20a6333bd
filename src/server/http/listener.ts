import { Readable } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Broker } from '../../broker/index.ts'
import { Failure, toFailure } from '../../primitives/index.ts'
import { type Operation, problem, protocolLimits } from '../../protocol/index.ts'
import { demandDeclared, takeBodies } from './body.ts'
import {
  connectionLimits,
  createConnections,
  createDrain,
  refuseBrokenRequest,
  type TlsMaterial,
} from './connections.ts'
import { createDoor, type Door } from './door.ts'
import { rawHeader } from './evidence.ts'
import type { Exchange, Reply, Route } from './exchange.ts'
import { createGate, type Gate, type GateParts } from './gate.ts'
import type { Metrics } from './metrics.ts'
import { commonHeaders, fromFastify, problemOf } from './problem.ts'
import { traceId } from './trace.ts'

export type ListenerParts = GateParts & {
  readonly broker: Broker
  readonly metrics: Metrics
  /** Shared by both planes; absent is one with the limits that `turnLimits` names. */
  readonly door?: Door
  /** Absent only on loopback. */
  readonly tls?: TlsMaterial
  /** Milliseconds that requests under way have when the listener closes; default 25 000. */
  readonly drainMs?: number
}

/** One listener of one plane with its operations. What is not declared is not found, and what is not an answer's field does not leave. */
export function createListener(parts: ListenerParts, routes: readonly Route[]): FastifyInstance {
  const { plane, metrics, door = createDoor() } = parts
  const gate = createGate({ ...parts, door }, requestIdOf)
  const refused = (status: number) => metrics.answered({ operation: 'none', plane, status, seconds: 0 })
  const answerFailure = async (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const failure = brokenOff(request) ?? fromFastify(thrown) ?? toFailure(thrown)
    await gate.refused(failure, request)
    return fail(parts, request, reply, failure)
  }
  const app = fastify({
    bodyLimit: protocolLimits.bodyBytesMax,
    routerOptions: {
      ignoreTrailingSlash: false,
      caseSensitive: true,
      maxParamLength: protocolLimits.parameterCharactersMax,
    },
    exposeHeadRoutes: false,
    // Fastify's own words for these would be no problem documents.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => {
      const failure = refuseBrokenRequest(error, socket)
      if (failure) gate.broken(failure, socket)
    },
    frameworkErrors: answerFailure,
    serverFactory: (handler) =>
      createConnections(parts.tls, door.guard(handler, refused)).on('connection', door.accepted),
  })
  app.decorateRequest('traceId', '')
  app.decorateRequest('caller', null)
  app.decorateRequest('noted', false)
  takeBodies(app)
  app.setErrorHandler(answerFailure)
  app.addHook('onResponse', (request, reply, done) => {
    metrics.answered({
      operation: request.routeOptions.config?.operation ?? 'none',
      plane,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    })
    done()
  })
  drainWhenClosing(app, parts.drainMs ?? connectionLimits.drainMs)
  refuseNowhere(app, routes)
  for (const route of routes) mount(app, gate, route)
  app.addHook('onClose', () => gate.close())
  return app
}

/** A caller that goes away while it sends is no failure of ours. */
function brokenOff({ raw }: FastifyRequest): Failure | undefined {
  return raw.destroyed && !raw.complete ? new Failure('request_invalid', 'The request broke off.') : undefined
}

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: string
  }
  interface FastifyRequest {
    traceId: string
  }
}

/** Requests under way come to their end; new ones on open connections are told to go elsewhere, and connections without one are closed. */
function drainWhenClosing(app: FastifyInstance, drainMs: number): void {
  const drain = createDrain(app.server, drainMs)
  app.addHook('preClose', async () => drain.begin())
  app.addHook('onRequest', (request, _reply, done) => {
    const closing = drain.closing()
    drain.started(request)
    done(closing ? new Failure('shutting_down', 'The broker is stopping and takes no new work.') : undefined)
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // Node would keep the connection open for a next request.
    if (drain.closing()) reply.header('connection', 'close')
    done()
  })
  app.addHook('onResponse', (request, _reply, done) => {
    drain.ended(request)
    done()
  })
}

/** Refuses, before a body is read, what is no request to a path and method of this plane. */
function refuseNowhere(app: FastifyInstance, routes: readonly Route[]): void {
  const known = routes.map(({ operation }) => ({ method: operation.method, path: pathPattern(operation) }))
  const pathOf = new Map(routes.map(({ operation }) => [operation.id, pathPattern(operation)]))
  app.setNotFoundHandler(() => {
    throw new Failure('not_found', 'There is nothing at this path on this plane.')
  })
  const refusalOf = (request: FastifyRequest, reply: FastifyReply): Failure | undefined => {
    // RFC 9112 §3.2: without it, or with two, nobody can say whom the request is for.
    if (rawHeader(request, 'host').length !== 1)
      return new Failure('request_invalid', 'The request must have one Host header.')
    // Of HTTP/0.9, in which there are no headers, Node reads headers all the same.
    if (request.raw.httpVersionMajor !== 1)
      return new Failure('request_invalid', 'This is not a request of HTTP/1.1.')
    // RFC 9112 §6.1: an old version with chunks, or a coding that we do not undo, is a body that somebody on the way may read otherwise.
    const coding = request.headers['transfer-encoding']?.toLowerCase()
    if (coding !== undefined && (coding !== 'chunked' || request.raw.httpVersionMinor === 0))
      return new Failure('request_invalid', 'The only Transfer-Encoding is chunked, in HTTP/1.1.')
    // RFC 9112 §3.2: a target has none. What stands there would be read as a query here and as nothing elsewhere.
    if (request.url.includes('#'))
      return new Failure('request_invalid', 'The target of a request has no fragment.')
    const path = sentPath(request.url)
    // Fastify decodes a path before it looks for its route; each path of ours has one spelling.
    if (pathOf.get(request.routeOptions.config?.operation ?? '')?.test(path)) return undefined
    const methods = known.filter((one) => one.path.test(path)).map(({ method }) => method)
    const other = methods.length > 0 && !methods.some((method) => method === request.method)
    if (!other) return new Failure('not_found', 'There is nothing at this path on this plane.')
    reply.header('allow', methods.join(', '))
    return new Failure('method_not_allowed', 'This path does not take that method.')
  }
  app.addHook('onRequest', (request, reply, done) => done(refusalOf(request, reply)))
}

/** As it was sent, also in an absolute address (RFC 9112 §3.2.2). */
function sentPath(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, '').split('?')[0] ?? ''
}

function pathPattern({ path }: Operation): RegExp {
  const source = path.replaceAll('.', '\\.').replace(/\{[a-z_]+\}/g, '[^/]+')
  return new RegExp(`^${source.replace('*', '.*')}$`)
}

function mount(app: FastifyInstance, gate: Gate, { operation, handle }: Route): void {
  app.route({
    method: operation.method,
    url: operation.path.replaceAll(/\{([a-z_]+)\}/g, ':$1'),
    config: { operation: operation.id },
    // Before the body is read: nobody unknown makes us parse anything.
    ...(operation.access === 'identified'
      ? {
          onRequest: async (request: FastifyRequest) => {
            await gate.admit(operation, request)
            demandDeclared(operation, request)
          },
        }
      : {}),
    handler: async (request, reply) =>
      send(reply, operation, await handle(exchangeOf(request, reply), gate.callerOf(request))),
  })
}

function exchangeOf(request: FastifyRequest, reply: FastifyReply): Exchange {
  return {
    requestId: requestIdOf(request),
    parameters: request.params,
    query: request.query,
    body: request.body,
    headers: request.headers,
    signal: goneSignal(reply),
  }
}

/** Aborts when the caller goes away, also when it went before anybody listened. */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  const leave = () => gone.abort(new Failure('shutting_down', 'The caller went away.'))
  if (raw.destroyed) leave()
  else
    raw.once('close', () => {
      if (!raw.writableFinished) leave()
    })
  return gone.signal
}

/** The same id for the refusal, the entries and the problem of one request. */
function requestIdOf(request: FastifyRequest): string {
  // Fastify's own errors come with a request that has no such field yet.
  if (request.traceId) return request.traceId
  const { traceparent } = request.headers
  request.traceId = traceId(typeof traceparent === 'string' ? traceparent : undefined)
  return request.traceId
}

/** What an operation answers beside what it declares: a denial. */
const undeclared = { type: 'application/problem+json', schema: problem } as const

function send(reply: FastifyReply, operation: Operation, answer: Reply): FastifyReply {
  const { type, schema } = operation.answers[answer.status] ?? undeclared
  // Before anything of the answer is set: what does not fit is a failure of its own.
  const text = schema ? JSON.stringify(schema.parse(answer.value)) : (answer.text ?? '')
  reply
    .code(answer.status)
    .headers({ ...commonHeaders, ...answer.headers })
    .type(type)
  if (answer.stream) return reply.send(Readable.from(answer.stream))
  return reply.send(answer.bytes ? Buffer.from(answer.bytes) : text)
}

function fail(
  parts: ListenerParts,
  request: FastifyRequest,
  reply: FastifyReply,
  failure: Failure,
): FastifyReply {
  const requestId = requestIdOf(request)
  const { status, headers, body } = problemOf(failure, requestId)
  if (status >= 500) {
    parts.log({
      level: 'error',
      code: failure.code,
      request_id: requestId,
      message: failure.message,
      internal: failure.internal,
    })
  }
  // Fastify would close under a caller who still sends its body, and the reset would take the answer away; Node reads the rest and drops it.
  return reply
    .removeHeader('connection')
    .code(status)
    .headers({ ...commonHeaders, ...headers })
    .type('application/problem+json')
    .send(JSON.stringify(body))
}
