import { type Failure, isId, toFailure } from '../primitives/index.ts'
import { endLease } from './ending.ts'
import type { Lease } from './lease.ts'
import { brokerLimits } from './limits.ts'
import type { Provider } from './ports/index.ts'
import { withTimeout } from './retry.ts'
import { inParallel } from './revocation.ts'
import type { BrokerWorld } from './world.ts'

/** What one turn did: leases ended, endings still to be retried, orphans found, providers that could not be asked. */
export type Turn = {
  readonly ended: number
  readonly pending: number
  readonly orphans: number
  readonly unasked: readonly string[]
  /** Whether there is more that is due than one turn takes. */
  readonly more: boolean
}

/**
 * One turn: ends what is over, retries what would not end, and finds the orphans of crashes. An `intended` lease that this process is
 * not minting is an orphan of an earlier one; with `sweep`, what is planted at a provider and has no live lease is one too.
 */
export async function reconcile(
  world: BrokerWorld,
  options: { requestId: string; sweep: boolean },
): Promise<Turn> {
  const tally = { ended: 0, pending: 0, orphans: 0 }
  const due = await world.leases.due(world.clock.now(), brokerLimits.turnLeasesMax)
  await inParallel(
    due.filter((lease) => !world.minting.has(lease.id)),
    brokerLimits.turnConcurrency,
    async (lease) => {
      if (lease.state === 'intended') tally.orphans += 1
      const reason = lease.state === 'intended' ? 'orphaned' : (lease.endReason ?? 'expired')
      const { proof } = await endLease(world, lease, { reason, requestId: options.requestId })
      tally[proof === 'pending' ? 'pending' : 'ended'] += 1
    },
  )
  const unasked = options.sweep ? await sweep(world, options.requestId, tally) : []
  return { ...tally, unasked, more: due.length === brokerLimits.turnLeasesMax && tally.ended > 0 }
}

async function sweep(world: BrokerWorld, requestId: string, tally: { orphans: number }): Promise<string[]> {
  const unasked: string[] = []
  for (const [name, provider] of world.providers) {
    try {
      tally.orphans += await killPlanted(world, name, provider, requestId)
    } catch {
      unasked.push(name)
    }
  }
  return unasked
}

/** Revokes what stands at the provider although no lease explains it. */
async function killPlanted(
  world: BrokerWorld,
  name: string,
  provider: Provider,
  requestId: string,
): Promise<number> {
  const { planted } = provider
  if (!planted) return 0
  let killed = 0
  const ids = await bounded(world, (signal) => planted.call(provider, signal))
  for (const leaseId of ids.filter((id) => isId(id, 'lse'))) {
    const lease = await world.leases.find(leaseId)
    if (lease && explains(lease)) continue
    const outcome = await bounded(world, (signal) =>
      provider.revoke({ leaseId, handle: lease?.handle ?? '', providerNotAfter: world.clock.now() }, signal),
    ).then(
      () => 'killed',
      (thrown: unknown) => toFailure(thrown).code,
    )
    await world.ledger.record({
      entry: world.entries.ofBroker('orphan_found', { requestId, provider: name, leaseId, outcome }),
    })
    killed += 1
  }
  return killed
}

/** A lease that is on its way, live, or already being ended by the turn itself. */
function explains(lease: Lease): boolean {
  return lease.state === 'intended' || lease.state === 'live' || lease.state === 'ending'
}

function bounded<T>(world: BrokerWorld, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return withTimeout(world.clock, brokerLimits.endAttemptMs, new AbortController().signal, work)
}

/** Turns for ever, every second until the signal aborts; a failing turn is told and the next one comes all the same. */
export async function reconcileForEver(
  world: BrokerWorld,
  options: { signal: AbortSignal; newRequestId: () => string; onFailure: (failure: Failure) => void },
): Promise<void> {
  let sweptAt = Number.NEGATIVE_INFINITY
  while (!options.signal.aborted) {
    const sweepNow = world.clock.now() - sweptAt >= brokerLimits.plantedSweepMs
    if (sweepNow) sweptAt = world.clock.now()
    const more = await reconcile(world, { requestId: options.newRequestId(), sweep: sweepNow }).then(
      (turn) => turn.more,
      (thrown: unknown) => {
        options.onFailure(toFailure(thrown))
        return false
      },
    )
    if (!more) await world.clock.sleep(brokerLimits.turnPauseMs, options.signal).catch(() => undefined)
  }
}
