import { Failure, toFailure } from '../primitives/index.ts'
import type { Allowed } from './decision.ts'
import type { IssueCommand } from './issue.ts'
import type { Lease } from './lease.ts'
import type { Minted, MintOrder, Provider } from './ports/index.ts'
import { attempt, isPassing } from './retry.ts'
import type { BrokerWorld } from './world.ts'

export type MintResult =
  | { readonly kind: 'minted'; readonly minted: Minted; readonly attempts: number }
  /** `uncertain`: the provider may have minted although nobody got the answer. */
  | {
      readonly kind: 'failed'
      readonly failure: Failure
      readonly attempts: number
      readonly uncertain: boolean
    }

type Job = {
  readonly provider: Provider
  readonly lease: Lease
  readonly decision: Allowed
  readonly command: IssueCommand
}

/** Asks the provider, with retries and behind its breaker, and holds the answer against the order. Never falls back (seed 004 §6). */
export async function mint(world: BrokerWorld, job: Job, signal: AbortSignal): Promise<MintResult> {
  const breaker = world.breakers.get(job.lease.provider)
  const order = orderOf(job)
  let uncertain = false
  const tried = await attempt(
    world,
    {
      deadline: job.command.deadline,
      signal,
      onFailure: (failure) => {
        if (isPassing(failure)) breaker?.failed()
        uncertain ||= mayHaveMinted(failure)
      },
    },
    async (stop) => {
      breaker?.enter()
      const minted = await job.provider.mint(order, stop)
      breaker?.succeeded()
      return checked(minted, order)
    },
  )
  if (tried.kind === 'done') return { kind: 'minted', minted: tried.value, attempts: tried.attempts }
  return {
    kind: 'failed',
    failure: publicFailure(tried.failure, job, tried.attempts),
    attempts: tried.attempts,
    uncertain,
  }
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

/** A provider that answers wider or longer than it was ordered is broken, and its credential is not released. */
function checked(minted: Minted, order: MintOrder): Minted {
  const honest =
    minted.notAfter <= order.notAfter &&
    minted.providerNotAfter >= minted.notAfter &&
    minted.effective.actions.length > 0 &&
    minted.effective.resources.length > 0
  if (honest) return minted
  throw new Failure(
    'provider_answer_invalid',
    'The provider answered with something other than what was ordered.',
  )
}

/** Only a plain "no" and a closed breaker are certain; everything else may have left something behind. */
function mayHaveMinted(failure: Failure): boolean {
  return ![
    'provider_refused',
    'provider_policy_too_large',
    'provider_circuit_open',
    'provider_throttled',
  ].includes(failure.code)
}

function publicFailure(thrown: Failure, job: Job, attempts: number): Failure {
  const failure = toFailure(thrown)
  if (!isPassing(failure)) return failure
  const tries = attempts === 1 ? '1 try' : `${attempts} tries`
  return new Failure(
    'credential_minting_failure',
    `The provider ${job.lease.provider} did not mint (${failure.code} after ${tries}). Nothing was released; there is no fallback.`,
    {
      internal: `${failure.code}: ${failure.internal ?? failure.message}`,
      cause: failure,
      next: 'try again later with the same Idempotency-Key',
    },
  )
}
