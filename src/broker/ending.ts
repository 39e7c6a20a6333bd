import { Failure, timestamp, toFailure } from '../primitives/index.ts'
import type { EndReason, Lease } from './lease.ts'
import { brokerLimits } from './limits.ts'
import { inParallel } from './parallel.ts'
import type { Caller, MintedReference, Probe, Provider } from './ports/index.ts'
import { fraction, withTimeout } from './retry.ts'
import type { BrokerWorld, Minting } from './world.ts'

export type EndCause = {
  readonly reason: EndReason
  readonly requestId: string
  readonly by?: Caller
  /** Why the provider is not asked now, although the lease is to end; it is put off like an ending that failed. */
  readonly putOff?: Failure
}

/** How a lease stands after an attempt to end it. */
export type Ended = {
  readonly lease: Lease
  /** `refused`: the dead credential was tried and refused · `unproven`: it is over but could not be tried · `pending`: it is retried for ever. */
  readonly proof: 'refused' | 'unproven' | 'pending'
}

/** Ends a lease at its provider and proves it where it can. Safe to repeat; a second call joins the first. Throws only what the ledger throws. */
export function endLease(world: BrokerWorld, lease: Lease, cause: EndCause): Promise<Ended> {
  const joined = world.endings.get(lease.id)
  if (joined) return joined
  const minting = world.minting.get(lease.id)
  if (minting) return endUnborn(world, lease, cause, minting)
  const ending = end(world, lease, cause).finally(() => world.endings.delete(lease.id))
  world.endings.set(lease.id, ending)
  return ending
}

/** What is being minted is stopped, and never leaves; it is ended as soon as it is known what there is to end. */
async function endUnborn(
  world: BrokerWorld,
  lease: Lease,
  cause: EndCause,
  minting: Minting,
): Promise<Ended> {
  minting.cause ??= cause
  minting.stop.abort(revokedWhileMinting())
  await minting.over
  return endLease(world, lease, cause)
}

/** The answer to who asked for a credential whose lease was ended before it could be released. */
export function revokedWhileMinting(): Failure {
  return new Failure(
    'lease_revoked',
    'The lease was revoked while it was being minted. Nothing was released.',
  )
}

async function end(world: BrokerWorld, before: Lease, cause: EndCause): Promise<Ended> {
  // The store is asked again: what was listed a moment ago may have ended since.
  const lease = (await world.leases.find(before.id)) ?? before
  if (lease.state === 'ended' || lease.state === 'failed')
    return { lease, proof: lease.refusedAt ? 'refused' : 'unproven' }
  const provider = world.providers.get(lease.provider)
  if (endsHere(world, lease)) return conclude(world, lease, cause, 'unproven')
  const ending =
    lease.state === 'ending'
      ? lease
      : await startEnding(world, lease, cause).catch((thrown: unknown) =>
          killUnrecorded(world, lease, provider, thrown),
        )
  if (!provider) return postpone(world, ending, cause, providerGone(lease))
  if (cause.putOff) return postpone(world, ending, cause, cause.putOff)
  try {
    await revokeOnce(world, provider, ending)
  } catch (thrown) {
    return postpone(world, ending, cause, toFailure(thrown))
  }
  return prove(world, ending, cause, provider)
}

/** Whether nobody outside has to be told: the credential is over by itself, or the lease is all there ever was of it beside the token. */
function endsHere(world: BrokerWorld, lease: Lease): boolean {
  const capabilities = world.providers.get(lease.provider)?.capabilities
  if (!capabilities?.endsByItself || lease.state === 'intended') return false
  return capabilities.mintsLocally === true || world.clock.now() >= lease.expiresAt
}

/** Ends many: those that only have to be recorded many in one commit, the others a few at a time. The first failure is thrown when all were tried. */
export async function endAll(
  world: BrokerWorld,
  leases: readonly Lease[],
  work: (lease: Lease) => Promise<void>,
): Promise<void> {
  const { here = [], outside = [] } = Object.groupBy(leases, (lease) =>
    endsHere(world, lease) ? 'here' : 'outside',
  )
  const ends = await Promise.allSettled([
    inParallel(here, brokerLimits.endsRecordedAtOnce, work),
    inParallel(outside, brokerLimits.turnConcurrency, work),
  ])
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

function providerGone(lease: Lease): Failure {
  return new Failure('provider_refused', `The provider ${lease.provider} is not in the contract any more.`)
}

function reference(lease: Lease): MintedReference {
  return { leaseId: lease.id, handle: lease.handle, providerNotAfter: lease.providerExpiresAt }
}

/** Revokes within its time; who asked for it may be gone. */
export function revokeAt(world: BrokerWorld, provider: Provider, minted: MintedReference): Promise<void> {
  return withTimeout(world.clock, brokerLimits.endAttemptMs, new AbortController().signal, (signal) =>
    provider.revoke(minted, signal),
  )
}

/** While the log is down no ending can be recorded, but nothing lives longer for that: it dies now, once, and is recorded later. */
async function killUnrecorded(
  world: BrokerWorld,
  lease: Lease,
  provider: Provider | undefined,
  thrown: unknown,
): Promise<never> {
  if (provider) await revokeOnce(world, provider, lease).catch(() => undefined)
  throw thrown
}

/** Once in an outage of the log; else the same one would be revoked at every turn until its end can be recorded. */
async function revokeOnce(world: BrokerWorld, provider: Provider, lease: Lease): Promise<void> {
  if (world.outage.hasKilled(lease.id)) return
  await revokeAt(world, provider, reference(lease))
  if (!world.ledger.writable()) world.outage.killed(lease.id)
}

/** Revokes what lives at a provider although no lease explains it, and records that it was found. */
export async function killOrphan(
  world: BrokerWorld,
  provider: Provider,
  orphan: { readonly name: string; readonly reference: MintedReference; readonly requestId: string },
): Promise<void> {
  const outcome = await revokeAt(world, provider, orphan.reference).then(
    () => 'killed',
    (thrown: unknown) => toFailure(thrown).code,
  )
  const { leaseId } = orphan.reference
  await world.ledger.record({
    entry: world.entries.ofBroker('orphan_found', {
      requestId: orphan.requestId,
      provider: orphan.name,
      leaseId,
      outcome,
    }),
  })
}

/** That it is to end is durable before the provider is told, so that a crash between the two is finished later. */
async function startEnding(world: BrokerWorld, lease: Lease, cause: EndCause): Promise<Lease> {
  const ending: Lease = {
    ...lease,
    state: 'ending',
    endReason: cause.reason,
    nextActionAt: world.clock.now(),
  }
  const entry = world.entries.ofLease('lease_ending', ending, {
    requestId: cause.requestId,
    outcome: cause.reason,
    ...(cause.by ? { by: cause.by } : {}),
  })
  await world.ledger.record({ entry, lease: ending })
  return ending
}

async function prove(world: BrokerWorld, lease: Lease, cause: EndCause, provider: Provider): Promise<Ended> {
  const probed = await tryDead(world, lease, provider).catch(toFailure)
  switch (probed) {
    case 'refused':
      return conclude(world, lease, cause, 'refused')
    case 'unknown':
      return conclude(world, lease, cause, 'unproven')
    case 'accepted':
      return postpone(world, lease, cause, stillAccepted())
    default:
      return postpone(world, lease, cause, probed)
  }
}

async function tryDead(world: BrokerWorld, lease: Lease, provider: Provider): Promise<Probe> {
  const { revocation, probes } = provider.capabilities
  if (!probes || !provider.probe || revocation === 'none') return 'unknown'
  const credential = world.keepsakes.get(lease.id)
  return withTimeout(
    world.clock,
    brokerLimits.endAttemptMs,
    new AbortController().signal,
    async (signal) => provider.probe?.(reference(lease), credential, signal) ?? 'unknown',
  )
}

function stillAccepted(): Failure {
  return new Failure(
    'provider_refused',
    'The provider said that it was revoked, and still accepts the credential.',
  )
}

async function conclude(
  world: BrokerWorld,
  lease: Lease,
  cause: EndCause,
  proof: 'refused' | 'unproven',
): Promise<Ended> {
  const now = world.clock.now()
  const { nextActionAt: _, lastError: __, ...rest } = lease
  const reason = lease.endReason ?? cause.reason
  const ended: Lease = {
    ...rest,
    state: 'ended',
    endReason: reason,
    endedAt: now,
    ...(proof === 'refused' ? { refusedAt: now } : {}),
  }
  const outlives = usableUntil(world, lease, reason)
  const entry = world.entries.ofLease('lease_ended', ended, {
    requestId: cause.requestId,
    outcome: reason,
    detail: {
      proof,
      attempts: lease.endAttempts + 1,
      ...(outlives === undefined ? {} : { usable_until: timestamp(outlives) }),
    },
    ...(cause.by ? { by: cause.by } : {}),
  })
  await world.ledger.record({ entry, lease: ended })
  world.keepsakes.delete(lease.id)
  return { lease: ended, proof }
}

/** How long the credential works although its lease is over; `undefined` when it does not. */
function usableUntil(world: BrokerWorld, lease: Lease, reason: EndReason): number | undefined {
  const capabilities = world.providers.get(lease.provider)?.capabilities
  if (capabilities?.revocation !== 'none') return undefined
  if (!capabilities.endsByItself) return lease.providerExpiresAt
  return reason === 'expired' ? undefined : lease.expiresAt
}

/** Retried for ever, slower and slower, each failure an entry; after some of them a person is called. */
async function postpone(world: BrokerWorld, lease: Lease, cause: EndCause, failure: Failure): Promise<Ended> {
  const endAttempts = lease.endAttempts + 1
  const step = Math.min(
    brokerLimits.endRetryBaseMs * 2 ** Math.min(endAttempts - 1, 30),
    brokerLimits.endRetryCeilingMs,
  )
  const pause = Math.round(step * (0.75 + fraction(world.random) / 4))
  const later: Lease = {
    ...lease,
    endAttempts,
    lastError: failure.code,
    nextActionAt: world.clock.now() + pause,
  }
  const entry = world.entries.ofLease('lease_end_failed', later, {
    requestId: cause.requestId,
    outcome: failure.code,
    detail: { attempts: endAttempts, next_try_in_seconds: Math.ceil(pause / 1000) },
  })
  await world.ledger.record({ entry, lease: later })
  if (endAttempts >= failuresBeforeAlert(world, lease)) alertStuck(world, later, failure)
  return { lease: later, proof: 'pending' }
}

function failuresBeforeAlert(world: BrokerWorld, lease: Lease): number {
  const isEventual = world.providers.get(lease.provider)?.capabilities.revocation === 'eventual'
  return isEventual ? brokerLimits.eventualFailuresBeforeAlert : brokerLimits.endFailuresBeforeAlert
}

function alertStuck(world: BrokerWorld, lease: Lease, failure: Failure): void {
  world.alerter.raise({
    name: 'Revocation Failing',
    severity: 'critical',
    summary: `The lease ${lease.id} could not be ended in ${lease.endAttempts} tries (${failure.code}); its credential may still work. It is retried.`,
    labels: { provider: lease.provider, service: lease.service, tenant: lease.tenant, mode: lease.mode },
    startsAt: world.clock.now(),
  })
}
