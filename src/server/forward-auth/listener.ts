import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Gatekeeper, identityHeaders, type ShownRequest, type Verdict } from '../../planes/index.ts'

/** Every bound of a connection, by name. Times are milliseconds. */
export const forwardAuthLimits = {
  headerBytesMax: 32 * 1024,
  connectionsMax: 4_096,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 65_000,
} as const

/**
 * The endpoint that a proxy asks about every request, at `/nginx`, `/traefik`, `/caddy` or below `/envoy`: each of them is told the original
 * request in its own way, and a client could forge the ways of the others. Nothing but a verdict that admits is ever answered with 2xx.
 */
export function createForwardAuth(options: {
  readonly gatekeeper: Gatekeeper
  /** Sees every verdict, with the path of the request and without its query. MUST NOT throw. */
  readonly observe?: (verdict: Verdict, request: { readonly method: string; readonly path: string }) => void
  /** In place of the limit of the same name. */
  readonly connectionsMax?: number
}): Server {
  const { gatekeeper, observe, connectionsMax = forwardAuthLimits.connectionsMax } = options
  const answer = (asked: ShownRequest, dialect: Dialect, response: ServerResponse, verdict: Verdict) => {
    observe?.(verdict, { method: asked.method, path: asked.target.replace(/\?.*/s, '') })
    writeVerdict(response, verdict, dialect)
  }
  const server = createServer(serverOptions, (request, response) => {
    const dialect = dialectOf(request.url ?? '')
    const asked = dialect?.read(request)
    if (!dialect || !asked) {
      // A proxy that does not say what it was asked for is set up wrongly; that is no request to judge.
      response.writeHead(dialect ? 500 : 404, fixedHeaders).end()
      return
    }
    const verdict = gatekeeper.judge(asked)
    if (verdict instanceof Promise) void verdict.then((known) => answer(asked, dialect, response, known))
    else answer(asked, dialect, response, verdict)
  })
  server.maxConnections = connectionsMax
  // Headers past a number would be dropped in silence, and one of them may be a second credential; their bytes are bounded.
  server.maxHeadersCount = 0
  return server
}

const serverOptions = {
  maxHeaderSize: forwardAuthLimits.headerBytesMax,
  headersTimeout: forwardAuthLimits.headersMs,
  requestTimeout: forwardAuthLimits.requestMs,
  keepAliveTimeout: forwardAuthLimits.keepAliveMs,
  insecureHTTPParser: false,
} as const

/** How one proxy tells what it was asked for, and what it can pass on of a refusal. */
type Dialect = {
  readonly read: (request: IncomingMessage) => ShownRequest | undefined
  readonly status: (status: number) => number
}

const relayed = (status: number) => status

const dialects: Readonly<Record<string, Dialect>> = {
  // `auth_request` knows 401 and 403 alone; the true status and body go in headers that its configuration reads.
  nginx: {
    read: fromHeaders('x-original-method', 'x-original-uri'),
    status: (status) => (status === 401 ? 401 : 403),
  },
  traefik: { read: fromHeaders('x-forwarded-method', 'x-forwarded-uri'), status: relayed },
  caddy: { read: fromHeaders('x-forwarded-method', 'x-forwarded-uri'), status: relayed },
  envoy: {
    read: ({ method = '', url = '', rawHeaders }) => ({
      method,
      target: url.slice('/envoy'.length),
      rawHeaders,
    }),
    status: relayed,
  },
}

/** Envoy puts its prefix before the path of the client; the others ask one address, with the client's query at most. */
function dialectOf(url: string): Dialect | undefined {
  if (url.startsWith('/envoy/')) return dialects['envoy']
  const query = url.indexOf('?')
  const name = url.slice(1, query < 0 ? undefined : query)
  return url.startsWith('/') && name !== 'envoy' && Object.hasOwn(dialects, name) ? dialects[name] : undefined
}

/** Each header must stand exactly once: a proxy that adds its own to the client's does not say which is which. */
function fromHeaders(methodHeader: string, targetHeader: string): Dialect['read'] {
  return ({ rawHeaders }) => {
    const [method, target] = [onlyValue(rawHeaders, methodHeader), onlyValue(rawHeaders, targetHeader)]
    return method === undefined || target === undefined ? undefined : { method, target, rawHeaders }
  }
}

function onlyValue(rawHeaders: readonly string[], name: string): string | undefined {
  let found: string | undefined
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const header = rawHeaders[at] ?? ''
    if (header.length !== name.length || header.toLowerCase() !== name) continue
    if (found !== undefined) return undefined
    found = rawHeaders[at + 1]
  }
  return found
}

function writeVerdict(response: ServerResponse, verdict: Verdict, dialect: Dialect): void {
  const identity = identityHeaders(verdict)
  if (verdict.kind === 'admitted') {
    response.writeHead(200, { ...fixedHeaders, ...identity }).end()
    return
  }
  const body = JSON.stringify(verdict.body)
  response
    .writeHead(dialect.status(verdict.status), {
      ...identity,
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-deny-status': verdict.status,
      'x-deny-body': body,
      ...(verdict.status === 401 && { 'www-authenticate': 'Bearer' }),
    })
    .end(body)
}

const fixedHeaders = { 'cache-control': 'no-store', 'content-length': 0 } as const
