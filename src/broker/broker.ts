import type { Contract, Mode } from '../contract/index.ts'
import { Failure, type FailureCode, type Secret } from '../primitives/index.ts'
import { type BackUpCommand, backUp, type StoreCopy } from './backup.ts'
import { type BreakerState, createBreaker } from './breaker.ts'
import { createBulkhead } from './bulkhead.ts'
import type { Decision } from './decision.ts'
import type { Ended } from './ending.ts'
import { askedScope, createEntryWriter } from './entry.ts'
import { createIdempotency, keyDigest, requestDigest } from './idempotency.ts'
import { authorities, type Introspection, introspect, revokeToken } from './introspection.ts'
import { decideWithinTruth, type IssueAnswer, issue } from './issue.ts'
import type { Lease, LeaseFilter } from './lease.ts'
import { brokerLimits } from './limits.ts'
import { watchLedger } from './outage.ts'
import { createPatience } from './patience.ts'
import type {
  Caller,
  EntryDraft,
  EntryReceipt,
  IdentityRefused,
  LeasePage,
  TokenAuthority,
} from './ports/index.ts'
import { reconcile, type Turn, turnForEver } from './reconcile.ts'
import { referenceDetail } from './reference.ts'
import type { CredentialRequest } from './request.ts'
import { type BulkRevocation, reachableLease, revoke, revokeWhere, withinReach } from './revocation.ts'
import { type RotateCommand, rotate } from './rotation.ts'
import { createShelf } from './shelf.ts'
import type { BrokerParts, BrokerWorld } from './world.ts'

/** What every call carries: the proven caller and the trace id of the action. */
export type Call = { readonly caller: Caller; readonly requestId: string }

/** About a refused request. `repeated`: how many more of its kind came from the same source, for which there is no entry. */
export type RefusedRequest = {
  readonly requestId: string
  readonly plane: Caller['plane']
  readonly scope: string
  readonly caller?: Caller
  readonly address?: string
  readonly repeated?: number
}

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
  /** Records a request that was refused before anything was decided: nobody was let in, or `caller` was and asked for what there is not. */
  recordRefusal(refused: Pick<IdentityRefused, 'code' | 'subject'>, about: RefusedRequest): Promise<void>
  findLease(caller: Caller, id: string): Promise<Lease>
  /** The leases within the caller's reach. Throws `not_permitted` when the filter reaches past it. */
  listLeases(caller: Caller, filter: LeaseFilter, page: { after?: string; limit: number }): Promise<LeasePage>
  revoke(call: Call & { id: string }): Promise<Ended>
  revokeWhere(call: Call & { filter: LeaseFilter }): Promise<BulkRevocation>
  rotate(command: RotateCommand): Promise<string>
  backUp<Copy extends StoreCopy>(command: BackUpCommand<Copy>): Promise<Copy>
  introspect(call: Call & { token: Secret }): Promise<Introspection>
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
  run: (options: Parameters<typeof turnForEver>[2]) => Promise<void>
}

export function createBroker(parts: BrokerParts): Broker {
  const { contract, mode, clock, leases } = parts
  const world = createWorld(parts)
  const idempotency = createIdempotency<IssueAnswer>(clock, leases, (answer) =>
    answer.kind === 'issued' ? answer.lease.id : undefined,
  )
  const turn: Broker['reconcile'] = (options) => {
    idempotency.forget()
    return reconcile(world, options)
  }
  return {
    contract,
    mode,
    async issue({ idempotencyKey, deadline = clock.now() + brokerLimits.mintDeadlineMs, ...call }, signal) {
      if (idempotencyKey === undefined)
        return { answer: await issue(world, { ...call, deadline }, signal), replayed: false }
      const digest = keyDigest(idempotencyKey)
      const owner = { caller: call.caller, keyDigest: digest, requestDigest: requestDigest(call.request) }
      // Whoever comes back with the key may want the answer, so a caller that leaves does not stop the work; its deadline does.
      const nobody = new AbortController().signal
      return idempotency.once(owner, () =>
        issue(world, { ...call, deadline, idempotencyKeyDigest: digest }, nobody),
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
      await world.ledger.record({ entry: refusalEntry(world, refused, about) })
    },
    findLease: (caller, id) => reachableLease(world, caller, id),
    async listLeases(caller, filter, page) {
      const reach = withinReach(caller, filter)
      if (reach) return leases.list(reach, page)
      throw new Failure('not_permitted', 'Your identity may not see those leases.', {
        next: 'leave out who is not you, or ask an identity with the role operator of that tenant, or platform',
      })
    },
    revoke: (call) => revoke(world, call),
    revokeWhere: (call) => revokeWhere(world, call),
    rotate: (command) => rotate(world, command),
    backUp: (command) => backUp(world, command),
    introspect: (call) => introspect(world, call),
    revokeToken: (call) => revokeToken(world, call),
    authorities: () => authorities(world),
    async health() {
      const states = [...world.breakers].map(([name, breaker]) => [name, breaker.state()] as const)
      return {
        leases: await leases.count(),
        breakers: Object.fromEntries(states),
        writable: world.ledger.writable(),
      }
    },
    reconcile: turn,
    run: (options) => turnForEver(turn, clock, options),
  }
}

function createWorld(parts: BrokerParts): BrokerWorld {
  const { contract, mode, clock, providers } = parts
  const entries = createEntryWriter(contract, mode, () => clock.now())
  return {
    ...parts,
    ...watchLedger(parts, entries),
    entries,
    breakers: new Map([...providers.keys()].map((name) => [name, createBreaker(clock, name)])),
    bulkheads: new Map([...providers.keys()].map((name) => [name, createBulkhead(brokerLimits.mintsEach)])),
    localMints: createPatience(clock, brokerLimits.localMintMs),
    minting: new Map(),
    endings: new Map(),
    keepsakes: createShelf(brokerLimits.keepsakesMax),
  }
}

function refusalEntry(
  world: BrokerWorld,
  { code, subject }: Pick<IdentityRefused, 'code' | 'subject'>,
  { caller, address, repeated, ...about }: RefusedRequest,
): EntryDraft {
  const detail = {
    ...(address === undefined ? {} : { address }),
    ...(repeated === undefined ? {} : { repeated }),
  }
  const facts = { ...about, rule: code, outcome: 'refused' }
  if (caller) return world.entries.about('request_refused', { ...facts, caller, decision: null, detail })
  return world.entries.ofBroker(
    subject === undefined && isAboutNobody(code) ? 'request_refused' : 'identity_refused',
    {
      ...facts,
      agent: '',
      detail: { ...detail, ...(subject === undefined ? {} : { subject }) },
    },
  )
}

/** What is refused without anybody having been asked who calls. */
function isAboutNobody(code: FailureCode): boolean {
  return code.startsWith('request_') || code === 'not_found' || code === 'method_not_allowed'
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
    detail: referenceDetail(world.contract, call.request),
  })
  return { ...decision, receipt: await world.ledger.record({ entry }) }
}
