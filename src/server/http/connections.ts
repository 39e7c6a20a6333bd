import { createServer as createHttpServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { Failure } from '../../primitives/index.ts'
import { protocolLimits } from '../../protocol/index.ts'
import { problemOf } from './problem.ts'
import { traceId } from './trace.ts'

/** TLS as PEM texts. A client certificate is asked for on both planes: on the human one, to refuse it by name. */
export type TlsMaterial = { readonly key: string; readonly certificate: string; readonly clientCa: string }

/** Every bound of a connection, by name. Times are milliseconds. */
export const connectionLimits = {
  /** One more is closed before its handshake. */
  connectionsMax: 4_096,
  handshakeMs: 10_000,
  /** From a request's first byte to the end of its headers, and of its body. */
  headersMs: 10_000,
  requestMs: 30_000,
  /** Between two requests. */
  keepAliveMs: 65_000,
  /** Without a byte in either direction, also while an answer is read. */
  idleMs: 120_000,
  /** What a sender has to read why its request is broken, and what a request may still need to arrive when the listener closes. */
  lingerMs: 1_000,
  /** What requests under way have when the listener closes. */
  drainMs: 25_000,
} as const

type Handler = Parameters<typeof createHttpServer>[1] & object

/** A server of one listener. Fastify sets no limit on a server that it did not make, so all of them are set here. */
export function createConnections(
  tls: TlsMaterial | undefined,
  handler: Handler,
  connectionsMax: number = connectionLimits.connectionsMax,
) {
  const options = {
    maxHeaderSize: protocolLimits.headerBytesMax,
    headersTimeout: connectionLimits.headersMs,
    requestTimeout: connectionLimits.requestMs,
    keepAliveTimeout: connectionLimits.keepAliveMs,
    connectionsCheckingInterval: connectionLimits.headersMs / 2,
    insecureHTTPParser: false,
    // Node would answer itself, without a problem document; the listener looks for the header instead.
    requireHostHeader: false,
  }
  const server = tls
    ? createHttpsServer({ ...options, ...tlsOptions(tls) }, handler)
    : createHttpServer(options, handler)
  server.maxConnections = connectionsMax
  // Headers past a number would be dropped in silence, and one of them may be the second proof; their bytes are bounded.
  server.maxHeadersCount = 0
  server.setTimeout(connectionLimits.idleMs)
  // An expectation other than 100-continue may be left unmet (RFC 9110 §10.1.1); Node would answer it without a problem and without a word to us.
  server.on('checkExpectation', handler)
  // Node would hang up on it. A tunnel is no request of this API, and the attempt is told like any other.
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy())
    server.emit('clientError', Object.assign(new Error('a tunnel'), { code: 'HPE_INVALID_METHOD' }), socket)
  })
  return server
}

function tlsOptions(tls: TlsMaterial) {
  return {
    key: tls.key,
    cert: tls.certificate,
    ca: tls.clientCa,
    requestCert: true,
    // Who is not trusted is refused by name and recorded, not by a broken handshake.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    handshakeTimeout: connectionLimits.handshakeMs,
  } as const
}

/** Answers what is no HTTP request (RFC 9112 §2.2) with a problem, which it gives, and closes the connection: what follows cannot be trusted. */
export function refuseBrokenRequest(
  error: Error & { readonly code?: string },
  socket: Socket,
): Failure | undefined {
  const failure = brokenRequest(error.code ?? '')
  if (!failure || !socket.writable) {
    // The rest of what was already refused, a reset, or a handshake that failed.
    if (!socket.writableEnded) socket.destroy(error)
    return undefined
  }
  const { status, body } = problemOf(failure, traceId(undefined))
  const text = JSON.stringify(body)
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(text)}`,
      'Cache-Control: no-store',
      'Connection: close',
      '',
      text,
    ].join('\r\n'),
  )
  // Closing at once would reset the connection before the answer is read.
  setTimeout(() => socket.destroy(), connectionLimits.lingerMs).unref()
  return failure
}

function brokenRequest(code: string): Failure | undefined {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Failure('request_too_large', 'The headers of the request are larger than 32 KiB.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Failure('request_invalid', 'The request did not arrive in time.')
  if (code.startsWith('HPE_')) return new Failure('request_invalid', 'This is not a request of HTTP/1.1.')
  return undefined
}

/** Requests that are under way on a server, and its end: Node itself waits for ever for whoever connected and sends nothing. */
export function createDrain(server: Server, drainMs: number) {
  // Not a number: some requests are refused before they are seen to begin.
  const underWay = new Set<object>()
  let closing = false
  const closeAllAfter = (milliseconds: number) => {
    // A server that never listened has no end to wait for, and nothing to hold the process for.
    const timer = setTimeout(() => server.closeAllConnections(), milliseconds).unref()
    server.once('close', () => clearTimeout(timer))
  }
  // What is only just arriving may still come to its end.
  const closeWhenIdle = () => {
    if (closing && underWay.size === 0) closeAllAfter(Math.min(connectionLimits.lingerMs, drainMs))
  }
  return {
    closing: () => closing,
    started(request: object) {
      underWay.add(request)
    },
    ended(request: object) {
      underWay.delete(request)
      closeWhenIdle()
    },
    begin() {
      closing = true
      closeAllAfter(drainMs)
      closeWhenIdle()
    },
  }
}
