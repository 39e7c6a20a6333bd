export {
  type AlertStats,
  alertLimits,
  type DeliveringAlerter,
  type DeliveryWorld,
  deliverInBackground,
  type LostAlert,
  type SendAlert,
} from './alert-delivery.ts'
export type { BackUpCommand, StoreCopy } from './backup.ts'
export type { BreakerState } from './breaker.ts'
export { type Broker, type Call, createBroker, type RefusedRequest } from './broker.ts'
export { commandLine, shellWord } from './command-line.ts'
export { decide } from './decide.ts'
export type { Allowed, Decision, Denied } from './decision.ts'
export type { Ended } from './ending.ts'
export type { IssueAnswer } from './issue.ts'
export {
  type EndReason,
  type Lease,
  type LeaseFilter,
  type LeaseState,
  leaseBeginnings,
  leaseMoves,
} from './lease.ts'
export { brokerLimits } from './limits.ts'
export { policyUnavailable, readPolicyAnswer } from './policy-answer.ts'
export type * from './ports/index.ts'
export type { Turn } from './reconcile.ts'
export { type ReferenceRequest, resolveReference } from './reference.ts'
export type { IssuedCredential } from './release.ts'
export type { CredentialRequest } from './request.ts'
export type { BulkRevocation } from './revocation.ts'
export type { Inquiry } from './ruling.ts'
export type { BrokerParts } from './world.ts'
