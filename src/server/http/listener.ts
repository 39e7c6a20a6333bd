import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { Readable } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Broker, Caller, Evidence, Identifier } from '../../broker/index.ts'
import { Failure, toFailure } from '../../primitives/index.ts'
import { type Operation, protocolLimits } from '../../protocol/index.ts'
import type { Exchange, Reply, Route } from './exchange.ts'
import type { Metrics } from './metrics.ts'
import { fromFastify, problemOf } from './problem.ts'
import { traceId } from './trace.ts'

/** TLS as PEM texts. A client certificate is asked for on both planes: on the human one, to refuse it by name. */
export type TlsMaterial = { readonly key: string; readonly certificate: string; readonly clientCa: string }

export type ListenerParts = {
  readonly plane: Caller['plane']
  readonly broker: Broker
  readonly identifier: Identifier
  readonly metrics: Metrics
  /** Absent only on loopback. */
  readonly tls?: TlsMaterial
  /** What came with a request to say who calls; this is all that differs between the planes. */
  readonly evidence: (request: FastifyRequest) => Evidence
  /** Internal notes, for the operator's log. */
  readonly log: (line: Readonly<Record<string, unknown>>) => void
}

/** Time that identifying may take, in milliseconds. */
const identifyMs = 5_000

/** One listener of one plane with its operations. What is not declared is not found, and what is not an answer's field does not leave. */
export function createListener(parts: ListenerParts, routes: readonly Route[]): FastifyInstance {
  const app = fastify({
    bodyLimit: protocolLimits.bodyBytesMax,
    requestTimeout: 30_000,
    keepAliveTimeout: 65_000,
    routerOptions: { ignoreTrailingSlash: false, caseSensitive: true, maxParamLength: 128 },
    exposeHeadRoutes: false,
    serverFactory: (handler) => createServer(parts.tls, handler),
  })
  takeForms(app)
  app.decorateRequest('exchange', null)
  app.addHook('onResponse', async (request, reply) => {
    parts.metrics.answered({
      operation: request.routeOptions.config.operation ?? 'none',
      plane: parts.plane,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    })
  })
  app.setErrorHandler((thrown, request, reply) =>
    fail(parts, request, reply, fromFastify(thrown) ?? toFailure(thrown)),
  )
  app.setNotFoundHandler((request, reply) => {
    const known = routes.some(({ operation }) => pathOf(operation) === request.url.split('?')[0])
    const failure = known
      ? new Failure('method_not_allowed', 'This path does not take that method.')
      : new Failure('not_found', 'There is nothing at this path on this plane.')
    return fail(parts, request, reply, failure)
  })
  for (const route of routes) mount(app, parts, route)
  return app
}

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: string
  }
}

function createServer(
  tls: TlsMaterial | undefined,
  handler: Parameters<typeof createHttpServer>[1] & object,
) {
  const limits = { maxHeaderSize: protocolLimits.headerBytesMax }
  if (!tls) return createHttpServer(limits, handler)
  return createHttpsServer(
    {
      ...limits,
      key: tls.key,
      cert: tls.certificate,
      ca: tls.clientCa,
      requestCert: true,
      // Who is not trusted is refused by name and recorded, not by a broken handshake.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
    },
    handler,
  )
}

function mount(app: FastifyInstance, parts: ListenerParts, { operation, handle }: Route): void {
  const callers = new WeakMap<FastifyRequest, Caller>()
  app.route({
    method: operation.method,
    url: pathOf(operation),
    config: { operation: operation.id },
    // Before the body is read: nobody unknown makes us parse anything.
    ...(operation.access === 'identified'
      ? {
          onRequest: async (request: FastifyRequest) => {
            callers.set(request, await identify(parts, operation, request))
          },
        }
      : {}),
    handler: async (request, reply) =>
      send(reply, operation, await handle(exchangeOf(request, reply), callers.get(request))),
  })
}

function pathOf(operation: Operation): string {
  return operation.path.replaceAll(/\{([a-z_]+)\}/g, ':$1')
}

/** Proves who calls, or records that somebody was not let in and throws why. */
async function identify(
  parts: ListenerParts,
  operation: Operation,
  request: FastifyRequest,
): Promise<Caller> {
  const evidence = parts.evidence(request)
  const identified = await parts.identifier.identify(evidence, AbortSignal.timeout(identifyMs))
  if (identified.kind === 'identified') return identified.caller
  const requestId = requestIdOf(request)
  await parts.broker.recordRefusal(identified, { requestId, plane: parts.plane, scope: operation.id })
  throw new Failure(identified.code, identified.message)
}

function exchangeOf(request: FastifyRequest, reply: FastifyReply): Exchange {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Failure('shutting_down', 'The caller went away.'))
  })
  return {
    requestId: requestIdOf(request),
    parameters: request.params,
    query: request.query,
    body: request.body,
    headers: request.headers,
    signal: gone.signal,
  }
}

const requestIds = new WeakMap<FastifyRequest, string>()

/** The same id for the refusal, the entries and the problem of one request. */
function requestIdOf(request: FastifyRequest): string {
  const before = requestIds.get(request)
  if (before) return before
  const { traceparent } = request.headers
  const id = traceId(typeof traceparent === 'string' ? traceparent : undefined)
  requestIds.set(request, id)
  return id
}

function send(reply: FastifyReply, operation: Operation, answer: Reply): FastifyReply {
  reply.code(answer.status).headers({ 'cache-control': 'no-store', ...answer.headers })
  const declared = operation.answers[answer.status]
  if (answer.status === 403) return reply.type('application/problem+json').send(JSON.stringify(answer.value))
  if (!declared)
    throw new Failure('internal', 'The broker failed.', { internal: `undeclared status ${answer.status}` })
  reply.type(declared.type)
  if (answer.stream) return reply.send(Readable.from(answer.stream))
  if (answer.bytes) return reply.send(Buffer.from(answer.bytes))
  if (!declared.schema) return reply.send(answer.text ?? '')
  return reply.send(JSON.stringify(declared.schema.parse(answer.value)))
}

function fail(
  parts: ListenerParts,
  request: FastifyRequest,
  reply: FastifyReply,
  failure: Failure,
): FastifyReply {
  const requestId = requestIdOf(request)
  const problem = problemOf(failure, requestId)
  if (problem.status >= 500) {
    parts.log({
      level: 'error',
      code: failure.code,
      request_id: requestId,
      message: failure.message,
      internal: failure.internal,
    })
  }
  return reply
    .code(problem.status)
    .headers({ 'cache-control': 'no-store', ...problem.headers })
    .type('application/problem+json')
    .send(JSON.stringify(problem.body))
}

/** OAuth's endpoints take forms; a name that stands twice is refused (RFC 6749 §3.2). */
function takeForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      const fields = new URLSearchParams(String(body))
      const names = [...fields.keys()]
      if (new Set(names).size !== names.length) {
        done(new Failure('request_invalid', 'A form field stands more than once.'))
        return
      }
      done(null, Object.fromEntries(fields))
    },
  )
}
