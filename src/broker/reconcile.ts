import { type Clock, Failure, isId, toFailure } from '../primitives/index.ts'
import { endAll, endLease, killOrphan } from './ending.ts'
import type { Lease } from './lease.ts'
import { brokerLimits } from './limits.ts'
import { inParallel } from './parallel.ts'
import type { MintedReference, Provider } from './ports/index.ts'
import { withTimeout } from './retry.ts'
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

type Tally = {
  ended: number
  pending: number
  orphans: number
  /** Endings that failed in a row, by provider. */
  readonly strikes: Map<string, number>
}

/**
 * One turn: tells of an outage of the log that is over, ends what is over, retries what would not end, and finds the orphans of
 * crashes. An `intended` lease that this process is not minting is an orphan of an earlier one; with `sweep`, what is planted at a
 * provider and has no live lease is one too. Everything is tried; then the first failure is thrown.
 */
export async function reconcile(
  world: BrokerWorld,
  options: { requestId: string; sweep: boolean },
): Promise<Turn> {
  const tally: Tally = { ended: 0, pending: 0, orphans: 0, strikes: new Map() }
  const troubles: unknown[] = []
  const trouble = (thrown: unknown) => {
    troubles.push(thrown)
  }
  await world.outage.end(options.requestId).catch(trouble)
  const due = await world.leases.due(world.clock.now(), brokerLimits.turnLeasesMax)
  await endAll(world, due, (lease) => endDue(world, lease, options.requestId, tally)).catch(trouble)
  const unasked = options.sweep ? await sweep(world, options.requestId, tally) : []
  if (troubles.length > 0) throw troubles[0]
  const { ended, pending, orphans } = tally
  return { ended, pending, orphans, unasked, more: due.length === brokerLimits.turnLeasesMax && ended > 0 }
}

async function endDue(world: BrokerWorld, lease: Lease, requestId: string, tally: Tally): Promise<void> {
  if (world.minting.has(lease.id)) return
  const isOrphan = lease.state === 'intended'
  // Asked after the look at what is being minted: one that was sealed in between is live, not an orphan.
  if (isOrphan && (await world.leases.find(lease.id))?.state !== 'intended') return
  if (isOrphan) tally.orphans += 1
  const reason = isOrphan ? 'orphaned' : (lease.endReason ?? 'expired')
  const strikes = tally.strikes.get(lease.provider) ?? 0
  const putOff = strikes >= brokerLimits.breakerFailures ? leftAlone(lease.provider) : undefined
  const { proof } = await endLease(world, lease, { reason, requestId, ...(putOff ? { putOff } : {}) })
  tally[proof === 'pending' ? 'pending' : 'ended'] += 1
  tally.strikes.set(lease.provider, proof === 'pending' ? (tally.strikes.get(lease.provider) ?? 0) + 1 : 0)
}

/** A provider that hangs must not keep the turn from the leases of the others. */
function leftAlone(provider: string): Failure {
  return new Failure('provider_circuit_open', `The provider ${provider} is left alone until the next try.`)
}

async function sweep(world: BrokerWorld, requestId: string, tally: Tally): Promise<string[]> {
  const unasked: string[] = []
  const sweepOne = async ([name, provider]: readonly [string, Provider]) => {
    try {
      tally.orphans += await killPlanted(world, name, provider, requestId)
    } catch {
      unasked.push(name)
    }
  }
  await Promise.all([...world.providers].map(sweepOne))
  return unasked
}

/** Revokes what stands at the provider although no lease explains it. */
async function killPlanted(
  world: BrokerWorld,
  name: string,
  provider: Provider,
  requestId: string,
): Promise<number> {
  // What cannot be revoked is over when its time is; finding it again each minute would help nobody.
  if (!provider.planted || provider.capabilities.revocation === 'none') return 0
  const suspects = await unexplained(world, await planted(world, provider))
  if (suspects.length === 0) return 0
  // One that was ended while the first list was on its way is not in a second one.
  const still = new Set(await planted(world, provider))
  const orphans = suspects.filter(({ leaseId }) => still.has(leaseId)).slice(0, brokerLimits.sweepOrphansMax)
  await inParallel(orphans, brokerLimits.turnConcurrency, (reference) =>
    killOrphan(world, provider, { name, reference, requestId }),
  )
  return orphans.length
}

function planted(world: BrokerWorld, provider: Provider): Promise<readonly string[]> {
  return withTimeout(
    world.clock,
    brokerLimits.endAttemptMs,
    new AbortController().signal,
    async (signal) => (await provider.planted?.(signal)) ?? [],
  )
}

/** Those of the broker's own ids whose lease is neither on its way nor live nor being ended by the turn itself. */
async function unexplained(world: BrokerWorld, ids: readonly string[]): Promise<MintedReference[]> {
  const suspects: MintedReference[] = []
  for (const leaseId of ids.filter((id) => isId(id, 'lse'))) {
    const lease = await world.leases.find(leaseId)
    if (!lease || lease.state === 'ended' || lease.state === 'failed')
      suspects.push({ leaseId, handle: lease?.handle ?? '', providerNotAfter: world.clock.now() })
  }
  return suspects
}

/** Turns for ever, every second until the signal aborts; a failing turn is told and the next one comes all the same. */
export async function turnForEver(
  turn: (options: { requestId: string; sweep: boolean }) => Promise<Turn>,
  clock: Clock,
  options: { signal: AbortSignal; newRequestId: () => string; onFailure: (failure: Failure) => void },
): Promise<void> {
  let sweptAt = Number.NEGATIVE_INFINITY
  while (!options.signal.aborted) {
    const sinceMs = clock.now() - sweptAt
    // A clock that was set back must not put the next sweep off.
    const sweep = sinceMs < 0 || sinceMs >= brokerLimits.plantedSweepMs
    if (sweep) sweptAt = clock.now()
    const more = await turn({ requestId: options.newRequestId(), sweep }).then(
      (done) => done.more,
      (thrown: unknown) => {
        options.onFailure(toFailure(thrown))
        return false
      },
    )
    if (!more) await clock.sleep(brokerLimits.turnPauseMs, options.signal).catch(() => undefined)
  }
}
