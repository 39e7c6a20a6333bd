import { createServer as createPlainServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'

/** A web server on 127.0.0.1 that answers with JSON documents. */
export interface DocumentServer extends AsyncDisposable {
  /** Such as `http://127.0.0.1:40001`. */
  readonly origin: string
  /** By path; may be changed while it runs. */
  readonly documents: Record<string, unknown>
  readonly requests: number
}

/** Starts on a free port; with `tls` it speaks https. */
export async function serveDocuments(
  documents: Readonly<Record<string, unknown>>,
  tls?: { readonly certPem: string; readonly keyPem: string },
): Promise<DocumentServer> {
  const served = { ...documents }
  let requests = 0
  const answer: RequestListener = (request, response) => {
    requests += 1
    const document = served[request.url ?? '']
    response.statusCode = document === undefined ? 404 : 200
    response.end(JSON.stringify(document ?? null))
  }
  const server = tls
    ? createTlsServer({ cert: tls.certPem, key: tls.keyPem }, answer)
    : createPlainServer(answer)
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The document server has no port.')
  return {
    origin: `http${tls ? 's' : ''}://127.0.0.1:${address.port}`,
    documents: served,
    get requests() {
      return requests
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
