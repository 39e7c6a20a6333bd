/**
 * What a broker is held against, as a server of its own: `node floor.ts ORDER` prints its port. Fastify as the broker has it; `crypto`
 * verifies the token of the request, signs one such answer, and does nothing else, with the fastest calls of `node:crypto`; `static` gives one answer to everything.
 */
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import fastify, { type FastifyRequest } from 'fastify'
import { ecdsaFromDer, ecdsaToDer } from '../../src/primitives/index.ts'

export type FloorOrder =
  | {
      readonly kind: 'crypto'
      readonly publicKeyPem: string
      readonly claims: Readonly<Record<string, unknown>>
    }
  | {
      readonly kind: 'static'
      readonly tls?: { readonly key: string; readonly cert: string; readonly ca: string }
    }

const order: FloorOrder = JSON.parse(process.argv[2] ?? '')
const tls = order.kind === 'static' ? order.tls : undefined
const app = fastify({
  bodyLimit: 16_384,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  serverFactory: (handler) =>
    tls
      ? createHttpsServer(
          { ...tls, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' },
          handler,
        )
      : createHttpServer(handler),
})
app.post('/v1/credentials', order.kind === 'crypto' ? verifyAndSign(order) : staticAnswer())
await app.listen({ host: '127.0.0.1', port: 0 })
const address = app.server.address()
console.log(typeof address === 'object' && address ? address.port : '')
process.once('SIGTERM', () => process.exit(0))

function staticAnswer() {
  const answer = { access_token: 'x'.repeat(600) }
  return async () => answer
}

function verifyAndSign({ publicKeyPem, claims }: FloorOrder & { kind: 'crypto' }) {
  const trusted = createPublicKey(publicKeyPem)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return async ({ headers }: FastifyRequest) => {
    const token = headers.authorization?.slice('Bearer '.length) ?? ''
    const end = token.lastIndexOf('.')
    const signature = ecdsaToDer(Buffer.from(token.slice(end + 1), 'base64url'))
    if (!verify('sha256', Buffer.from(token.slice(0, end)), trusted, signature))
      throw new Error('The token does not hold.')
    const signed = `${encode({ typ: 'at+jwt', alg: 'ES256', kid: 'floor' })}.${encode(claims)}`
    const own = ecdsaFromDer(sign('sha256', Buffer.from(signed), privateKey), 32)
    return { access_token: `${signed}.${own.toString('base64url')}` }
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
