import type { Contract, Mode } from '../contract/index.ts'
import { timestamp } from '../primitives/index.ts'
import type { Lease } from './lease.ts'
import type { Caller, EntryDraft, EntryEvent } from './ports/index.ts'
import type { CredentialRequest } from './request.ts'

/** What the broker writes entries from. */
export type EntryWriter = {
  /** About a caller's request. */
  about(event: EntryEvent, facts: RequestFacts): EntryDraft
  /** About a lease; `requestId` is the trace that caused it, which need not be the one that opened it. */
  ofLease(event: EntryEvent, lease: Lease, facts: LeaseFacts): EntryDraft
  /** About the broker itself. */
  ofBroker(event: EntryEvent, facts: BrokerFacts): EntryDraft
}

type Outcome = { readonly outcome: string; readonly detail?: NonNullable<EntryDraft['detail']> }
type RequestFacts = Outcome & {
  readonly caller: Caller
  readonly requestId: string
  readonly scope: string
  readonly decision: 'allow' | 'deny' | null
  readonly rule: string | null
  readonly provider?: string
}
type LeaseFacts = Outcome & {
  readonly requestId: string
  readonly by?: Caller
  readonly decision?: 'allow'
}
type BrokerFacts = Outcome & {
  readonly requestId: string
  readonly scope?: string
  readonly rule?: string
  readonly agent?: string
  readonly tenant?: string
  readonly plane?: EntryDraft['plane']
  readonly provider?: string
  readonly leaseId?: string
}

/** The request in words, as it was asked; attacker-controlled text, which the log stores as text. */
export function askedScope(request: CredentialRequest): string {
  return `${request.service} ${request.action} ${request.resource}`
}

export function createEntryWriter(contract: Contract, mode: Mode, now: () => number): EntryWriter {
  const always = () => ({ timestamp: timestamp(now()), mode: mode.name, contract: contract.digest })
  return {
    about: (event, facts) => ({
      event,
      ...always(),
      agent_id: facts.caller.agent,
      tenant: facts.caller.tenant,
      plane: facts.caller.plane,
      scope: facts.scope,
      expiry: null,
      request_id: facts.requestId,
      decision: facts.decision,
      rule: facts.rule,
      lease_id: null,
      provider: facts.provider ?? null,
      outcome: facts.outcome,
      detail: { ...facts.detail, identified_by: facts.caller.method, subject: facts.caller.subject },
    }),
    ofLease: (event, lease, facts) => ({
      event,
      ...always(),
      mode: lease.mode,
      agent_id: lease.agent,
      tenant: lease.tenant,
      plane: lease.plane,
      scope: lease.scope,
      expiry: timestamp(lease.expiresAt),
      request_id: facts.requestId,
      decision: facts.decision ?? null,
      rule: lease.grant,
      lease_id: lease.id,
      provider: lease.provider,
      outcome: facts.outcome,
      detail: { ...facts.detail, ...(facts.by ? { by: facts.by.agent, by_plane: facts.by.plane } : {}) },
    }),
    ofBroker: (event, facts) => ({
      event,
      ...always(),
      agent_id: facts.agent ?? 'broker',
      tenant: facts.tenant ?? '',
      plane: facts.plane ?? 'broker',
      scope: facts.scope ?? '',
      expiry: null,
      request_id: facts.requestId,
      decision: null,
      rule: facts.rule ?? null,
      lease_id: facts.leaseId ?? null,
      provider: facts.provider ?? null,
      outcome: facts.outcome,
      ...(facts.detail ? { detail: facts.detail } : {}),
    }),
  }
}
