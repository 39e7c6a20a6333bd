import type { Plane } from '../contract/index.ts'

/**
 * `intended` before the provider is called · `live` after the seal · `ending` when the provider must still act ·
 * `ended` · `failed` when nothing was minted.
 */
export type LeaseState = 'intended' | 'live' | 'ending' | 'ended' | 'failed'

/** Why a lease ends: its time is over, somebody revoked it, or the broker found it without an outcome. */
export type EndReason = 'expired' | 'revoked' | 'orphaned' | 'mint_failed'

/** The record that a credential is, was or may be live. It never holds the credential. Times are milliseconds since 1970. */
export type Lease = {
  readonly id: string
  readonly tenant: string
  readonly agent: string
  readonly plane: Plane
  readonly mode: string
  readonly service: string
  readonly action: string
  readonly resource: string
  readonly provider: string
  /** What was granted, as text: the effective actions on the effective resources. */
  readonly scope: string
  readonly grant: string
  readonly requestId: string
  readonly state: LeaseState
  readonly createdAt: number
  /** When the credential stops working, as enforced. */
  readonly expiresAt: number
  /** When the provider itself forgets it; later than `expiresAt` where the provider cannot be that short. */
  readonly providerExpiresAt: number
  /** The provider's own name of what was minted (role, session, token id). Not a secret. */
  readonly handle: string
  readonly idempotencyKeyDigest?: string
  /** Of the request under its idempotency key; empty without one. */
  readonly requestDigest: string
  readonly endReason?: EndReason
  readonly endedAt?: number
  /** When the dead credential was tried and refused. */
  readonly refusedAt?: number
  readonly endAttempts: number
  /** When the broker acts on it next: the expiry of a live lease, the next try of one that is ending. */
  readonly nextActionAt?: number
  readonly lastError?: string
}

/** Which leases; every field given must match. `tenant` absent means every tenant. */
export type LeaseFilter = {
  readonly tenant?: string
  readonly agent?: string
  readonly service?: string
  readonly mode?: string
  readonly states?: readonly LeaseState[]
}

/** How a lease begins: with its intent, or live at once when nothing outside was asked to mint. A store refuses any other (`store_invalid`). */
export const leaseBeginnings: readonly LeaseState[] = ['intended', 'live']

/** The moves that are allowed; a store refuses any other (`store_invalid`). */
export const leaseMoves: Readonly<Record<LeaseState, readonly LeaseState[]>> = {
  intended: ['live', 'failed', 'ending'],
  live: ['ending', 'ended'],
  ending: ['ending', 'ended'],
  ended: ['ended'],
  failed: [],
}
