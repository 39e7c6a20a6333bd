import { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import type { Evidence, IdentityRefused } from '../../broker/index.ts'
import { Secret } from '../../primitives/index.ts'

/**
 * Everything that a request shows of its caller, for one plane; a refusal where a header does not show one thing. What belongs to the other
 * plane is gathered too: it is refused by name.
 */
export function evidenceOf(
  plane: Evidence['plane'],
  machineKeyHeader: string,
): (request: FastifyRequest) => Evidence | IdentityRefused {
  return (request) => {
    const [authorizations, keys] = ['authorization', machineKeyHeader.toLowerCase()].map((name) =>
      valuesOf(request, name),
    )
    if ((authorizations?.length ?? 0) > 1 || (keys?.length ?? 0) > 1) return twice
    const [authorization, key] = [authorizations?.[0], keys?.[0]]
    const token = authorization === undefined ? undefined : bearerToken(authorization)
    if (authorization !== undefined && token === undefined) return notBearer
    return {
      plane,
      ...certificateOf(request),
      ...(token === undefined ? {} : { bearer: new Secret(token) }),
      ...(key === undefined ? {} : { machineKey: new Secret(key) }),
    }
  }
}

const twice: IdentityRefused = {
  kind: 'refused',
  code: 'identity_ambiguous',
  message: 'A header that shows who calls stands more than once.',
}

/** Another scheme is refused by name: silence would look like no identity. */
const notBearer: IdentityRefused = {
  kind: 'refused',
  code: 'token_malformed',
  message: 'The Authorization header must be a Bearer token.',
}

/** Node joins or drops repeated headers; the raw ones tell whether a credential stood twice. */
function valuesOf({ raw: { rawHeaders } }: FastifyRequest, name: string): readonly string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name)
}

/** RFC 6750 §2.1. Attacker-controlled. */
function bearerToken(authorization: string): string | undefined {
  return /^Bearer +([^\s]+) *$/i.exec(authorization)?.[1]
}

/** The client certificate of this TLS session, with the TLS layer's own verdict about its chain. */
function certificateOf(request: FastifyRequest): Pick<Evidence, 'certificate'> {
  const { socket } = request.raw
  if (!(socket instanceof TLSSocket)) return {}
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return {}
  const reason = socket.authorizationError === null ? '' : String(socket.authorizationError)
  return { certificate: { der: certificate.raw, verified: socket.authorized, ...(reason ? { reason } : {}) } }
}
