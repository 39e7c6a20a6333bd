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
  const machineKeyName = machineKeyHeader.toLowerCase()
  return (request) => {
    const [authorization, ...authorizations] = rawHeader(request, 'authorization')
    const [key, ...keys] = rawHeader(request, machineKeyName)
    if (authorizations.length > 0 || keys.length > 0) return twice
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

/** Every value of a header, by its name in lower case. Node joins or drops repeated ones; the raw ones tell whether one stood twice. */
export function rawHeader({ raw: { rawHeaders } }: FastifyRequest, name: string): readonly string[] {
  const values: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const header = rawHeaders[at] ?? ''
    if (header.length === name.length && header.toLowerCase() === name) values.push(rawHeaders[at + 1] ?? '')
  }
  return values
}

/** RFC 6750 §2.1. Attacker-controlled. */
function bearerToken(authorization: string): string | undefined {
  return /^Bearer +([^\s]+) *$/i.exec(authorization)?.[1]
}

const certificates = new WeakMap<TLSSocket, Pick<Evidence, 'certificate'>>()

/** The client certificate of this TLS session, with the TLS layer's own verdict about its chain. A session keeps both (RFC 8446 §4.6.2). */
function certificateOf(request: FastifyRequest): Pick<Evidence, 'certificate'> {
  const { socket } = request.raw
  if (!(socket instanceof TLSSocket)) return {}
  const known = certificates.get(socket) ?? readCertificate(socket)
  certificates.set(socket, known)
  return known
}

function readCertificate(socket: TLSSocket): Pick<Evidence, 'certificate'> {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return {}
  const reason = socket.authorizationError === null ? '' : String(socket.authorizationError)
  return { certificate: { der: certificate.raw, verified: socket.authorized, ...(reason ? { reason } : {}) } }
}
