import { createAlertmanager } from '../adapters/sinks/alertmanager/index.ts'
import { createWebhook } from '../adapters/sinks/webhook/index.ts'
import type { Alerter } from '../broker/index.ts'
import type { AlertTarget } from '../contract/index.ts'
import type { Clock } from '../primitives/index.ts'

/** Every alert to every target of the contract. */
export function createAlerter(
  targets: readonly AlertTarget[],
  clock: Clock,
): Alerter & { close(): Promise<void> } {
  const sinks = targets.map((target) =>
    target.kind === 'alertmanager' ? createAlertmanager(target, { clock }) : createWebhook(target, { clock }),
  )
  return {
    raise(alert) {
      for (const sink of sinks) sink.raise(alert)
    },
    async close() {
      await Promise.all(sinks.map((sink) => sink.close()))
    },
  }
}
