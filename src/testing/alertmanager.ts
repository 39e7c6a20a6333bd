import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from './free-port.ts'

/** A real Prometheus Alertmanager that a test started. */
export type Alertmanager = {
  readonly url: string
  /** What `GET /api/v2/alerts` shows now. */
  alerts(): Promise<readonly ShownAlert[]>
  stop(): Promise<void>
}

/** An alert as Alertmanager shows it, in its API and to its receivers. */
export type ShownAlert = {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

const root = resolve(import.meta.dirname, '../..')
const readyLooksMax = 100

/** Starts one on a free loopback port; `receiverUrl` is where its webhook receiver posts. `skip` says why when it is not installed. */
export async function startAlertmanager(options: {
  readonly receiverUrl: string
}): Promise<Alertmanager | { readonly skip: string }> {
  const program = findAlertmanager()
  if (program === undefined) return { skip: 'prometheus-alertmanager is not installed' }
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-alertmanager-'))
  const config = join(folder, 'config.yaml')
  writeFileSync(config, configText(options.receiverUrl))
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn(
    program,
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  )
  const exited = once(child, 'exit')
  const url = `http://${address}`
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill()
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
  if (!(await isReady(`${url}/-/ready`))) {
    await stop()
    throw new Error('Alertmanager did not become ready.')
  }
  return { url, alerts: () => readAlerts(url), stop }
}

function findAlertmanager(): string | undefined {
  const peers = resolve(root, process.env['SALLYPORT_PEERS'] ?? '.peers', 'bin')
  const places = [
    join(peers, 'alertmanager'),
    join(peers, 'prometheus-alertmanager'),
    '/usr/bin/prometheus-alertmanager',
  ]
  return places.find((path) => existsSync(path))
}

function configText(receiverUrl: string): string {
  return `
route: { receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s }
receivers:
  - name: hook
    webhook_configs: [{ url: '${receiverUrl}', send_resolved: false }]
`
}

async function readAlerts(url: string): Promise<readonly ShownAlert[]> {
  const response = await fetch(`${url}/api/v2/alerts`, { signal: AbortSignal.timeout(5000) })
  return shownAlerts(await response.json())
}

/** Reads a list of alerts, from the API or from what a webhook receiver was posted. */
export function shownAlerts(document: unknown): readonly ShownAlert[] {
  if (!Array.isArray(document)) throw new Error(`No list of alerts: ${JSON.stringify(document)}`)
  return document.map((alert: unknown) => ({
    labels: texts(field(alert, 'labels')),
    annotations: texts(field(alert, 'annotations')),
  }))
}

function field(value: unknown, name: string): unknown {
  return Object.entries(Object(value)).find(([key]) => key === name)?.[1]
}

function texts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(Object(value)).map(([name, one]) => [name, String(one)]))
}

async function isReady(url: string): Promise<boolean> {
  for (let looks = 0; looks < readyLooksMax; looks += 1) {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) }).catch(() => undefined)
    if (response?.ok) return true
    await pause(100)
  }
  return false
}
