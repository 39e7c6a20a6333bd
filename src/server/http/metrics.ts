import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Broker, Ledger, LedgerChange } from '../../broker/index.ts'

/** Prometheus metrics. No label names an agent, a tenant or a resource: their number has no bound. */
export interface Metrics {
  /** The ledger, counting what it records. */
  metered(ledger: Ledger): Ledger
  /** A gauge that is read when the text is asked for: a value for each value of its label. */
  watch(gauge: { name: string; help: string; label?: string; read: () => ReadonlyMap<string, number> }): void
  /** A counter that is kept elsewhere, and read when the text is asked for. */
  count<Label extends string>(counter: {
    name: string
    help: string
    labelNames: readonly Label[]
    read: () => readonly { readonly labels: Readonly<Record<Label, string>>; readonly value: number }[]
  }): void
  answered(answer: { operation: string; plane: string; status: number; seconds: number }): void
  /** The text exposition format, with the broker's gauges read now. */
  text(broker: Broker): Promise<string>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const entries = new Counter({
    name: 'sallyport_log_entries_total',
    help: 'Entries written, by event and outcome.',
    labelNames: ['event', 'outcome'],
    registers,
  })
  const unwritten = new Counter({
    name: 'sallyport_log_failures_total',
    help: 'Entries that could not be written.',
    registers,
  })
  const issued = new Counter({
    name: 'sallyport_credentials_issued_total',
    help: 'Credentials issued, by provider.',
    labelNames: ['provider'],
    registers,
  })
  const failed = new Counter({
    name: 'sallyport_mint_failures_total',
    help: 'Mints that failed, by provider and code.',
    labelNames: ['provider', 'code'],
    registers,
  })
  const denied = new Counter({
    name: 'sallyport_denials_total',
    help: 'Requests denied, by rule word.',
    labelNames: ['rule'],
    registers,
  })
  const refused = new Counter({
    name: 'sallyport_identity_refusals_total',
    help: 'Callers that were not let in, by plane and code.',
    labelNames: ['plane', 'code'],
    registers,
  })
  const mintSeconds = new Histogram({
    name: 'sallyport_mint_duration_seconds',
    help: 'From intent to mint, by provider.',
    labelNames: ['provider'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  })
  const requests = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Requests, by operation, plane and status.',
    labelNames: ['operation', 'plane', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  })
  const leases = new Gauge({
    name: 'sallyport_leases',
    help: 'Leases, by state.',
    labelNames: ['state'],
    registers,
  })
  const breakers = new Gauge({
    name: 'sallyport_provider_left_alone',
    help: '1 while a failing provider is left alone.',
    labelNames: ['provider'],
    registers,
  })
  const writable = new Gauge({
    name: 'sallyport_log_writable',
    help: '1 when the last write to the log worked.',
    registers,
  })

  const count = ({ entry }: LedgerChange): void => {
    entries.inc({
      event: entry.event,
      outcome: entry.event === 'credential_failed' ? 'failed' : entry.outcome,
    })
    const provider = entry.provider ?? ''
    const milliseconds = entry.detail?.['mint_ms']
    if (entry.event === 'credential_issued') issued.inc({ provider })
    if (entry.event === 'credential_issued' && typeof milliseconds === 'number')
      mintSeconds.observe({ provider }, milliseconds / 1000)
    if (entry.event === 'credential_failed') failed.inc({ provider, code: entry.outcome })
    if (entry.event === 'request_denied') denied.inc({ rule: entry.rule ?? '' })
    if (entry.event === 'identity_refused')
      refused.inc({ plane: entry.plane, code: entry.rule ?? '' }, Number(entry.detail?.['repeated'] ?? 1))
  }

  return {
    metered: (ledger) => ({
      writable: () => ledger.writable(),
      async record(change) {
        try {
          const receipt = await ledger.record(change)
          count(change)
          return receipt
        } catch (thrown) {
          unwritten.inc()
          throw thrown
        }
      },
    }),
    watch({ name, help, label, read }) {
      const labelNames = label === undefined ? [] : [label]
      const collect = () => {
        gauge.reset()
        for (const [word, value] of read()) gauge.set(label === undefined ? {} : { [label]: word }, value)
      }
      const gauge = new Gauge({ name, help, labelNames, registers, collect })
    },
    count({ name, help, labelNames, read }) {
      const collect = () => {
        counter.reset()
        for (const { labels, value } of read()) counter.inc(labels, value)
      }
      const counter = new Counter({ name, help, labelNames, registers, collect })
    },
    answered({ operation, plane, status, seconds }) {
      requests.observe({ operation, plane, status: String(status) }, seconds)
    },
    async text(broker) {
      const health = await broker.health()
      for (const [state, number] of Object.entries(health.leases)) leases.set({ state }, number)
      for (const [provider, state] of Object.entries(health.breakers))
        breakers.set({ provider }, state === 'closed' ? 0 : 1)
      writable.set(health.writable ? 1 : 0)
      return registry.metrics()
    },
  }
}
