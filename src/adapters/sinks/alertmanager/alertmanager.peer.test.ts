import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { type AlerterSubject, alerterConformance, type ReceivedAlert } from '../../../testing/alerter.ts'
import { createAlertmanager } from './index.ts'

const systemClock = {
  now: () => Date.now(),
  sleep: (milliseconds: number, signal: AbortSignal) => pause(milliseconds, undefined, { signal }),
}

// What its API shows, and what it hands on to a person: the second proves that the alert went all the way.
for (const view of ['its API', 'its own webhook receiver'] as const)
  alerterConformance(`a real Alertmanager, seen through ${view}`, async () => {
    const program = findAlertmanager()
    if (program === undefined) return { skip: 'prometheus-alertmanager is not installed' }
    return startAlertmanager(program, view)
  })

function findAlertmanager(): string | undefined {
  const peers = join(process.env['SALLYPORT_PEERS'] ?? '.peers', 'bin')
  const places = [
    join(peers, 'alertmanager'),
    join(peers, 'prometheus-alertmanager'),
    '/usr/bin/prometheus-alertmanager',
  ]
  return places.find((path) => existsSync(path))
}

const shown = z.object({
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
})

async function startAlertmanager(
  program: string,
  view: 'its API' | 'its own webhook receiver',
): Promise<AlerterSubject> {
  const receiver = await listenForNotices()
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-alertmanager-'))
  const config = join(folder, 'config.yaml')
  writeFileSync(config, configText(receiver.url))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(
    program,
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  )
  const exited = once(child, 'exit')
  const stop = async () => {
    child.kill()
    await exited
  }
  await ready(`${url}/-/ready`)
  const alerter = createAlertmanager(
    { kind: 'alertmanager', url, place: { line: 1, column: 1 } },
    { clock: systemClock },
  )
  return {
    alerter,
    received: async () => (view === 'its API' ? readAlerts(url) : receiver.notices),
    breakTarget: stop,
    async close() {
      await alerter.close()
      if (child.exitCode === null && child.signalCode === null) await stop()
      receiver.close()
      rmSync(folder, { recursive: true })
    },
  }
}

function configText(receiverUrl: string): string {
  return `
route: { receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s }
receivers:
  - name: hook
    webhook_configs: [{ url: '${receiverUrl}', send_resolved: false }]
`
}

async function readAlerts(url: string): Promise<readonly ReceivedAlert[]> {
  const response = await fetch(`${url}/api/v2/alerts`, { signal: AbortSignal.timeout(5000) })
  return z
    .array(shown)
    .parse(await response.json())
    .map(received)
}

function received({ labels, annotations }: z.infer<typeof shown>): ReceivedAlert {
  const { alertname = '', severity = '', ...others } = labels
  return { name: alertname, severity, summary: annotations['summary'] ?? '', labels: others }
}

async function listenForNotices() {
  const notices: ReceivedAlert[] = []
  const notice = z.object({ alerts: z.array(shown) })
  const server = createServer(async (request, response) => {
    notices.push(...notice.parse(await json(request)).alerts.map(received))
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  await once(server.close(), 'close')
  return address.port
}

async function ready(url: string): Promise<void> {
  for (let looks = 0; looks < 100; looks += 1) {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) }).catch(() => undefined)
    if (response?.ok) return
    await pause(100)
  }
  assert.fail('Alertmanager did not become ready')
}
