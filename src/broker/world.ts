import type { Contract, Mode } from '../contract/index.ts'
import type { Clock, RandomBytes } from '../primitives/index.ts'
import type { Breaker } from './breaker.ts'
import type { Bulkhead } from './bulkhead.ts'
import type { EndCause, Ended } from './ending.ts'
import type { EntryWriter } from './entry.ts'
import type { Outage } from './outage.ts'
import type { Alerter, Credential, LeaseStore, Ledger, PolicyEngine, Provider } from './ports/index.ts'
import type { Shelf } from './shelf.ts'

/** Everything outside that the broker needs, each behind its port. */
export type BrokerParts = {
  readonly contract: Contract
  readonly mode: Mode
  readonly policy: PolicyEngine
  /** By the names of the contract's `providers`. */
  readonly providers: ReadonlyMap<string, Provider>
  readonly ledger: Ledger
  readonly leases: LeaseStore
  readonly alerter: Alerter
  readonly clock: Clock
  readonly random: RandomBytes
}

/** A mint that is going on in this process. */
export type Minting = {
  /** Set when somebody wants it to end meanwhile: then it never leaves. */
  cause: EndCause | undefined
  readonly stop: AbortController
  /** Resolves when it has come to its end, whichever. */
  readonly over: Promise<void>
}

/** The parts, and what the rooms of the flow share in memory. Losing it loses no record. */
export type BrokerWorld = BrokerParts & {
  readonly entries: EntryWriter
  readonly breakers: ReadonlyMap<string, Breaker>
  readonly bulkheads: ReadonlyMap<string, Bulkhead>
  /** Gives up on a mint in this process that does not come to its end. */
  readonly localMints: <T>(mint: Promise<T>) => Promise<T>
  /** By lease id. A lease that is `intended` and not here is an orphan. */
  readonly minting: Map<string, Minting>
  /** Endings that are going on in this process, by lease id. */
  readonly endings: Map<string, Promise<Ended>>
  /** Credentials of live leases that can be tried when dead; in memory alone. */
  readonly keepsakes: Shelf<Credential>
  readonly outage: Outage
}
