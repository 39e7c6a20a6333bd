import type { Lease, LeaseFilter } from '../lease.ts'

export type LeasePage = { readonly leases: readonly Lease[]; readonly next?: string }

/** Reads leases. They are written through the ledger alone, together with their entry. */
export interface LeaseStore {
  find(id: string): Promise<Lease | undefined>
  /** The lease that this agent opened under this key, whatever its state. */
  findByIdempotencyKey(owner: {
    tenant: string
    agent: string
    keyDigest: string
  }): Promise<Lease | undefined>
  /** Newest first; `after` is the `next` of the page before; at most `limit` (1 to 1000). */
  list(filter: LeaseFilter, page: { after?: string; limit: number }): Promise<LeasePage>
  /** Leases whose `nextActionAt` is at or before that time, the oldest first. */
  due(now: number, limit: number): Promise<readonly Lease[]>
  /** How many there are in each state. */
  count(): Promise<Readonly<Record<Lease['state'], number>>>
}
