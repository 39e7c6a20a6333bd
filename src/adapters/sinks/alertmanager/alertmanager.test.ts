import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Alert } from '../../../broker/index.ts'
import { createTestClock } from '../../../testing/clock.ts'
import { createAlertmanager } from './index.ts'

const alert: Alert = {
  name: 'Revocation Failing',
  severity: 'warning',
  summary: 'It could not be ended.',
  labels: { tenant: 'acme', 'lease-id': '7', '0th': 'x', alertname: 'forged', severity: 'none' },
  startsAt: Date.UTC(2030, 0, 1),
}

for (const base of ['', '/', '/prefix', '/prefix/'])
  test(`an alert is posted to API v2 under the base "${base}"`, async (t) => {
    const requests: unknown[] = []
    const server = createServer(async (request, response) => {
      requests.push([request.method, request.url, request.headers['content-type'], await json(request)])
      response.end('{}')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const address = server.address()
    assert.ok(address && typeof address === 'object')
    const url = `http://127.0.0.1:${address.port}${base}`
    const alerter = createAlertmanager(
      { kind: 'alertmanager', url, place: { line: 1, column: 1 } },
      { clock: createTestClock() },
    )
    alerter.raise(alert)
    for (let looks = 0; alerter.stats().delivered === 0 && looks < 1000; looks += 1) await pause(5)
    const expected = {
      labels: {
        tenant: 'acme',
        lease_id: '7',
        _th: 'x',
        alertname: 'Revocation Failing',
        severity: 'warning',
      },
      annotations: { summary: 'It could not be ended.' },
      startsAt: '2030-01-01T00:00:00.000Z',
      endsAt: '2030-01-01T01:00:00.000Z',
    }
    const path = `${base.replace(/\/$/, '')}/api/v2/alerts`
    assert.deepEqual(requests, [['POST', path, 'application/json', [expected]]])
  })

test('what the Alertmanager will never take has failed, what it cannot take now waits', async () => {
  const answers = new Map([
    [200, 'delivered'],
    [302, 'failed'],
    [400, 'failed'],
    [500, 'waiting'],
  ] as const)
  for (const [status, outcome] of answers) {
    const init: (RequestInit | undefined)[] = []
    const alerter = createAlertmanager(
      { kind: 'alertmanager', url: 'http://127.0.0.1:1', place: { line: 1, column: 1 } },
      {
        clock: createTestClock(),
        fetch: async (_, options) => {
          init.push(options)
          return new Response('{}', { status })
        },
      },
    )
    alerter.raise(alert)
    for (let looks = 0; init.length === 0 && looks < 100; looks += 1) await pause(1)
    await pause(1)
    assert.equal(alerter.stats()[outcome], 1, `${status}`)
    assert.equal(init[0]?.redirect, 'manual')
  }
})
