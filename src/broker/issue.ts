import { Failure, newId, toFailure } from '../primitives/index.ts'
import { decide } from './decide.ts'
import type { Allowed, Denied } from './decision.ts'
import { endLease } from './ending.ts'
import { askedScope } from './entry.ts'
import { requestDigest } from './idempotency.ts'
import type { Lease } from './lease.ts'
import { brokerLimits } from './limits.ts'
import { type MintResult, mint } from './mint.ts'
import type { Caller, Capabilities, Credential, EntryReceipt, Minted, Provider } from './ports/index.ts'
import type { CredentialRequest } from './request.ts'
import { denyResidual } from './residual.ts'
import { withTimeout } from './retry.ts'
import type { BrokerWorld } from './world.ts'

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

export type IssueAnswer = IssuedCredential | (Denied & { readonly receipt: EntryReceipt })

/** Decide, intend, mint, seal, release: the life of a credential on one screen. Identifying came before, ending comes after. */
export async function issue(
  world: BrokerWorld,
  command: IssueCommand,
  signal: AbortSignal,
): Promise<IssueAnswer> {
  const decision = await decideWithinTruth(world, command, signal)
  if (decision.kind === 'denied')
    return { ...decision, receipt: await recordDenial(world, command, decision) }
  const provider = providerOf(world, decision)
  const lease = openLease(world, command, decision)

  world.minting.set(lease.id, undefined)
  try {
    await intend(world, lease, command)
    const result = await mint(world, { provider, lease, decision, command }, signal)
    if (result.kind === 'failed') throw await abandon(world, lease, result)
    const sealed = await seal(world, lease, result, command, provider)
    await refuseIfRevoked(world, sealed.lease)
    return release(world, sealed, decision, result.minted, provider)
  } finally {
    world.minting.delete(lease.id)
  }
}

/** Decides, and then holds the decision against what the provider can really do: a residual over the mode's bound is a denial. */
export async function decideWithinTruth(
  world: BrokerWorld,
  command: Pick<IssueCommand, 'caller' | 'request'>,
  signal: AbortSignal,
): Promise<Allowed | Denied> {
  const { contract, mode, policy: engine } = world
  const decision = await decide({
    contract,
    mode,
    engine,
    caller: command.caller,
    request: command.request,
    signal,
  })
  if (decision.kind === 'denied') return decision
  const { capabilities } = providerOf(world, decision)
  return denyResidual({ contract, mode, request: command.request, decision, capabilities }) ?? decision
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
    requestDigest: requestDigest(request),
    endAttempts: 0,
    // An intended lease is due at once: whoever finds it without its process knows that it is an orphan.
    nextActionAt: now,
  }
}

/** Written before minting: a crash can leave a lease without a credential, never a credential without a lease. */
function intend(world: BrokerWorld, lease: Lease, command: IssueCommand): Promise<EntryReceipt> {
  const purpose = command.request.purpose?.slice(0, brokerLimits.purposeCharactersMax)
  const entry = world.entries.ofLease('credential_intended', lease, {
    requestId: command.requestId,
    decision: 'allow',
    outcome: 'intended',
    detail: {
      identified_by: command.caller.method,
      subject: command.caller.subject,
      ...(purpose ? { purpose } : {}),
    },
  })
  return world.ledger.record({ entry, lease })
}

type Sealed = { readonly lease: Lease; readonly receipt: EntryReceipt }

/** The outcome is durable before the credential is released. When it cannot be written, the credential is killed and stays here. */
async function seal(
  world: BrokerWorld,
  lease: Lease,
  { minted, attempts }: Extract<MintResult, { kind: 'minted' }>,
  command: IssueCommand,
  provider: Provider,
): Promise<Sealed> {
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
    requestId: command.requestId,
    decision: 'allow',
    outcome: 'issued',
    detail: {
      attempts,
      mint_ms: world.clock.now() - lease.createdAt,
      enforced_by: minted.enforcedBy,
      provider_not_after: new Date(minted.providerNotAfter).toISOString(),
      handle: minted.handle,
    },
  })
  try {
    return { lease: live, receipt: await world.ledger.record({ entry, lease: live }) }
  } catch (thrown) {
    world.alerter.raise({
      name: 'Audit Log Unwritable',
      severity: 'critical',
      summary: 'A minted credential could not be recorded; it was not released and is being revoked.',
      labels: { provider: lease.provider, mode: lease.mode },
      startsAt: world.clock.now(),
    })
    // The intent is durable, so the reconciler finishes this if it fails here.
    const reference = { leaseId: lease.id, handle: minted.handle, providerNotAfter: minted.providerNotAfter }
    await withTimeout(world.clock, brokerLimits.endAttemptMs, new AbortController().signal, (signal) =>
      provider.revoke(reference, signal),
    ).catch(() => undefined)
    throw toFailure(thrown)
  }
}

/** A revocation that came while the provider was minting wins: the credential is ended and never leaves. */
async function refuseIfRevoked(world: BrokerWorld, lease: Lease): Promise<void> {
  const cause = world.minting.get(lease.id)
  if (!cause) return
  world.minting.delete(lease.id)
  await endLease(world, lease, cause)
  throw new Failure('lease_revoked', 'The lease was revoked while it was being minted. Nothing was released.')
}

function release(
  world: BrokerWorld,
  { lease, receipt }: Sealed,
  decision: Allowed,
  minted: Minted,
  provider: Provider,
): IssuedCredential {
  keep(world, lease, minted.credential, provider)
  const { revocation, revocationNote } = provider.capabilities
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

/** Keeps what can be tried when it is dead; the oldest goes first when there are too many. */
function keep(world: BrokerWorld, lease: Lease, credential: Credential, provider: Provider): void {
  if (!provider.capabilities.probes) return
  world.keepsakes.set(lease.id, credential)
  const oldest = world.keepsakes.keys().next()
  if (world.keepsakes.size > brokerLimits.keepsakesMax && !oldest.done) world.keepsakes.delete(oldest.value)
}

function recordDenial(world: BrokerWorld, command: IssueCommand, denied: Denied): Promise<EntryReceipt> {
  const entry = world.entries.about('request_denied', {
    caller: command.caller,
    requestId: command.requestId,
    scope: askedScope(command.request),
    decision: 'deny',
    rule: denied.rule,
    outcome: 'denied',
    detail: { line: denied.place.line, policy: denied.policy },
  })
  return world.ledger.record({ entry })
}

/** Records the failed mint and calls a person. What may have been minted without an answer is ended by its planted lease id. */
async function abandon(
  world: BrokerWorld,
  lease: Lease,
  result: Extract<MintResult, { kind: 'failed' }>,
): Promise<Failure> {
  const { failure, attempts, uncertain } = result
  const { idempotencyKeyDigest: _, nextActionAt: __, ...rest } = lease
  const over: Lease = uncertain
    ? { ...lease, state: 'ending', endReason: 'mint_failed', nextActionAt: world.clock.now() }
    : {
        ...rest,
        state: 'failed',
        endReason: 'mint_failed',
        endedAt: world.clock.now(),
        lastError: failure.code,
      }
  const entry = world.entries.ofLease('credential_failed', over, {
    requestId: lease.requestId,
    outcome: failure.code,
    detail: { attempts, uncertain },
  })
  await world.ledger.record({ entry, lease: over })
  world.alerter.raise({
    name: 'Credential Minting Failure',
    severity: 'critical',
    summary: `${lease.provider} did not mint for ${lease.service} ${lease.action}: ${failure.code} after ${attempts} tries. Failed closed.`,
    labels: {
      provider: lease.provider,
      service: lease.service,
      tenant: lease.tenant,
      mode: lease.mode,
      code: failure.code,
    },
    startsAt: world.clock.now(),
  })
  world.minting.delete(lease.id)
  if (uncertain)
    endLease(world, over, { reason: 'mint_failed', requestId: lease.requestId }).catch(() => undefined)
  return failure
}
