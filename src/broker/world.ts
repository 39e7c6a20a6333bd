import type { Contract, Mode } from '../contract/index.ts'
import type { Clock, RandomBytes } from '../primitives/index.ts'
import type { Breaker } from './breaker.ts'
import type { EndCause } from './ending.ts'
import type { EntryWriter } from './entry.ts'
import type { Alerter, Credential, LeaseStore, Ledger, PolicyEngine, Provider } from './ports/index.ts'

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

/** The parts, and what the rooms of the flow share in memory. Losing it loses no record. */
export type BrokerWorld = BrokerParts & {
  readonly entries: EntryWriter
  readonly breakers: ReadonlyMap<string, Breaker>
  /** Leases whose mint is going on in this process, each with the cause that has come meanwhile to end it. */
  readonly minting: Map<string, EndCause | undefined>
  /** Credentials of live leases that can be tried when dead; in memory alone. */
  readonly keepsakes: Map<string, Credential>
}
