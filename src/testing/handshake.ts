import { connect, createServer } from 'node:tls'
import type { Evidence } from '../broker/index.ts'

type Pem = { readonly certPem: string; readonly keyPem: string }

/**
 * One TLS handshake on 127.0.0.1, and the client certificate as the listener saw it: asked for, checked against that authority, and
 * handed on with the verdict whatever it was. `undefined` when the client showed none.
 */
export async function handshake(parties: {
  /** Of the clients, as PEM. */
  readonly authority: string
  readonly listener: Pem
  /** Of the listener, as PEM; absent is the same one. */
  readonly listenerAuthority?: string
  readonly client?: Pem
}): Promise<Evidence['certificate']> {
  const { authority, listener, listenerAuthority = authority, client } = parties
  const seen = Promise.withResolvers<Evidence['certificate']>()
  const server = createServer(
    {
      cert: listener.certPem,
      key: listener.keyPem,
      ca: authority,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (socket) => {
      const der = socket.getPeerX509Certificate()?.raw
      const error: unknown = socket.authorizationError
      seen.resolve(der && { der, verified: socket.authorized, ...(error ? { reason: String(error) } : {}) })
      socket.end()
    },
  )
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The listener has no port.')
  const identity = client && { cert: client.certPem, key: client.keyPem }
  const socket = connect({ host: '127.0.0.1', port: address.port, ca: listenerAuthority, ...identity })
  socket.once('error', seen.reject)
  socket.resume()
  try {
    return await seen.promise
  } finally {
    socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
}
