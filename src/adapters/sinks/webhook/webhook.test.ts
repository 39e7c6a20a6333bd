import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { type Alert, alertLimits, type DeliveringAlerter } from '../../../broker/index.ts'
import { alerterConformance } from '../../../testing/alerter.ts'
import { createTestClock } from '../../../testing/clock.ts'
import { createWebhook } from './index.ts'

const document = z.strictObject({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string(),
  severity: z.string(),
  summary: z.string(),
  labels: z.record(z.string(), z.string()),
  starts_at: z.iso.datetime(),
})

alerterConformance('webhook', async () => {
  const server = await listen()
  return {
    alerter: createWebhook(target(server.url), { clock: createTestClock() }),
    received: async () => server.bodies.map((body) => document.parse(JSON.parse(body))),
    breakTarget: server.close,
  }
})

test('an alert is one JSON document of a stable shape', async (t) => {
  const server = await listen(t)
  const { alerter } = start(server.url)
  alerter.raise(alert)
  await until(alerter, 'delivered')
  const [body = ''] = server.bodies
  const { id, ...rest } = document.parse(JSON.parse(body))
  assert.deepEqual(rest, {
    version: 1,
    name: 'Credential Minting Failure',
    severity: 'critical',
    summary: 'The provider orders did not mint.',
    labels: { tenant: 'acme', service: 'orders' },
    starts_at: '2030-01-01T00:00:00.000Z',
  })
  assert.deepEqual(server.requests, ['POST /alerts application/json'])
  assert.equal(id.length, 64)
})

test('an alert that met a failing server is posted again with the same id', async (t) => {
  const statuses = [500, 503, 429, 408, 200]
  const server = await listen(t, (_, response) => response.writeHead(statuses.shift() ?? 200).end())
  const { alerter, clock } = start(server.url)
  alerter.raise(alert)
  for (let looks = 0; alerter.stats().waiting > 0 && looks < 1000; looks += 1) {
    await clock.advance(alertLimits.retryBaseMs / 10)
    await pause(1)
  }
  assert.equal(alerter.stats().delivered, 1)
  assert.equal(server.bodies.length, 5)
  assert.equal(new Set(server.bodies).size, 1)
})

for (const status of [301, 307, 400, 401, 404])
  test(`an answer of ${status} is final, and a redirect is not followed`, async (t) => {
    const elsewhere = await listen(t)
    const server = await listen(t, (_, response) =>
      response.writeHead(status, { location: elsewhere.url }).end('x'.repeat(100_000)),
    )
    const { alerter } = start(server.url)
    alerter.raise(alert)
    await until(alerter, 'failed')
    assert.equal(server.bodies.length, 1)
    assert.equal(elsewhere.bodies.length, 0)
  })

test('a target that is down is tried until the tries are over, and then the alert has failed', async (t) => {
  const server = await listen(t)
  await server.close()
  const { alerter, clock } = start(server.url)
  alerter.raise(alert)
  for (let looks = 0; alerter.stats().waiting > 0 && looks < 1000; looks += 1) {
    await clock.advance(alertLimits.retryCeilingMs)
    await pause(1)
  }
  assert.deepEqual(alerter.stats(), { delivered: 0, failed: 1, dropped: 0, repeated: 0, waiting: 0 })
})

test('a target that accepts and then says nothing is left after the timeout', async (t) => {
  let answers = 0
  const server = await listen(t, (_, response) => {
    answers += 1
    if (answers > 1) response.end()
  })
  const { alerter, clock } = start(server.url)
  alerter.raise(alert)
  for (let looks = 0; server.bodies.length < 1 && looks < 1000; looks += 1) await pause(1)
  await clock.advance(alertLimits.attemptMs + alertLimits.retryBaseMs)
  await until(alerter, 'delivered')
  assert.equal(server.bodies.length, 2)
})

const alert: Alert = {
  name: 'Credential Minting Failure',
  severity: 'critical',
  summary: 'The provider orders did not mint.',
  labels: { tenant: 'acme', service: 'orders' },
  startsAt: Date.UTC(2030, 0, 1),
}

function target(url: string) {
  return { kind: 'webhook', url, place: { line: 1, column: 1 } } as const
}

function start(url: string) {
  const clock = createTestClock()
  return { alerter: createWebhook(target(url), { clock }), clock }
}

async function until(alerter: DeliveringAlerter, what: 'delivered' | 'failed'): Promise<void> {
  for (let looks = 0; looks < 1000; looks += 1) {
    if (alerter.stats()[what] === 1) return
    await pause(5)
  }
  assert.fail(`the alert was not ${what}`)
}

async function listen(t?: TestContext, answer: RequestListener = (_, response) => void response.end()) {
  const bodies: string[] = []
  const requests: string[] = []
  const server = createServer(async (request, response) => {
    bodies.push(await text(request))
    requests.push(`${request.method} ${request.url} ${request.headers['content-type']}`)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const close = async () => {
    server.closeAllConnections()
    if (server.listening) await once(server.close(), 'close')
  }
  t?.after(close)
  return { url: `http://127.0.0.1:${address.port}/alerts`, bodies, requests, close }
}
