import { randomBytes } from 'node:crypto'
import {
  type Alert,
  type DeliveringAlerter,
  type DeliveryWorld,
  deliverInBackground,
  type SendAlert,
} from '../../../broker/index.ts'
import type { AlertTarget } from '../../../contract/index.ts'
import { type RandomBytes, sha256Hex, timestamp } from '../../../primitives/index.ts'

export type WebhookTarget = Extract<AlertTarget, { kind: 'webhook' }>

/** Posts each alert as one JSON document; its shape is in `docs/alerts.md` and only grows. */
export function createWebhook(
  target: WebhookTarget,
  world: Omit<DeliveryWorld, 'random'> & { random?: RandomBytes; fetch?: typeof fetch },
): DeliveringAlerter {
  const { random = randomBytes } = world
  const post = world.fetch ?? fetch
  const send = async (alert: Alert, signal: AbortSignal) => {
    const response = await post(target.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(document(alert)),
      // Where it leads to was not written by the one who wrote the contract.
      redirect: 'manual',
      signal,
    })
    await response.body?.cancel()
    return verdict(response.status)
  }
  return deliverInBackground(send, { ...world, random })
}

function document({ name, severity, summary, labels, startsAt }: Alert) {
  const starts_at = timestamp(startsAt)
  // The same for every try of one alert, so that a receiver can tell a repetition.
  const id = sha256Hex(JSON.stringify([name, severity, Object.entries(labels).sort(), starts_at]))
  return { version: 1, id, name, severity, summary, labels, starts_at }
}

function verdict(status: number): Awaited<ReturnType<SendAlert>> {
  if (status >= 200 && status < 300) return 'delivered'
  if (status >= 500 || status === 408 || status === 429) throw new Error(`It answered ${status}.`)
  return { refused: `It answered ${status}.` }
}
