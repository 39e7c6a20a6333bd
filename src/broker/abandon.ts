import { Failure } from '../primitives/index.ts'
import { endLease, revokedWhileMinting } from './ending.ts'
import type { Lease } from './lease.ts'
import type { MintResult } from './mint.ts'
import type { BrokerWorld } from './world.ts'

/** Records the failed mint and calls a person. What may have been minted without an answer is ended by its planted lease id. */
export async function abandon(
  world: BrokerWorld,
  lease: Lease,
  result: Extract<MintResult, { kind: 'failed' }>,
): Promise<Failure> {
  const { failure, attempts, uncertain, interrupted } = result
  const cause = world.minting.get(lease.id)?.cause
  const endReason = cause?.reason ?? 'mint_failed'
  const { idempotencyKeyDigest: _, nextActionAt: __, ...rest } = lease
  const over: Lease = uncertain
    ? { ...lease, state: 'ending', endReason, nextActionAt: world.clock.now() }
    : {
        ...rest,
        state: 'failed',
        endReason,
        endedAt: world.clock.now(),
        lastError: failure.code,
      }
  const entry = world.entries.ofLease('credential_failed', over, {
    requestId: lease.requestId,
    outcome: failure.code,
    detail: { attempts, uncertain },
  })
  if (!interrupted) callSomebody(world, lease, result)
  await world.ledger.record({ entry, lease: over })
  world.minting.delete(lease.id)
  // Not waited for: the caller has its answer, and what fails here is retried by the next turn.
  if (uncertain)
    endLease(world, over, cause ?? { reason: 'mint_failed', requestId: lease.requestId }).catch(
      () => undefined,
    )
  return cause ? revokedWhileMinting() : failure
}

function callSomebody(
  world: BrokerWorld,
  lease: Lease,
  { failure, attempts }: Extract<MintResult, { kind: 'failed' }>,
): void {
  // The caller is told that nobody minted; a person needs to know why.
  const { code } = failure.cause instanceof Failure ? failure.cause : failure
  const tries = attempts === 1 ? '1 try' : `${attempts} tries`
  world.alerter.raise({
    name: 'Credential Minting Failure',
    severity: 'critical',
    summary: `${lease.provider} did not mint for ${lease.service} ${lease.action}: ${code} after ${tries}. Failed closed.`,
    labels: {
      provider: lease.provider,
      service: lease.service,
      tenant: lease.tenant,
      mode: lease.mode,
      code,
    },
    startsAt: world.clock.now(),
  })
}
