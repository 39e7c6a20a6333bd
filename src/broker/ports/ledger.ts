import type { Plane } from '../../contract/index.ts'
import type { Lease } from '../lease.ts'

/** What happened. */
export type EntryEvent =
  | 'broker_started'
  | 'identity_refused'
  | 'request_refused'
  | 'request_denied'
  | 'request_explained'
  | 'credential_intended'
  | 'credential_issued'
  | 'credential_failed'
  | 'lease_ending'
  | 'lease_ended'
  | 'lease_end_failed'
  | 'leases_revoked'
  | 'orphan_found'
  | 'secret_rotated'
  | 'backup_taken'
  | 'log_writable_again'
  | 'log_restored'

/**
 * One entry of the audit log before the log gives it its place. `timestamp`, `agent_id`, `scope`, `expiry` and `request_id` are seed
 * 004 §5; the rest is what a reader needs. Never a secret. Times are RFC 3339.
 */
export type EntryDraft = {
  readonly event: EntryEvent
  readonly timestamp: string
  readonly agent_id: string
  readonly tenant: string
  readonly plane: Plane | 'broker'
  readonly mode: string
  readonly scope: string
  readonly expiry: string | null
  readonly request_id: string
  readonly decision: 'allow' | 'deny' | null
  readonly rule: string | null
  readonly lease_id: string | null
  readonly provider: string | null
  readonly contract: string
  readonly outcome: string
  /** Further facts, flat: numbers, booleans and short texts. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>
}

/** A lease as it is to be from now on; `opens` for a new one. One change is one entry and at most one lease, together or not at all. */
export type LedgerChange = {
  readonly entry: EntryDraft
  readonly lease?: Lease
  /** Others are about to be recorded too: it may wait a few milliseconds for them, to share one commit. */
  readonly unhurried?: boolean
}

/** Where an entry stands: enough to prove it later against a checkpoint (RFC 6962 leaf hash, signed note). */
export type EntryReceipt = {
  /** Position from 0. */
  readonly index: number
  /** Hexadecimal SHA-256 of 0x00 and the entry's bytes. */
  readonly leafHash: string
  /** The signed checkpoint whose tree holds it. */
  readonly checkpoint: string
}

export interface Ledger {
  /**
   * Appends the entry and applies the lease in one durable transaction. MUST resolve only after the data would survive a power
   * cut; MUST throw `log_unwritable` when it cannot be written, and then neither is there. Entries stand in the order of calls.
   */
  record(change: LedgerChange): Promise<EntryReceipt>
  /** Whether the last write worked; issuing stops while it did not. */
  writable(): boolean
}
