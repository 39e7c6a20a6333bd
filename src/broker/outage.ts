import { toFailure } from '../primitives/index.ts'
import type { EntryWriter } from './entry.ts'
import { brokerLimits } from './limits.ts'
import type { Ledger } from './ports/index.ts'
import type { BrokerParts } from './world.ts'

/** A time in which the log cannot be written. */
export type Outage = {
  /** Tries to write that it is over; throws `log_unwritable` while it is not. Without an outage it does nothing. */
  end(requestId: string): Promise<void>
  /** Whether this lease's credential was killed in this outage already. */
  hasKilled(leaseId: string): boolean
  killed(leaseId: string): void
}

/** The ledger, with a person called when it cannot be written; and the outage that this begins. */
export function watchLedger(
  { ledger, alerter, clock, mode }: Pick<BrokerParts, 'ledger' | 'alerter' | 'clock' | 'mode'>,
  entries: EntryWriter,
): { readonly ledger: Ledger; readonly outage: Outage } {
  let refusedChanges = 0
  const killed = new Set<string>()

  const watched: Ledger = {
    writable: () => ledger.writable(),
    async record(change) {
      try {
        return await ledger.record(change)
      } catch (thrown) {
        if (toFailure(thrown).code === 'log_unwritable') notice()
        throw thrown
      }
    },
  }
  const notice = () => {
    refusedChanges += 1
    alerter.raise({
      name: 'Audit Log Unwritable',
      severity: 'critical',
      summary:
        'The audit log cannot be written. Nothing is issued until it can; it is tried again and again.',
      labels: { mode: mode.name },
      startsAt: clock.now(),
    })
  }
  const outage: Outage = {
    async end(requestId) {
      if (ledger.writable()) killed.clear()
      if (refusedChanges === 0) return
      const detail = { refused_changes: refusedChanges }
      await ledger.record({
        entry: entries.ofBroker('log_writable_again', { requestId, outcome: 'writable', detail }),
      })
      refusedChanges = 0
      killed.clear()
    },
    hasKilled: (leaseId) => killed.has(leaseId),
    killed(leaseId) {
      if (killed.size < brokerLimits.keepsakesMax) killed.add(leaseId)
    },
  }
  return { ledger: watched, outage }
}
