import { Failure, toFailure } from '../primitives/index.ts'
import type { Verdict } from './breaker.ts'
import type { Allowed } from './decision.ts'
import { killOrphan } from './ending.ts'
import type { IssueCommand } from './issue.ts'
import type { Lease } from './lease.ts'
import type { Minted, MintOrder, Provider } from './ports/index.ts'
import { attempt, isPassing } from './retry.ts'
import { isHonest } from './truth.ts'
import type { BrokerWorld } from './world.ts'

export type MintResult =
  | { readonly kind: 'minted'; readonly minted: Minted; readonly attempts: number }
  | {
      readonly kind: 'failed'
      readonly failure: Failure
      readonly attempts: number
      /** The provider may have minted although nobody got the answer. */
      readonly uncertain: boolean
      /** Nobody waited for the answer any more, so the provider is not to blame. */
      readonly interrupted: boolean
    }

/** One mint: who is asked, and for what. */
export type Job = {
  readonly provider: Provider
  readonly lease: Lease
  readonly decision: Allowed
  readonly command: IssueCommand
}

/** Asks the provider, with retries and behind its breaker, and holds the answer against the order. Never falls back (seed 004 §6). */
export async function mint(world: BrokerWorld, job: Job, signal: AbortSignal): Promise<MintResult> {
  const order = orderOf(job)
  let tell: ((verdict: Verdict) => void) | undefined
  let uncertain = false
  const onFailure = (failure: Failure) => {
    tell?.(signal.aborted ? 'unknown' : verdictOf(failure))
    uncertain ||= signal.aborted || mayHaveMinted(failure)
  }
  const tried = await attempt(world, { deadline: job.command.deadline, signal, onFailure }, async (stop) => {
    tell = undefined
    tell = world.breakers.get(job.lease.provider)?.enter()
    const minted = await job.provider.mint(order, stop)
    if (stop.aborted) return killLate(world, job, minted)
    tell?.('answered')
    tell = undefined
    return honest(minted, order, world)
  })
  if (tried.kind === 'done') return { kind: 'minted', minted: tried.value, attempts: tried.attempts }
  const { failure, attempts } = tried
  return {
    kind: 'failed',
    failure: publicFailure(failure, { ...job, attempts, uncertain }),
    attempts,
    uncertain,
    interrupted: signal.aborted && !isPassing(failure),
  }
}

/** Mints in this process. Nothing is waited for, so there is nothing to try again, and nothing that a failure could leave behind. */
export async function mintLocally(world: BrokerWorld, job: Job, signal: AbortSignal): Promise<MintResult> {
  const order = orderOf(job)
  try {
    signal.throwIfAborted()
    const minted = honest(await job.provider.mint(order, signal), order, world)
    return { kind: 'minted', minted, attempts: 1 }
  } catch (thrown) {
    const interrupted = signal.aborted
    return { kind: 'failed', failure: toFailure(thrown), attempts: 1, uncertain: false, interrupted }
  }
}

function honest(minted: Minted, order: MintOrder, world: BrokerWorld): Minted {
  if (isHonest(minted, order, world)) return minted
  throw new Failure(
    'provider_answer_invalid',
    'The provider answered with something other than what was ordered.',
  )
}

function orderOf({ lease, decision, command }: Job): MintOrder {
  return {
    leaseId: lease.id,
    tenant: lease.tenant,
    agent: lease.agent,
    action: decision.action,
    resource: lease.resource,
    parts: decision.parts,
    notAfter: lease.expiresAt,
    requestId: lease.requestId,
    ...(command.caller.confirmation ? { confirmation: command.caller.confirmation } : {}),
  }
}

/** An answer that came after its time: nobody takes it, so it dies, unless a later try for the same lease was answered in time. */
async function killLate(world: BrokerWorld, { provider, lease }: Job, minted: Minted): Promise<Minted> {
  await world.minting.get(lease.id)?.over
  const state = (await world.leases.find(lease.id))?.state
  if (state !== 'live')
    await killOrphan(world, provider, {
      requestId: lease.requestId,
      name: lease.provider,
      reference: { leaseId: lease.id, handle: minted.handle, providerNotAfter: minted.providerNotAfter },
    })
  return minted
}

function verdictOf(failure: Failure): Verdict {
  if (isPassing(failure)) return 'failed'
  return failure.code === 'internal' ? 'unknown' : 'answered'
}

/** Only a plain "no" and a closed door are certain; everything else may have left something behind. */
function mayHaveMinted(failure: Failure): boolean {
  return ![
    'provider_refused',
    'provider_policy_too_large',
    'provider_circuit_open',
    'provider_throttled',
  ].includes(failure.code)
}

function publicFailure(failure: Failure, job: Job & { attempts: number; uncertain: boolean }): Failure {
  if (!isPassing(failure)) return failure
  const { attempts, lease, uncertain } = job
  const tries = attempts === 1 ? '1 try' : `${attempts} tries`
  return new Failure(
    'credential_minting_failure',
    `The provider ${lease.provider} did not mint (${failure.code} after ${tries}). Nothing was released; there is no fallback.`,
    {
      internal: `${failure.code}: ${failure.internal ?? failure.message}`,
      cause: failure,
      // After an uncertain failure the key stays with the lease that is being ended.
      next: `try again later with ${uncertain ? 'a new' : 'the same'} Idempotency-Key`,
    },
  )
}
