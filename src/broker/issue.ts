import { Failure, newId, toFailure } from '../primitives/index.ts'
import { abandon } from './abandon.ts'
import { decide } from './decide.ts'
import type { Allowed, Denied } from './decision.ts'
import { endLease, revokedWhileMinting } from './ending.ts'
import { askedScope } from './entry.ts'
import { requestDigest } from './idempotency.ts'
import { intend } from './intent.ts'
import type { Lease } from './lease.ts'
import { type Job, mint, mintLocally } from './mint.ts'
import type { Caller, EntryDraft, EntryReceipt, Provider } from './ports/index.ts'
import { referenceDetail } from './reference.ts'
import { type IssuedCredential, release, seal } from './release.ts'
import type { CredentialRequest } from './request.ts'
import { denyResidual } from './residual.ts'
import type { BrokerWorld, Minting } from './world.ts'

/** One request of one proven caller. */
export type IssueCommand = {
  readonly caller: Caller
  readonly request: CredentialRequest
  /** The trace id of the action (W3C Trace Context). */
  readonly requestId: string
  readonly idempotencyKeyDigest?: string
  /** Milliseconds since 1970; the broker gives up before it. */
  readonly deadline: number
}

export type IssueAnswer = IssuedCredential | (Denied & { readonly receipt: EntryReceipt })

/** Decide, intend, mint, seal, release: the life of a credential on one screen. Identifying came before, ending comes after. */
export async function issue(
  world: BrokerWorld,
  command: IssueCommand,
  signal: AbortSignal,
): Promise<IssueAnswer> {
  const decision = await decideOrRecord(world, command, signal)
  if (decision.kind === 'denied')
    return { ...decision, receipt: await recordDenial(world, command, decision) }
  const provider = providerOf(world, decision)
  const lease = openLease(world, command, decision)
  const job = { provider, lease, decision, command }
  if (provider.capabilities.mintsLocally) return issueLocally(world, job, signal)
  const { minting, close } = openMinting(world, lease)
  try {
    await intend(world, job)
    const stop = AbortSignal.any([signal, minting.stop.signal])
    const result = await mint(world, job, stop)
    if (result.kind === 'failed') throw await abandon(world, lease, result)
    const sealed = await seal(world, job, result)
    // From here to the return nothing is awaited, so no revocation can slip in between.
    if (!minting.cause) return release(world, sealed, job, result.minted)
    close()
    await endLease(world, sealed.lease, minting.cause)
    throw revokedWhileMinting()
  } finally {
    close()
  }
}

/**
 * What is made in this process alone is recorded once: nobody has it before its entry is durable, and until then a crash ends it. The
 * lease is not there before, so nobody can revoke it meanwhile.
 */
async function issueLocally(world: BrokerWorld, job: Job, signal: AbortSignal): Promise<IssuedCredential> {
  const result = await mintLocally(world, job, signal)
  if (result.kind === 'minted') return release(world, await seal(world, job, result), job, result.minted)
  // Its intent stands there for a moment only, in which it must not look like one that a crash has left.
  const { close } = openMinting(world, job.lease)
  try {
    await intend(world, job)
    throw await abandon(world, job.lease, result)
  } finally {
    close()
  }
}

/** Tells everybody else in this process that the lease is being minted, until it is closed. */
function openMinting(world: BrokerWorld, lease: Lease): { minting: Minting; close: () => void } {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const minting: Minting = { cause: undefined, stop: new AbortController(), over }
  world.minting.set(lease.id, minting)
  const close = () => {
    world.minting.delete(lease.id)
    resolve()
  }
  return { minting, close }
}

/** Decides, and then holds the decision against what the provider can really do: a residual over the mode's bound is a denial. */
export async function decideWithinTruth(
  world: BrokerWorld,
  command: Pick<IssueCommand, 'caller' | 'request'>,
  signal: AbortSignal,
): Promise<Allowed | Denied> {
  const { contract, mode, policy: engine } = world
  const { caller, request } = command
  const inquiry = { contract, mode, engine, caller, request, signal }
  const decision = await decide(inquiry)
  if (decision.kind === 'denied') return decision
  const { capabilities } = providerOf(world, decision)
  return (await denyResidual(inquiry, decision, capabilities)) ?? decision
}

/** Policy that cannot decide is a refusal like any other: it stands in the log, and nothing is minted. */
async function decideOrRecord(world: BrokerWorld, command: IssueCommand, signal: AbortSignal) {
  try {
    return await decideWithinTruth(world, command, signal)
  } catch (thrown) {
    const failure = toFailure(thrown)
    await world.ledger.record({
      entry: refusal(world, command, { rule: failure.code, outcome: failure.code }),
    })
    throw failure
  }
}

function providerOf(world: BrokerWorld, decision: Allowed): Provider {
  const provider = world.providers.get(decision.service.provider)
  if (!provider)
    throw new Failure('internal', 'The broker failed. Nothing was released.', {
      internal: decision.service.provider,
    })
  return provider
}

function openLease(world: BrokerWorld, command: IssueCommand, decision: Allowed): Lease {
  const now = world.clock.now()
  const { caller, request } = command
  const expiresAt = now + decision.durationSeconds * 1000
  return {
    id: newId({ prefix: 'lse', now, random: world.random }),
    tenant: caller.tenant,
    agent: caller.agent,
    plane: caller.plane,
    mode: world.mode.name,
    service: request.service,
    action: request.action,
    resource: request.resource,
    provider: decision.service.provider,
    scope: askedScope(request),
    grant: decision.rule,
    requestId: command.requestId,
    state: 'intended',
    createdAt: now,
    expiresAt,
    providerExpiresAt: expiresAt,
    handle: '',
    ...(command.idempotencyKeyDigest ? { idempotencyKeyDigest: command.idempotencyKeyDigest } : {}),
    requestDigest: command.idempotencyKeyDigest ? requestDigest(request) : '',
    endAttempts: 0,
    // An intended lease is due at once: whoever finds it without its process knows that it is an orphan.
    nextActionAt: now,
  }
}

function recordDenial(world: BrokerWorld, command: IssueCommand, denied: Denied): Promise<EntryReceipt> {
  const detail = { line: denied.place.line, policy: denied.policy }
  return world.ledger.record({
    entry: refusal(world, command, { rule: denied.rule, outcome: 'denied', detail }),
  })
}

function refusal(
  world: BrokerWorld,
  { caller, request, requestId }: IssueCommand,
  facts: Pick<EntryDraft, 'outcome' | 'detail' | 'rule'>,
): EntryDraft {
  return world.entries.about('request_denied', {
    caller,
    requestId,
    scope: askedScope(request),
    decision: 'deny',
    ...facts,
    detail: { ...facts.detail, ...referenceDetail(world.contract, request) },
  })
}
