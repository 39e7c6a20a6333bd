import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { z } from 'zod'
import { type Running, seedRequest, sendRaw, startRunning } from '../../../test/running.ts'
import { connectionLimits } from './connections.ts'
import { credentialRoutes } from './credentials.ts'
import { evidenceOf } from './evidence.ts'
import { createListener } from './listener.ts'
import { createMetrics } from './metrics.ts'

const running = await startRunning()
after(() => running.close())
const { machines, people, fake } = running
const agent = { certificate: machines['agent-7'].certificate }
const vault = { service: 'vault', action: 'read', resource: 'acme/slow' }

function dial(url: string, options: ConnectionOptions = {}): TLSSocket {
  const { hostname, port } = new URL(url)
  return connect({ host: hostname, port: Number(port), ca: running.tls.clientCa, ...options })
}

/** Asks again until the answer is the wanted one; the test's own time is the bound. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await pause(5)
}

describe('TLS', () => {
  for (const plane of ['machine', 'human'] as const) {
    const url = running.broker[`${plane}Url`]
    test(`${plane}: 1.3 alone, HTTP/1.1 alone, and a client certificate of the one CA is asked for`, async () => {
      const socket = dial(url, { ALPNProtocols: ['h2', 'http/1.1'] })
      await once(socket, 'secureConnect')
      assert.deepEqual(
        [socket.getProtocol(), socket.alpnProtocol, socket.authorized],
        ['TLSv1.3', 'http/1.1', true],
      )
      socket.destroy()
      const older = dial(url, { maxVersion: 'TLSv1.2' })
      const [error] = await once(older, 'error')
      assert.match(String(error), /protocol version|alert/)
    })
  }

  test('a certificate of nobody’s authority is no broken handshake but a refusal by name', async () => {
    const answer = await running.human({ path: '/v1/leases', as: { ...agent, ...people.dana } })
    assert.equal(answer.json['code'], 'identity_ambiguous')
  })

  test('plain HTTP on the port of TLS is closed', async () => {
    const { createConnection } = await import('node:net')
    const { port } = new URL(running.broker.machineUrl)
    const socket = createConnection(Number(port), '127.0.0.1')
    socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
    let seen = ''
    socket.on('data', (piece) => {
      seen += piece
    })
    await once(socket, 'close')
    assert.ok(!seen.includes('ok'), seen)
  })
})

test('a server has every limit that it is to have, although Fastify did not make it', () => {
  const { server } = listenerOf(running, 1_000)
  assert.deepEqual(
    [
      server.requestTimeout,
      server.headersTimeout,
      server.keepAliveTimeout,
      server.timeout,
      server.maxConnections,
    ],
    [
      connectionLimits.requestMs,
      connectionLimits.headersMs,
      connectionLimits.keepAliveMs,
      connectionLimits.idleMs,
      connectionLimits.connectionsMax,
    ],
  )
  assert.equal(server.maxHeadersCount, 0)
})

describe('a caller that goes away before the answer', () => {
  const leaving = async (step: Parameters<typeof fake.enqueue>[0], headers = {}) => {
    fake.enqueue(step)
    const before = fake.orders.length
    const gone = new AbortController()
    const asked = running.machine({
      method: 'POST',
      path: '/v1/credentials',
      headers,
      body: vault,
      as: agent,
      signal: gone.signal,
    })
    await until(() => fake.orders.length > before)
    gone.abort()
    await assert.rejects(asked)
    return fake.orders[before]?.leaseId ?? ''
  }
  const stateOf = async (lease: string) =>
    (await running.machine({ path: `/v1/leases/${lease}`, as: agent })).json['state']

  test('leaves no live lease behind, wherever the provider was', { timeout: 20_000 }, async () => {
    for (const mint of [
      { kind: 'wait', milliseconds: 150 },
      { kind: 'hang' },
      { kind: 'drop-and-hang' },
    ] as const) {
      const lease = await leaving({ mint: [mint] })
      await until(async () => ['ended', 'failed'].includes(String(await stateOf(lease))))
      assert.ok(!fake.live.has(lease), `${mint.kind}: the credential lives on`)
    }
  })

  test('nor when only the seal was missing', { timeout: 20_000 }, async () => {
    fake.enqueue({ mint: [{ kind: 'wait', milliseconds: 50 }] })
    const before = fake.orders.length
    const gone = new AbortController()
    const request = { method: 'POST', path: '/v1/credentials', body: vault, as: agent, signal: gone.signal }
    const asked = running.machine(request)
    await until(() => fake.orders.length > before)
    running.setStore('held')
    await until(() => running.heldCommits() > 0)
    gone.abort()
    await assert.rejects(asked)
    await pause(50)
    running.setStore('whole')
    const lease = fake.orders[before]?.leaseId ?? ''
    await until(async () => (await stateOf(lease)) === 'ended')
    assert.ok(!fake.live.has(lease))
  })

  test('and can ask again under its key for what it did not get', { timeout: 20_000 }, async () => {
    const headers = { 'idempotency-key': 'asked-again' }
    const lease = await leaving({ mint: [{ kind: 'wait', milliseconds: 150 }] }, headers)
    const again = await running.machine({
      method: 'POST',
      path: '/v1/credentials',
      headers,
      body: vault,
      as: agent,
    })
    const told = z
      .looseObject({ code: z.string().optional(), lease_id: z.string().optional() })
      .parse(again.json)
    // Either the mint went on for the key, or it was given up with its caller; never are there two.
    if (again.status === 201) assert.ok(told.lease_id === lease || !fake.live.has(lease))
    else await until(() => !fake.live.has(lease))
  })

  test('in the middle of its own request costs no error in the operator’s log', async () => {
    const notes = running.notes.length
    const socket = dial(running.broker.machineUrl)
    socket.write(
      `POST /v1/credentials HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\nX-AOS-Key: ${machines['agent-7'].machineKey}\r\n\r\n{"service"`,
    )
    await once(socket, 'secureConnect')
    await until(async () => {
      socket.destroy()
      return socket.destroyed
    })
    assert.equal((await running.machine({ path: '/livez' })).status, 200)
    assert.deepEqual(running.notes.slice(notes), [])
  })
})

/** A further listener of the same broker, to be closed. */
function listenerOf(world: Running, drainMs: number) {
  const { broker, identifier } = world.broker.assembled
  const evidence = evidenceOf('human', broker.contract.machineKeyHeader)
  const metrics = createMetrics()
  return createListener(
    { plane: 'human', broker, identifier, evidence, metrics, log: () => {}, tls: world.tls, drainMs },
    credentialRoutes(broker, Date.now),
  )
}

describe('when a listener closes', () => {
  const open = async (drainMs: number) => {
    const app = listenerOf(running, drainMs)
    const url = (await app.listen({ host: '127.0.0.1', port: 0 })).replace('http:', 'https:')
    return { app, url }
  }
  const credentialRequest = (body: object, connection: string) => {
    const text = JSON.stringify(body)
    return `POST /v1/credentials HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\nAuthorization: Bearer ${people.dana.bearer}\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`
  }

  test('requests under way come to their end, and no connection is left', { timeout: 20_000 }, async () => {
    const { app, url } = await open(20_000)
    fake.enqueue({ mint: [{ kind: 'wait', milliseconds: 200 }] })
    const before = fake.orders.length
    const asked = sendRaw({ url, ca: running.tls.clientCa }, credentialRequest(vault, 'keep-alive'))
    const idle = dial(url)
    await once(idle, 'secureConnect')
    await until(() => fake.orders.length > before)
    await app.close()
    assert.match(await asked, /^HTTP\/1\.1 201 /)
    assert.equal(app.server.listening, false)
    idle.destroy()
  })

  test('a request behind one that is under way is told to go elsewhere', { timeout: 20_000 }, async () => {
    const { app, url } = await open(20_000)
    fake.enqueue({ mint: [{ kind: 'wait', milliseconds: 200 }] })
    const before = fake.orders.length
    const socket = dial(url)
    const pieces: Buffer[] = []
    socket.on('data', (piece) => pieces.push(piece))
    socket.write(credentialRequest(vault, 'keep-alive'))
    await until(() => fake.orders.length > before)
    const closing = app.close()
    await pause(20)
    socket.write(credentialRequest(seedRequest, 'close'))
    await Promise.all([closing, once(socket, 'close')])
    const [one, other] = Buffer.concat(pieces)
      .toString()
      .split(/(?=HTTP\/1\.1 )/)
    assert.match(String(one), /^HTTP\/1\.1 201 /)
    // Node may also close the connection instead of reading the second one.
    if (other !== undefined) assert.match(other, /^HTTP\/1\.1 503 .*"code":"shutting_down"/s)
  })

  test('one that never sends the rest of its request does not hold it up', { timeout: 20_000 }, async () => {
    const { app, url } = await open(100)
    const slow = dial(url)
    slow.write('GET /livez HTTP/1.1\r\nHost: x\r\nA: ')
    await once(slow, 'secureConnect')
    await pause(50)
    const closed = once(slow, 'close')
    await app.close()
    await closed
  })
})
