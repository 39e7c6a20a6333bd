import { timestamp, toFailure } from '../primitives/index.ts'
import { revokeAt, revokedWhileMinting } from './ending.ts'
import { hasSiblings, intentOf } from './intent.ts'
import type { Lease } from './lease.ts'
import type { Job, MintResult } from './mint.ts'
import type { Capabilities, Credential, EntryReceipt, Minted } from './ports/index.ts'
import type { BrokerWorld } from './world.ts'

/** A credential and the truth about it. Times are milliseconds since 1970. */
export type IssuedCredential = {
  readonly kind: 'issued'
  readonly lease: Lease
  readonly credential: Credential
  /** What the request was taken to mean. */
  readonly meaning: string
  readonly effective: Minted['effective'] & { readonly notAfter: number }
  readonly providerNotAfter: number
  readonly residualSeconds: number
  readonly enforcedBy: string
  readonly revocation: Pick<Capabilities, 'revocation' | 'revocationNote'>
  readonly receipt: EntryReceipt
}

export type Sealed = { readonly lease: Lease; readonly receipt: EntryReceipt }

/** The outcome is durable before the credential is released. When it cannot be written, the credential is killed and stays here. */
export async function seal(
  world: BrokerWorld,
  job: Job,
  { minted, attempts }: Extract<MintResult, { kind: 'minted' }>,
): Promise<Sealed> {
  const { lease, provider } = job
  const live: Lease = {
    ...lease,
    state: 'live',
    scope: `${minted.effective.actions.join(',')} on ${minted.effective.resources.join(',')}`,
    handle: minted.handle,
    expiresAt: minted.notAfter,
    providerExpiresAt: minted.providerNotAfter,
    nextActionAt: minted.notAfter,
  }
  const entry = world.entries.ofLease('credential_issued', live, {
    requestId: lease.requestId,
    decision: 'allow',
    outcome: 'issued',
    detail: {
      ...(provider.capabilities.mintsLocally ? intentOf(job) : {}),
      attempts,
      mint_ms: world.clock.now() - lease.createdAt,
      enforced_by: minted.enforcedBy,
      provider_not_after: timestamp(minted.providerNotAfter),
      handle: minted.handle,
    },
  })
  try {
    const unhurried = hasSiblings(world, live)
    return { lease: live, receipt: await world.ledger.record({ entry, lease: live, unhurried }) }
  } catch (thrown) {
    // The intent is durable, so the reconciler finishes this if it fails here; what was made locally is nowhere else.
    const reference = { leaseId: lease.id, handle: minted.handle, providerNotAfter: minted.providerNotAfter }
    await revokeAt(world, provider, reference).catch(() => undefined)
    const failure = toFailure(thrown)
    // Another process has ended the lease meanwhile.
    throw failure.code === 'store_invalid' ? revokedWhileMinting() : failure
  }
}

export function release(
  world: BrokerWorld,
  { lease, receipt }: Sealed,
  { decision, provider }: Job,
  minted: Minted,
): IssuedCredential {
  const { revocation, revocationNote, probes } = provider.capabilities
  // What can be tried when it is dead.
  if (probes) world.keepsakes.put(lease.id, lease, minted.credential)
  return {
    kind: 'issued',
    lease,
    credential: minted.credential,
    meaning: `${decision.action.title ? `${decision.action.title}: ` : ''}${lease.scope}`,
    effective: { ...minted.effective, notAfter: minted.notAfter },
    providerNotAfter: minted.providerNotAfter,
    residualSeconds: Math.max(0, Math.ceil((minted.providerNotAfter - minted.notAfter) / 1000)),
    enforcedBy: minted.enforcedBy,
    revocation: { revocation, revocationNote },
    receipt,
  }
}
