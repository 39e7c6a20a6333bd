import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { Failure } from '../primitives/index.ts'

/** An OpenID Connect issuer on loopback, so that the human plane can be tried without an account anywhere. For `sallyport dev` alone. */
export type DevIssuer = {
  readonly issuer: string
  /** A token of one person for so many seconds. */
  sign(claims: {
    readonly subject: string
    readonly audience: string
    readonly ttlSeconds: number
  }): Promise<string>
  stop(): Promise<void>
}

const algorithm = 'ES256'
const keyId = 'dev'

/** Port 0 takes a free one. Throws `option_invalid` when another one is taken. */
export async function startDevIssuer(port: number): Promise<DevIssuer> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm)
  const jwk = { ...(await exportJWK(publicKey)), kid: keyId, alg: algorithm, use: 'sig' }
  const server = createServer()
  const issuer = await listen(server, port)
  server.on('request', (request, response) => {
    const body = documents(issuer, jwk)[request.url ?? '']
    response
      .writeHead(body ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify(body ?? {}))
  })
  return {
    issuer,
    sign: (claims) => sign(issuer, privateKey, claims),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function documents(issuer: string, jwk: JWK): Readonly<Record<string, object>> {
  return {
    '/.well-known/openid-configuration': {
      issuer,
      jwks_uri: `${issuer}/jwks`,
      id_token_signing_alg_values_supported: [algorithm],
    },
    '/jwks': { keys: [jwk] },
  }
}

function sign(
  issuer: string,
  key: CryptoKey,
  claims: { subject: string; audience: string; ttlSeconds: number },
): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: algorithm, kid: keyId, typ: 'JWT' })
    .setIssuer(issuer)
    .setSubject(claims.subject)
    .setAudience(claims.audience)
    .setIssuedAt()
    .setExpirationTime(`${claims.ttlSeconds}s`)
    .sign(key)
}

function listen(server: Server, port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  server.once('error', (cause) => {
    const message = `The contract's issuer was at 127.0.0.1:${port}, where something else listens.`
    reject(
      new Failure('option_invalid', message, {
        cause,
        next: 'stop the other sallyport dev, or name another --dir',
      }),
    )
  })
  server.listen(port, '127.0.0.1', () => resolve(`http://127.0.0.1:${portOf(server.address())}`))
  return promise
}

function portOf(address: string | AddressInfo | null): number {
  return typeof address === 'object' && address ? address.port : 0
}
