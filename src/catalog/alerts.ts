import { createAlertmanager } from '../adapters/sinks/alertmanager/index.ts'
import { createWebhook } from '../adapters/sinks/webhook/index.ts'
import type { Alerter, AlertStats, LostAlert } from '../broker/index.ts'
import type { AlertTarget } from '../contract/index.ts'
import type { Clock } from '../primitives/index.ts'

/** Brings every alert to every target of the contract. */
export interface ContractAlerter extends Alerter {
  /** How it went, by the target's place in the contract, such as `alerts[0]`: its URL may be a secret. */
  stats(): ReadonlyMap<string, AlertStats>
  /** Waits shortly for what is under way; what comes later is dropped. */
  close(): Promise<void>
}

/** `note` takes a line of the operator's log for each alert that a target will not have, of the same one once a minute. */
export function createAlerter(
  targets: readonly AlertTarget[],
  { clock, note }: { clock: Clock; note: (line: Readonly<Record<string, unknown>>) => void },
): ContractAlerter {
  const sinks = targets.map((target, index) => {
    const name = `alerts[${index}]`
    const world = { clock, onLost: (lost: LostAlert) => note(lineOf(name, lost)) }
    const sink =
      target.kind === 'alertmanager' ? createAlertmanager(target, world) : createWebhook(target, world)
    return { name, sink }
  })
  return {
    raise(alert) {
      for (const { sink } of sinks) sink.raise(alert)
    },
    stats: () => new Map(sinks.map(({ name, sink }) => [name, sink.stats()])),
    async close() {
      await Promise.all(sinks.map(({ sink }) => sink.close()))
    },
  }
}

function lineOf(target: string, { alert, outcome, why }: LostAlert): Readonly<Record<string, unknown>> {
  return {
    level: 'error',
    message: `An alert did not reach its target (${outcome}).`,
    alert: alert.name,
    summary: alert.summary,
    target,
    internal: why,
  }
}
