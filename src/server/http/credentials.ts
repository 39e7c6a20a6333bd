import {
  type Broker,
  brokerLimits,
  type CredentialRequest,
  commandLine,
  type IssuedCredential,
  resolveReference,
} from '../../broker/index.ts'
import { Secret, timestamp } from '../../primitives/index.ts'
import {
  credentialRequest,
  explainRequest,
  issueCredential,
  protocolLimits,
  referenceRequest,
} from '../../protocol/index.ts'
import { header, type Identified, identified, parsed, type Reply, type Route } from './exchange.ts'
import { denialOf, wireReceipt, wireRequest } from './problem.ts'

/** Issuing and explaining, the same on both planes. */
export function credentialRoutes(broker: Broker, now: () => number): readonly Route[] {
  return [
    identified(issueCredential, (exchange) => issue(broker, now, exchange)),
    identified(explainRequest, (exchange) => explain(broker, exchange)),
  ]
}

async function issue(broker: Broker, now: () => number, exchange: Identified): Promise<Reply> {
  const { caller, requestId, signal } = exchange
  const idempotencyKey = header(exchange, 'idempotency-key')
  const { answer, replayed } = await broker.issue(
    {
      caller,
      requestId,
      request: requestOf(broker, exchange),
      deadline: now() + waitMs(header(exchange, 'prefer')),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    },
    signal,
  )
  if (answer.kind === 'denied') {
    const { status, body } = denialOf(answer, { requestId, contractDigest: broker.contract.digest })
    return { status, value: body }
  }
  // Nobody is there to take it, and nobody can ask for it again: it ends now.
  if (signal.aborted && idempotencyKey === undefined)
    await broker.revoke({ caller, requestId, id: answer.lease.id })
  return { status: 201, value: { ...wireCredential(answer, broker.contract.digest, now()), replayed } }
}

function requestOf({ contract }: Broker, { body }: Identified): CredentialRequest {
  // By its presence and not by trying both, so that a problem names the field that is wrong.
  if (typeof body === 'object' && body !== null && Object.hasOwn(body, 'credentialRef')) {
    const { credentialRef, ...rest } = parsed(referenceRequest, body, 'body')
    return resolveReference(contract, { credentialRef, ...optional(rest) })
  }
  const { service, action, resource, ...rest } = parsed(credentialRequest, body, 'body')
  return { service, action, resource, ...optional(rest) }
}

function optional({ duration, purpose }: { duration?: number | undefined; purpose?: string | undefined }) {
  return {
    ...(duration === undefined ? {} : { durationSeconds: duration }),
    ...(purpose === undefined ? {} : { purpose }),
  }
}

/** The caller's deadline: `Prefer: wait=N` (RFC 7240 §4.3), within our own bound. */
function waitMs(prefer: string | undefined): number {
  const seconds = /(?:^|[,;\s])wait=([0-9]{1,9})(?:$|[,;\s])/.exec(prefer ?? '')?.[1]
  if (seconds === undefined) return brokerLimits.mintDeadlineMs
  return Math.min(Math.max(1, Number(seconds)), protocolLimits.waitSecondsMax) * 1000
}

/** The one place where a credential is put into an answer. */
function wireCredential(issued: IssuedCredential, contractDigest: string, now: number) {
  const { lease, credential, effective, receipt } = issued
  const fields = Object.entries(credential.fields).map(([name, value]) => [
    name,
    value instanceof Secret ? value.reveal() : value,
  ])
  return {
    lease_id: lease.id,
    credential: { ...Object.fromEntries(fields), type: credential.type },
    meaning: issued.meaning,
    expires_at: timestamp(effective.notAfter),
    expires_in: Math.max(0, Math.floor((effective.notAfter - now) / 1000)),
    effective: {
      actions: effective.actions,
      resources: effective.resources,
      not_after: timestamp(effective.notAfter),
    },
    provider_not_after: timestamp(issued.providerNotAfter),
    residual_seconds: issued.residualSeconds,
    enforced_by: issued.enforcedBy,
    revocation: issued.revocation.revocation,
    revocation_note: issued.revocation.revocationNote,
    grant: lease.grant,
    mode: lease.mode,
    contract: contractDigest,
    request_id: lease.requestId,
    receipt: wireReceipt(receipt),
  }
}

async function explain(broker: Broker, exchange: Identified): Promise<Reply> {
  const { caller, requestId, signal } = exchange
  const request = requestOf(broker, exchange)
  const decision = await broker.explain({ caller, requestId, request }, signal)
  const common = {
    rule: decision.rule,
    mode: broker.mode.name,
    policy: decision.policy,
    request_id: requestId,
    receipt: wireReceipt(decision.receipt),
  }
  if (decision.kind === 'denied') {
    const { reason, file, place, nearest, next } = decision
    const value = { ...common, decision: 'deny', reason, contract: { file, ...place }, next }
    return { status: 200, value: nearest ? { ...value, nearest: wireRequest(nearest) } : value }
  }
  return {
    status: 200,
    value: {
      ...common,
      decision: 'allow',
      reason: `The grant ${decision.rule} allows it for ${decision.durationSeconds} s.`,
      contract: { file: broker.contract.file, ...decision.place },
      duration_seconds: decision.durationSeconds,
      next: commandLine('request', request),
    },
  }
}
