import { type Clock, Failure, sha256Hex, toFailure } from '../primitives/index.ts'
import { brokerLimits } from './limits.ts'
import type { Caller, LeaseStore } from './ports/index.ts'
import type { CredentialRequest } from './request.ts'
import { createShelf } from './shelf.ts'

/** 1 to 128 visible ASCII characters. */
const keyShape = /^[\x21-\x7e]{1,128}$/

/** What makes two requests the same one. */
export function requestDigest(request: CredentialRequest): string {
  return sha256Hex(
    JSON.stringify([
      request.service,
      request.action,
      request.resource,
      request.durationSeconds ?? null,
      request.purpose ?? null,
      // Left out where there is none: digests that are stored already stay what they are.
      ...(request.reference === undefined ? [] : [request.reference]),
    ]),
  )
}

/** The key as the store knows it: hashed, because a caller may put anything into it. Throws `idempotency_key_invalid`. */
export function keyDigest(key: string): string {
  if (!keyShape.test(key)) {
    throw new Failure(
      'idempotency_key_invalid',
      'The Idempotency-Key must be 1 to 128 visible ASCII characters.',
    )
  }
  return sha256Hex(key)
}

export interface Idempotency<Answer> {
  /** Runs `work` at most once for the caller's key; a repeat gets the same answer, or a failure that names the lease. */
  once(
    owner: KeyOwner,
    work: () => Promise<Answer>,
  ): Promise<{ readonly answer: Answer; readonly replayed: boolean }>
  /** Lets go of the answers whose time is over, also when nobody asks any more. */
  forget(): void
}

type KeyOwner = { readonly caller: Caller; readonly keyDigest: string; readonly requestDigest: string }

/**
 * Answers are kept in memory for a short while, so that a lost answer can be asked for again; the store keeps only that the key
 * was used. `leaseOf` names the lease of an answer; an answer without one is not kept, and one whose lease is over is not repeated.
 */
export function createIdempotency<Answer>(
  clock: Clock,
  leases: LeaseStore,
  leaseOf: (answer: Answer) => string | undefined,
): Idempotency<Answer> {
  type Kept = { readonly digest: string; readonly answer: Promise<Answer>; readonly until: number }
  const kept = createShelf<Kept>(brokerLimits.replaysMax)

  // Oldest first, so the first one that is still good ends the walk.
  const forget = () => {
    for (const [name, { until }] of kept.entries()) {
      if (until > clock.now()) return
      kept.delete(name)
    }
  }
  const repeat = async (owner: KeyOwner, before: Kept) => {
    if (before.digest !== owner.requestDigest) throw conflict()
    const answer = await before.answer
    const leaseId = leaseOf(answer)
    const lease = leaseId === undefined ? undefined : await leases.find(leaseId)
    const isLive = lease?.state === 'live' && lease.expiresAt > clock.now()
    if (leaseId !== undefined && !isLive) throw replayed(leaseId)
    return { answer, replayed: true }
  }

  const first = async (name: string, owner: KeyOwner, work: () => Promise<Answer>) => {
    const answer = refuseUsedKey(leases, owner).then(work)
    const entry = { digest: owner.requestDigest, answer, until: clock.now() + brokerLimits.replayMs }
    kept.put(name, owner.caller, entry)
    const drop = () => {
      if (kept.get(name) === entry) kept.delete(name)
    }
    try {
      const done = await answer
      if (leaseOf(done) === undefined) drop()
      return { answer: done, replayed: false }
    } catch (thrown) {
      drop()
      // Another process, or one that was forgotten here, used the key a moment ago; the store knows for what.
      if (toFailure(thrown).code === 'idempotency_conflict') await refuseUsedKey(leases, owner)
      throw thrown
    }
  }

  return {
    forget,
    once(owner, work) {
      const name = JSON.stringify([owner.caller.tenant, owner.caller.agent, owner.keyDigest])
      forget()
      const before = kept.get(name)
      return before ? repeat(owner, before) : first(name, owner, work)
    },
  }
}

async function refuseUsedKey(leases: LeaseStore, owner: KeyOwner): Promise<void> {
  const { tenant, agent } = owner.caller
  const lease = await leases.findByIdempotencyKey({ tenant, agent, keyDigest: owner.keyDigest })
  if (!lease) return
  if (lease.requestDigest !== owner.requestDigest) throw conflict()
  throw replayed(lease.id)
}

function replayed(leaseId: string): Failure {
  return new Failure(
    'idempotency_replayed',
    `This key already opened the lease ${leaseId}; its credential is not shown again.`,
    { next: `DELETE /v1/leases/${leaseId}, then ask again with a new Idempotency-Key` },
  )
}

function conflict(): Failure {
  return new Failure('idempotency_conflict', 'This Idempotency-Key was used for a different request.', {
    next: 'use a new Idempotency-Key for a new request',
  })
}
