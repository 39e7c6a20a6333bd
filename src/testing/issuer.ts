import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { Provider } from 'oidc-provider'

/** The `aud` of every token that a test issuer gives. */
export const testAudience = 'sallyport'

/** How its key set answers: as it should, with a broken connection, or with something that must not be believed. */
export type KeySetManner = 'as it should' | 'broken' | 'an error' | 'garbage' | 'huge' | 'slow' | 'a redirect'

/** A real OpenID provider (`oidc-provider`) on this machine, and the power to sign what it never would. */
export interface TestIssuer {
  /** The `iss` of its tokens, and where its discovery document is. */
  readonly issuer: string
  readonly jwksUri: string
  /** How often the key set was asked for. */
  readonly keySetRequests: number
  /** An access token (RFC 9068, ES256, five minutes) that the provider itself issues to this subject. */
  token(subject: string): Promise<string>
  /** Signs these claims with its newest key; `header` and `claims` replace and add, and `undefined` takes away. */
  sign(claims: Claims, header?: Claims): string
  /** The newest public key as PEM, for attacks that use it as a shared secret. */
  publicKeyPem(): string
  /** The provider starts anew with a further key; the earlier ones stay published unless they are dropped. */
  rotate(earlier?: 'kept' | 'dropped'): void
  behave(manner: KeySetManner): void
  close(): Promise<void>
}

export type Claims = Readonly<Record<string, unknown>>

/** Starts on a free port of 127.0.0.1. `now` gives the time of signed claims, in milliseconds. */
export async function startTestIssuer(now: () => number = Date.now): Promise<TestIssuer> {
  const secret = randomBytes(16).toString('hex')
  let keys = [newKey()]
  let manner: KeySetManner = 'as it should'
  let keySetRequests = 0
  let provide: RequestListener = () => {}
  const server = createServer((request, response) => {
    if (request.url !== '/jwks') return provide(request, response)
    keySetRequests += 1
    return manner === 'as it should' ? provide(request, response) : misbehave(manner, response)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The test issuer has no port.')
  const issuer = `http://127.0.0.1:${address.port}`
  const start = () => {
    provide = createProvider({ issuer, secret, keys }).callback()
  }
  start()
  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    get keySetRequests() {
      return keySetRequests
    },
    token: (subject) => askForToken({ issuer, secret, subject }),
    sign: (claims, header = {}) => signToken({ key: newest(keys), issuer, now: now(), claims, header }),
    publicKeyPem: () => newest(keys).publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    rotate(earlier = 'kept') {
      keys = [newKey(), ...(earlier === 'kept' ? keys : [])]
      start()
    },
    behave(next) {
      manner = next
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A compact JWS with any header and claims. ES256 unless `alg` says otherwise; the signature is always made by that key. */
export function signCompact(header: Claims, claims: Claims, key: KeyObject): string {
  const part = (value: Claims) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part(header)}.${part(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

type SigningKey = { readonly keyId: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject }

function newKey(): SigningKey {
  return { keyId: randomUUID(), ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
}

function newest([first]: readonly SigningKey[]): SigningKey {
  if (!first) throw new Error('The test issuer has no key.')
  return first
}

function signToken(order: {
  key: SigningKey
  issuer: string
  now: number
  claims: Claims
  header: Claims
}): string {
  const now = Math.floor(order.now / 1000)
  const claims = { iss: order.issuer, aud: testAudience, sub: 'somebody', iat: now, exp: now + 300 }
  const header = { alg: 'ES256', typ: 'JWT', kid: order.key.keyId }
  return signCompact({ ...header, ...order.header }, { ...claims, ...order.claims }, order.key.privateKey)
}

const clientId = 'tester'

function createProvider({ issuer, secret, keys }: { issuer: string; secret: string; keys: SigningKey[] }) {
  const seconds = 300
  return new Provider(issuer, {
    adapter: VolatileAdapter,
    clients: [
      {
        client_id: clientId,
        client_secret: secret,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    cookies: { keys: [secret] },
    // The newest key signs: the provider takes the first that suits.
    jwks: {
      keys: keys.map(({ keyId, privateKey }) => ({
        ...privateKey.export({ format: 'jwk' }),
        kid: keyId,
        use: 'sig',
        alg: 'ES256',
      })),
    },
    ttl: { ClientCredentials: seconds },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:sallyport',
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          audience: testAudience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: seconds,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    formats: { customizers: { jwt: nameSubject } },
  })
}

// The only hook through which the provider lets the subject of such a token be chosen.
function nameSubject(
  context: { readonly req: { readonly headers: Readonly<Record<string, unknown>> } },
  _token: unknown,
  jwt: { readonly payload: Record<string, unknown> },
): void {
  jwt.payload['sub'] = context.req.headers['x-test-subject']
}

/** Keeps nothing: access tokens of this form are not looked up again, and the provider's own memory warns on every start. */
class VolatileAdapter {
  async upsert(): Promise<void> {}
  async find(): Promise<undefined> {}
  async consume(): Promise<void> {}
  async destroy(): Promise<void> {}
  async revokeByGrantId(): Promise<void> {}
}

async function askForToken(ask: { issuer: string; secret: string; subject: string }): Promise<string> {
  const response = await fetch(`${ask.issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${ask.secret}`).toString('base64')}`,
      'x-test-subject': ask.subject,
    },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
    signal: AbortSignal.timeout(10_000),
  })
  const answer: unknown = await response.json()
  if (typeof answer === 'object' && answer !== null && 'access_token' in answer)
    return String(answer.access_token)
  throw new Error(`The test issuer gave no token: ${JSON.stringify(answer)}`)
}

function misbehave(manner: Exclude<KeySetManner, 'as it should'>, response: ServerResponse): void {
  switch (manner) {
    case 'broken':
      response.destroy()
      return
    case 'an error':
      response.writeHead(503).end('{"keys":[]}')
      return
    case 'garbage':
      response.end('<html>not keys</html>')
      return
    case 'huge':
      response.end(`{"keys":[],"padding":"${'x'.repeat(1024 * 1024)}"}`)
      return
    case 'slow':
      void drip(response)
      return
    case 'a redirect':
      response.writeHead(302, { location: '/jwks-elsewhere' }).end()
  }
}

async function drip(response: ServerResponse): Promise<void> {
  while (!response.destroyed) {
    response.write(' ')
    await pause(20)
  }
}
