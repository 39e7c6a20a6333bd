import { Failure, timestamp, toFailure } from '../primitives/index.ts'
import type { EndReason, Lease } from './lease.ts'
import { brokerLimits } from './limits.ts'
import type { Caller, Provider } from './ports/index.ts'
import { fraction, withTimeout } from './retry.ts'
import type { BrokerWorld } from './world.ts'

export type EndCause = { readonly reason: EndReason; readonly requestId: string; readonly by?: Caller }

/** How a lease stands after an attempt to end it. */
export type Ended = {
  readonly lease: Lease
  /** `refused`: the dead credential was tried and refused · `unproven`: it is over but could not be tried · `pending`: it is retried for ever. */
  readonly proof: 'refused' | 'unproven' | 'pending'
}

const endings = new WeakMap<BrokerWorld, Map<string, Promise<Ended>>>()

/** Ends a lease at its provider and proves it where it can. Safe to repeat; a second call joins the first. Throws only `log_unwritable`. */
export function endLease(world: BrokerWorld, lease: Lease, cause: EndCause): Promise<Ended> {
  const going = endings.get(world) ?? new Map<string, Promise<Ended>>()
  endings.set(world, going)
  const joined = going.get(lease.id)
  if (joined) return joined
  if (world.minting.has(lease.id)) {
    // The mint ends it as soon as it has something to end.
    world.minting.set(lease.id, cause)
    return Promise.resolve({ lease, proof: 'pending' })
  }
  const ending = end(world, lease, cause).finally(() => going.delete(lease.id))
  going.set(lease.id, ending)
  return ending
}

async function end(world: BrokerWorld, before: Lease, cause: EndCause): Promise<Ended> {
  // The store is asked again: what was listed a moment ago may have ended since.
  const lease = (await world.leases.find(before.id)) ?? before
  if (lease.state === 'ended' || lease.state === 'failed')
    return { lease, proof: lease.refusedAt ? 'refused' : 'unproven' }
  const provider = world.providers.get(lease.provider)
  if (cause.reason === 'expired' && provider?.capabilities.endsByItself)
    return conclude(world, lease, cause, 'unproven')
  const ending = lease.state === 'ending' ? lease : await startEnding(world, lease, cause)
  if (!provider)
    return postpone(
      world,
      ending,
      cause,
      new Failure('provider_refused', `The provider ${lease.provider} is not in the contract any more.`),
    )
  try {
    await withTimeout(world.clock, brokerLimits.endAttemptMs, new AbortController().signal, (signal) =>
      provider.revoke(reference(ending), signal),
    )
    return await prove(world, ending, cause, provider)
  } catch (thrown) {
    return postpone(world, ending, cause, toFailure(thrown))
  }
}

function reference(lease: Lease) {
  return { leaseId: lease.id, handle: lease.handle, providerNotAfter: lease.providerExpiresAt }
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
  const { revocation, probes } = provider.capabilities
  if (!probes || !provider.probe || revocation === 'none') return conclude(world, lease, cause, 'unproven')
  const credential = world.keepsakes.get(lease.id)
  const probe = await withTimeout(
    world.clock,
    brokerLimits.endAttemptMs,
    new AbortController().signal,
    async (signal) => (provider.probe ? provider.probe(reference(lease), credential, signal) : 'unknown'),
  )
  switch (probe) {
    case 'refused':
      return conclude(world, lease, cause, 'refused')
    case 'unknown':
      return conclude(world, lease, cause, 'unproven')
    case 'accepted':
      return postpone(
        world,
        lease,
        cause,
        new Failure(
          'provider_refused',
          'The provider said that it was revoked, and still accepts the credential.',
        ),
      )
  }
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
  if (endAttempts >= brokerLimits.endFailuresBeforeAlert) alertStuck(world, later, failure)
  return { lease: later, proof: 'pending' }
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
