import { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import type { Evidence } from '../../broker/index.ts'
import { Failure, Secret } from '../../primitives/index.ts'

/** The client certificate of this TLS session, with the TLS layer's own verdict about its chain. */
function certificateOf(request: FastifyRequest): Pick<Evidence, 'certificate'> {
  const { socket } = request.raw
  if (!(socket instanceof TLSSocket)) return {}
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return {}
  const reason = socket.authorizationError === null ? '' : String(socket.authorizationError)
  return { certificate: { der: certificate.raw, verified: socket.authorized, ...(reason ? { reason } : {}) } }
}

/** What stands behind `Authorization: Bearer` (RFC 6750 §2.1). Another scheme is refused: silence would look like no identity. */
function bearerOf(request: FastifyRequest): Pick<Evidence, 'bearer'> {
  const value = single(request, 'authorization')
  if (value === undefined) return {}
  const token = /^Bearer +([^\s]+) *$/i.exec(value)?.[1]
  if (token === undefined)
    throw new Failure('token_malformed', 'The Authorization header must be a Bearer token.')
  return { bearer: new Secret(token) }
}

function machineKeyOf(request: FastifyRequest, name: string): Pick<Evidence, 'machineKey'> {
  const value = single(request, name.toLowerCase())
  return value === undefined ? {} : { machineKey: new Secret(value) }
}

/** Node joins or drops repeated headers; the raw ones tell whether a credential stood twice. */
function single(request: FastifyRequest, name: string): string | undefined {
  const { rawHeaders } = request.raw
  const values = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name)
  if (values.length > 1) throw new Failure('identity_ambiguous', `The header ${name} stands more than once.`)
  return values[0]
}

/** Everything that a request shows of its caller, for one plane. What belongs to the other plane is gathered too: it is refused by name. */
export function evidenceOf(
  plane: Evidence['plane'],
  machineKeyHeader: string,
): (request: FastifyRequest) => Evidence {
  return (request) => ({
    plane,
    ...certificateOf(request),
    ...bearerOf(request),
    ...machineKeyOf(request, machineKeyHeader),
  })
}
