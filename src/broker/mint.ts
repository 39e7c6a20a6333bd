import { Failure, toFailure } from '../primitives/index.ts'
import type { Verdict } from './breaker.ts'
import { overloaded } from './bulkhead.ts'
import type { Allowed } from './decision.ts'
import { killOrphan } from './ending.ts'
import type { IssueCommand } from './issue.ts'
import type { Lease } from './lease.ts'
import { brokerLimits } from './limits.ts'
import type { Minted, MintOrder, Provider } from './ports/index.ts'
import { attempt, isPassing, withTimeout } from './retry.ts'
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
      /** Nobody waited for the answer any more, or too many for the provider to be asked: it is not to blame. */
      readonly interrupted: boolean
    }

/** One mint: who is asked, and for what. */
export type Job = {
  readonly provider: Provider
  readonly lease: Lease
  readonly decision: Allowed
  readonly command: IssueCommand
}

/** Asks the provider when there is a place; a failure before that has asked nobody. */
export async function mint(world: BrokerWorld, job: Job, signal: AbortSignal): Promise<MintResult> {
  const place = await takePlace(world, job, signal).catch(toFailure)
  if (place instanceof Failure)
    return { kind: 'failed', failure: place, attempts: 0, uncertain: false, interrupted: true }
  try {
    return await mintInside(world, job, signal)
  } finally {
    place()
  }
}

/** Waits as long as the caller does. What the breaker will refuse anyway waits for nothing. */
async function takePlace(world: BrokerWorld, job: Job, signal: AbortSignal): Promise<() => void> {
  const { provider, tenant } = job.lease
  const bulkhead = world.bulkheads.get(provider)
  if (!bulkhead || world.breakers.get(provider)?.state() === 'open') return noPlace
  const timeLeft = job.command.deadline - world.clock.now()
  const entering =
    bulkhead.hasPlace() || timeLeft <= 0
      ? bulkhead.enter(tenant, signal)
      : withTimeout(world.clock, timeLeft, signal, (stop) => bulkhead.enter(tenant, stop))
  return entering.catch(() => {
    // The tries themselves tell what it means that nobody waits any more.
    if (signal.aborted) return noPlace
    throw overloaded()
  })
}

const noPlace = () => undefined

/** With retries and behind the breaker; holds the answer against the order. Never falls back (seed 004 §6). */
async function mintInside(world: BrokerWorld, job: Job, signal: AbortSignal): Promise<MintResult> {
  const order = orderOf(job)
  let tell: ((verdict: Verdict) => void) | undefined
  let asked = false
  let uncertain = false
  let hurried = false
  let lastAsked: Failure | undefined
  const onFailure = (failure: Failure) => {
    // How long a caller waits is its own word: who waits for a moment must not close the provider to everybody else.
    const tooShort = hurried && failure.code === 'provider_timeout'
    tell?.(signal.aborted || tooShort ? 'unknown' : verdictOf(failure))
    uncertain ||= asked && (signal.aborted || mayHaveMinted(failure))
    if (asked) lastAsked = failure
  }
  const tried = await attempt(world, { deadline: job.command.deadline, signal, onFailure }, async (stop) => {
    tell = undefined
    asked = false
    tell = world.breakers.get(job.lease.provider)?.enter()
    asked = true
    hurried = job.command.deadline - world.clock.now() < brokerLimits.tellingAttemptMs
    const minted = await job.provider.mint(order, stop)
    if (stop.aborted) return killLate(world, job, minted)
    tell?.('answered')
    tell = undefined
    return honest(minted, order, world)
  })
  if (tried.kind === 'done') return { kind: 'minted', minted: tried.value, attempts: tried.attempts }
  const { failure, attempts } = tellingOf(tried, lastAsked)
  return {
    kind: 'failed',
    failure: publicFailure(failure, { ...job, attempts, uncertain }),
    attempts,
    uncertain,
    interrupted: signal.aborted && !isPassing(failure),
  }
}

type Told = { readonly failure: Failure; readonly attempts: number }

/** What the caller is told of. Where the breaker kept a further try out it is the try before: else the answer would be that nothing was tried. */
function tellingOf(tried: Told, lastAsked: Failure | undefined): Told {
  const isKeptOut = tried.failure.code === 'provider_circuit_open' && tried.failure !== lastAsked
  return isKeptOut && lastAsked ? { failure: lastAsked, attempts: tried.attempts - 1 } : tried
}

/** Mints in this process: nothing to try again, and nothing that a failure could leave behind. Who does not come to an end is given up. */
export async function mintLocally(world: BrokerWorld, job: Job, signal: AbortSignal): Promise<MintResult> {
  const order = orderOf(job)
  try {
    signal.throwIfAborted()
    const minted = await world.localMints(job.provider.mint(order, signal))
    return { kind: 'minted', minted: honest(minted, order, world), attempts: 1 }
  } catch (thrown) {
    const failure = publicFailure(toFailure(thrown), { ...job, attempts: 1, uncertain: false })
    return { kind: 'failed', failure, attempts: 1, uncertain: false, interrupted: signal.aborted }
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
  if (failure.unsent) return false
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
      ...(failure.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: failure.retryAfterSeconds }),
      // After an uncertain failure the key stays with the lease that is being ended.
      next: `try again later with ${uncertain ? 'a new' : 'the same'} Idempotency-Key`,
    },
  )
}
