import type { Lease } from './lease.ts'
import { brokerLimits } from './limits.ts'
import type { Job } from './mint.ts'
import type { EntryDraft, EntryReceipt } from './ports/index.ts'
import type { BrokerWorld } from './world.ts'

/** Written before minting: a crash can leave a lease without a credential, never a credential without a lease. */
export function intend(world: BrokerWorld, job: Job): Promise<EntryReceipt> {
  const { lease } = job
  const entry = world.entries.ofLease('credential_intended', lease, {
    requestId: lease.requestId,
    decision: 'allow',
    outcome: 'intended',
    detail: intentOf(job),
  })
  return world.ledger.record({ entry, lease, unhurried: hasSiblings(world, lease) })
}

/** Who asked, how that was proven, and what for in the caller's own words. */
export function intentOf({ command: { caller, request } }: Job): NonNullable<EntryDraft['detail']> {
  const purpose = request.purpose?.slice(0, brokerLimits.purposeCharactersMax)
  return {
    identified_by: caller.method,
    subject: caller.subject,
    ...(purpose ? { purpose } : {}),
    // Decided upon already, so it is one of the contract's.
    ...(request.reference === undefined ? {} : { credential_ref: request.reference }),
  }
}

/** Whether so many others are being minted at its provider that entries of theirs come any moment. */
export function hasSiblings(world: BrokerWorld, { provider }: Lease): boolean {
  return (world.bulkheads.get(provider)?.size() ?? 0) >= brokerLimits.siblingsMin
}
