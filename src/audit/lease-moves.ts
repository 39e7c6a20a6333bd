import { type Lease, type LeaseState, leaseBeginnings, leaseMoves } from '../broker/index.ts'
import { Failure } from '../primitives/index.ts'
import type { LeaseStanding } from './storage.ts'

/**
 * Judges leases that are to be written in this order: `undefined` for a move that is allowed, else `store_invalid`, or
 * `idempotency_conflict` when another lease holds the key. A lease that is refused does not count for those after it.
 */
export function judgeLeaseMoves(
  leases: readonly Lease[],
  standings: readonly LeaseStanding[],
): readonly (Failure | undefined)[] {
  const states = new Map<string, LeaseState>()
  const keyHolders = new Map<string, string>()
  return leases.map((lease, at) => {
    const standing = standings[at] ?? {}
    const key = keyOf(lease)
    const refusal =
      refuseNumbers(lease) ??
      refuseMove(lease, states.get(lease.id) ?? standing.state) ??
      refuseKey(lease, (key === undefined ? undefined : keyHolders.get(key)) ?? standing.keyHolder)
    if (refusal) return refusal
    states.set(lease.id, lease.state)
    if (key !== undefined) keyHolders.set(key, lease.id)
    return undefined
  })
}

/** What an idempotency key is unique by. */
function keyOf({ tenant, agent, idempotencyKeyDigest: digest }: Lease): string | undefined {
  return digest === undefined ? undefined : JSON.stringify([tenant, agent, digest])
}

function refuseMove(lease: Lease, from: LeaseState | undefined): Failure | undefined {
  const allowed = (from === undefined ? leaseBeginnings : leaseMoves[from]).includes(lease.state)
  if (allowed) return undefined
  return new Failure('store_invalid', 'The lease cannot move like that.', {
    internal: `${lease.id}: from ${from ?? 'nothing'} to ${lease.state}`,
  })
}

// A number that no store can hold would fail the whole batch.
function refuseNumbers(lease: Lease): Failure | undefined {
  // A lease has two dozen fields, and this is asked about every one that is issued.
  if (Object.values(lease).every(isStorable)) return undefined
  const name = Object.entries(lease).find(([, value]) => !isStorable(value))?.[0]
  return new Failure('store_invalid', 'The lease has a number that is not whole.', {
    internal: `${lease.id}: ${name}`,
  })
}

function isStorable(value: unknown): boolean {
  return typeof value !== 'number' || Number.isSafeInteger(value)
}

function refuseKey(lease: Lease, holder: string | undefined): Failure | undefined {
  if (holder === undefined || holder === lease.id) return undefined
  return new Failure('idempotency_conflict', 'This Idempotency-Key already opened another lease.', {
    internal: `${lease.id}: the key belongs to ${holder}`,
    next: 'use a new Idempotency-Key for a new request',
  })
}
