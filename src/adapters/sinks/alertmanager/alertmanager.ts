import { randomBytes } from 'node:crypto'
import {
  type Alert,
  type DeliveringAlerter,
  type DeliveryWorld,
  deliverInBackground,
  type SendAlert,
} from '../../../broker/index.ts'
import type { AlertTarget } from '../../../contract/index.ts'
import { type RandomBytes, timestamp } from '../../../primitives/index.ts'

export type AlertmanagerTarget = Extract<AlertTarget, { kind: 'alertmanager' }>

/** Raises alerts in a Prometheus Alertmanager, by its API v2 (`POST /api/v2/alerts`). See `docs/alerts.md`. */
export function createAlertmanager(
  target: AlertmanagerTarget,
  world: Omit<DeliveryWorld, 'random'> & { random?: RandomBytes; fetch?: typeof fetch },
): DeliveringAlerter {
  const { random = randomBytes } = world
  const post = world.fetch ?? fetch
  const url = `${target.url.replace(/\/+$/, '')}/api/v2/alerts`
  const send = async (alert: Alert, signal: AbortSignal) => {
    const response = await post(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([postableAlert(alert)]),
      // A redirect is an answer of somebody who is not the Alertmanager.
      redirect: 'manual',
      signal,
    })
    await response.body?.cancel()
    return verdict(response.status)
  }
  return deliverInBackground(send, { ...world, random })
}

/** How long an alert stands when it is not raised again: nothing here knows when a person has mended the cause. */
const aliveMilliseconds = 3_600_000

function postableAlert({ name, severity, summary, labels, startsAt }: Alert) {
  return {
    labels: { ...promLabels(labels), alertname: name, severity },
    annotations: { summary },
    startsAt: timestamp(startsAt),
    endsAt: timestamp(startsAt + aliveMilliseconds),
  }
}

/** Alertmanager refuses the whole alert for one label name outside `[a-zA-Z_][a-zA-Z0-9_]*`. */
function promLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [name.replace(/^[0-9]|[^a-zA-Z0-9_]/g, '_'), value]),
  )
}

function verdict(status: number): Awaited<ReturnType<SendAlert>> {
  if (status >= 200 && status < 300) return 'delivered'
  if (status >= 500 || status === 408 || status === 429) throw new Error(`It answered ${status}.`)
  return { refused: `It answered ${status}.` }
}
