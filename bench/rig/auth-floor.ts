/**
 * What the forward-auth endpoint is held against, as a server of its own: `node auth-floor.ts ORDER` prints its port. Node's own HTTP as the endpoint
 * has it; `verify` verifies the token of the request once, with the fastest calls of `node:crypto`, and answers; `static` answers.
 */
import { createPublicKey, verify } from 'node:crypto'
import { createServer } from 'node:http'
import { ecdsaToDer } from '../../src/primitives/index.ts'

export type AuthFloorOrder =
  | { readonly kind: 'verify'; readonly publicKeyPem: string }
  | { readonly kind: 'static' }

const order: AuthFloorOrder = JSON.parse(process.argv[2] ?? '')
const trusted = order.kind === 'verify' ? createPublicKey(order.publicKeyPem) : undefined
const answer = {
  'cache-control': 'no-store',
  'content-length': 0,
  'x-sallyport-plane': 'machine',
  'x-sallyport-subject': 'ci-runner',
}
const server = createServer({ keepAliveTimeout: 65_000 }, ({ headers }, response) => {
  response.writeHead(trusted === undefined || holds(headers.authorization ?? '') ? 200 : 401, answer).end()
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(typeof address === 'object' && address ? address.port : '')
})
process.once('SIGTERM', () => process.exit(0))

function holds(authorization: string): boolean {
  const token = authorization.slice('Bearer '.length)
  const end = token.lastIndexOf('.')
  const signature = ecdsaToDer(Buffer.from(token.slice(end + 1), 'base64url'))
  return trusted !== undefined && verify('sha256', Buffer.from(token.slice(0, end)), trusted, signature)
}
