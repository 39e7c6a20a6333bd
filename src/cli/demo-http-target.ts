import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Client, createClient, type Issued } from '../../client/src/index.ts'
import { Failure } from '../primitives/index.ts'
import type { DemoTarget } from './demo-target.ts'
import type { Dev } from './dev.ts'

/** An HTTP service of orders that asks the broker about every token (RFC 7662) and takes it for its one scope and resource. */
export async function startServiceTarget(instead: string): Promise<DemoTarget> {
  const server = createServer()
  let broker: Client | undefined
  server.on('request', async (request, response) => {
    const status = broker ? await judge(broker, request).catch(() => 503) : 503
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ status }))
  })
  const base = await listen(server)
  const get = (path: string, issued: Issued) => ask(base, { method: 'GET', path, issued })
  return {
    instead,
    devOptions: {},
    denied: { service: 'orders-api', action: 'read-order', resource: 'invoice-1', duration: '5m' },
    allowed: { service: 'orders-api', action: 'read-order', resource: 'order-7', duration: '5m' },
    async open(dev) {
      broker = brokerOf(dev)
    },
    async use(issued) {
      return [
        ['used', `GET /orders/order-7: ${await expectStatus(get('/orders/order-7', issued), 200)}`],
        ['refused', `GET /orders/order-8: ${await expectStatus(get('/orders/order-8', issued), 403)}`],
        [
          'refused',
          `DELETE /orders/order-7: ${await expectStatus(ask(base, { method: 'DELETE', path: '/orders/order-7', issued }), 403)}`,
        ],
      ]
    },
    refusedAfterRevocation: async (issued) =>
      `GET /orders/order-7: ${await expectStatus(get('/orders/order-7', issued), 401)}`,
    close: async () => {
      broker?.close()
      server.closeAllConnections()
      server.close()
    },
  }
}

/** The service has its own identity at the broker; in a development folder that is the agent's. */
function brokerOf({ running, files }: Dev): Client {
  const [ca, certificate, key] = [files.ca, files.certificate, files.certificateKey].map((path) =>
    readFileSync(path, 'utf8'),
  )
  if (!ca || !certificate || !key) throw new Failure('internal', 'The development folder is not whole.')
  return createClient({ url: running.machineUrl, ca, identity: { kind: 'certificate', certificate, key } })
}

async function judge(broker: Client, request: IncomingMessage): Promise<number> {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1]
  const seen = token === undefined ? undefined : await broker.introspect(token)
  if (!seen?.active) return 401
  const allowed =
    request.method === 'GET' &&
    seen['scope'] === 'orders:read' &&
    request.url === `/orders/${seen['resource']}`
  return allowed ? 200 : 403
}

async function ask(base: string, call: { method: string; path: string; issued: Issued }): Promise<number> {
  const authorization = `Bearer ${call.issued.credential['access_token']}`
  const response = await fetch(new URL(call.path, base), {
    method: call.method,
    headers: { authorization },
    signal: AbortSignal.timeout(5_000),
  })
  await response.arrayBuffer()
  return response.status
}

async function expectStatus(answer: Promise<number>, wanted: number): Promise<number> {
  const status = await answer
  if (status === wanted) return status
  throw new Failure('internal', 'The demo did not go as promised.', {
    internal: `${status} instead of ${wanted}`,
  })
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${portOf(server.address())}`))
  })
}

function portOf(address: string | AddressInfo | null): number {
  return typeof address === 'object' && address ? address.port : 0
}
