import type { Contract, Mode } from '../contract/index.ts'
import type { Secret } from '../primitives/index.ts'
import { type BreakerState, createBreaker } from './breaker.ts'
import type { Decision } from './decision.ts'
import type { Ended } from './ending.ts'
import { askedScope, createEntryWriter } from './entry.ts'
import { createIdempotency, keyDigest, requestDigest } from './idempotency.ts'
import { authorities, type Introspection, introspect, revokeToken } from './introspection.ts'
import { decideWithinTruth, type IssueAnswer, issue } from './issue.ts'
import type { Lease, LeaseFilter } from './lease.ts'
import { brokerLimits } from './limits.ts'
import type { Caller, EntryReceipt, Identified, LeasePage, TokenAuthority } from './ports/index.ts'
import { reconcile, reconcileForEver, type Turn } from './reconcile.ts'
import type { CredentialRequest } from './request.ts'
import { type BulkRevocation, reachableLease, revoke, revokeWhere, withinReach } from './revocation.ts'
import { type RotateCommand, rotate } from './rotation.ts'
import type { BrokerParts, BrokerWorld } from './world.ts'

/** What every call carries: the proven caller and the trace id of the action. */
export type Call = { readonly caller: Caller; readonly requestId: string }

export type Broker = {
  readonly contract: Contract
  readonly mode: Mode
  /** Decides, records, mints, seals and releases; or denies. `deadline` in milliseconds since 1970. */
  issue(
    call: Call & { request: CredentialRequest; idempotencyKey?: string; deadline?: number },
    signal: AbortSignal,
  ): Promise<{ readonly answer: IssueAnswer; readonly replayed: boolean }>
  /** The same decision by the same engine; nothing is minted. */
  explain(
    call: Call & { request: CredentialRequest },
    signal: AbortSignal,
  ): Promise<Decision & { receipt: EntryReceipt }>
  /** Records that this process begins to serve, with the policy that it decides by. */
  recordStart(requestId: string): Promise<void>
  /** Records that somebody was not let in. */
  recordRefusal(
    refused: Extract<Identified, { kind: 'refused' }>,
    about: Pick<Call, 'requestId'> & { plane: Caller['plane']; scope: string },
  ): Promise<void>
  findLease(caller: Caller, id: string): Promise<Lease>
  /** The leases within the caller's reach; empty when the filter reaches past it. */
  listLeases(caller: Caller, filter: LeaseFilter, page: { after?: string; limit: number }): Promise<LeasePage>
  revoke(call: Call & { id: string }): Promise<Ended>
  revokeWhere(call: Call & { filter: LeaseFilter }): Promise<BulkRevocation>
  rotate(command: RotateCommand): Promise<string>
  introspect(caller: Caller, token: Secret): Promise<Introspection>
  revokeToken(call: Call & { token: Secret }): Promise<void>
  authorities(): readonly TokenAuthority[]
  /** How many leases are in each state, and how each provider's breaker stands. */
  health(): Promise<{
    leases: Readonly<Record<Lease['state'], number>>
    breakers: Readonly<Record<string, BreakerState>>
    writable: boolean
  }>
  /** One turn of the reconciler; `run` turns until its signal aborts. */
  reconcile(options: { requestId: string; sweep: boolean }): Promise<Turn>
  run: (options: Parameters<typeof reconcileForEver>[1]) => Promise<void>
}

export function createBroker(parts: BrokerParts): Broker {
  const { contract, mode, clock, leases } = parts
  const breakers = new Map([...parts.providers.keys()].map((name) => [name, createBreaker(clock, name)]))
  const world: BrokerWorld = {
    ...parts,
    entries: createEntryWriter(contract, mode, () => clock.now()),
    breakers,
    minting: new Map(),
    keepsakes: new Map(),
  }
  const idempotency = createIdempotency<IssueAnswer>(clock, leases, (answer) =>
    answer.kind === 'issued' ? answer.lease.id : undefined,
  )
  return {
    contract,
    mode,
    async issue({ idempotencyKey, deadline = clock.now() + brokerLimits.mintDeadlineMs, ...call }, signal) {
      if (idempotencyKey === undefined)
        return { answer: await issue(world, { ...call, deadline }, signal), replayed: false }
      const digest = keyDigest(idempotencyKey)
      const owner = { caller: call.caller, keyDigest: digest, requestDigest: requestDigest(call.request) }
      return idempotency.once(owner, () =>
        issue(world, { ...call, deadline, idempotencyKeyDigest: digest }, signal),
      )
    },
    explain: (call, signal) => explain(world, call, signal),
    async recordStart(requestId) {
      const detail = { policy: parts.policy.revision }
      await world.ledger.record({
        entry: world.entries.ofBroker('broker_started', { requestId, outcome: 'started', detail }),
      })
    },
    async recordRefusal(refused, about) {
      const entry = world.entries.ofBroker('identity_refused', {
        ...about,
        agent: '',
        rule: refused.code,
        outcome: 'refused',
        ...(refused.subject ? { detail: { subject: refused.subject } } : {}),
      })
      await world.ledger.record({ entry })
    },
    findLease: (caller, id) => reachableLease(world, caller, id),
    async listLeases(caller, filter, page) {
      const reach = withinReach(caller, filter)
      return reach ? leases.list(reach, page) : { leases: [] }
    },
    revoke: (call) => revoke(world, call),
    revokeWhere: (call) => revokeWhere(world, call),
    rotate: (command) => rotate(world, command),
    introspect: (caller, token) => introspect(world, caller, token),
    revokeToken: (call) => revokeToken(world, call),
    authorities: () => authorities(world),
    async health() {
      const states = [...breakers].map(([name, breaker]) => [name, breaker.state()] as const)
      return {
        leases: await leases.count(),
        breakers: Object.fromEntries(states),
        writable: world.ledger.writable(),
      }
    },
    reconcile: (options) => reconcile(world, options),
    run: (options) => reconcileForEver(world, options),
  }
}

async function explain(world: BrokerWorld, call: Call & { request: CredentialRequest }, signal: AbortSignal) {
  const decision = await decideWithinTruth(world, call, signal)
  const entry = world.entries.about('request_explained', {
    caller: call.caller,
    requestId: call.requestId,
    scope: askedScope(call.request),
    decision: decision.kind === 'allowed' ? 'allow' : 'deny',
    rule: decision.rule,
    outcome: 'explained',
  })
  return { ...decision, receipt: await world.ledger.record({ entry }) }
}
