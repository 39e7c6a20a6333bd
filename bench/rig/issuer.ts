import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'

/** An issuer of platform tokens (ES256) on loopback. */
export type Issuer = {
  readonly url: string
  readonly publicKeyPem: string
  /** A token for this subject, valid for an hour. */
  token(subject: string): string
  stop(): Promise<void>
}

export async function startIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', use: 'sig', alg: 'ES256' }
  const server = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return {
    url,
    publicKeyPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    token(subject) {
      const iat = Math.floor(Date.now() / 1000)
      const claims = { iss: url, aud: 'sallyport', sub: subject, iat, exp: iat + 3600 }
      const signed = `${encode({ alg: 'ES256', typ: 'JWT', kid: 'bench' })}.${encode(claims)}`
      const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return `${signed}.${signature.toString('base64url')}`
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
