import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { type AlerterSubject, alerterConformance, type ReceivedAlert } from '../../../testing/alerter.ts'
import { type ShownAlert, shownAlerts, startAlertmanager } from '../../../testing/alertmanager.ts'
import { createAlertmanager } from './index.ts'

const systemClock = {
  now: () => Date.now(),
  sleep: (milliseconds: number, signal: AbortSignal) => pause(milliseconds, undefined, { signal }),
}

// What its API shows, and what it hands on to a person: the second proves that the alert went all the way.
for (const view of ['its API', 'its own webhook receiver'] as const)
  alerterConformance(`a real Alertmanager, seen through ${view}`, () => startSubject(view))

async function startSubject(
  view: 'its API' | 'its own webhook receiver',
): Promise<AlerterSubject | { readonly skip: string }> {
  const receiver = await listenForNotices()
  const server = await startAlertmanager({ receiverUrl: receiver.url })
  if ('skip' in server) {
    receiver.close()
    return server
  }
  const alerter = createAlertmanager(
    { kind: 'alertmanager', url: server.url, place: { line: 1, column: 1 } },
    { clock: systemClock },
  )
  return {
    alerter,
    received: async () => (view === 'its API' ? (await server.alerts()).map(received) : receiver.notices),
    breakTarget: server.stop,
    async close() {
      await alerter.close()
      await server.stop()
      receiver.close()
    },
  }
}

function received({ labels, annotations }: ShownAlert): ReceivedAlert {
  const { alertname = '', severity = '', ...others } = labels
  return { name: alertname, severity, summary: annotations['summary'] ?? '', labels: others }
}

async function listenForNotices() {
  const notices: ReceivedAlert[] = []
  const server = createServer(async (request, response) => {
    notices.push(...shownAlerts(Object(await json(request)).alerts).map(received))
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${address.port}/`, notices, close }
}
