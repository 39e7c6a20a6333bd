export type { Allowed, Decision, Denied } from './decision.ts'
export { type EndReason, type Lease, type LeaseFilter, type LeaseState, leaseMoves } from './lease.ts'
export type * from './ports/index.ts'
export type { CredentialRequest } from './request.ts'
