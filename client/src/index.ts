export { type Client, createClient } from './client.ts'
export { SallyportError } from './error.ts'
export type { Identity } from './identity.ts'
export type { ClientOptions } from './transport.ts'
export type {
  BulkRevocation,
  Credential,
  CredentialRequest,
  Denial,
  EndedLease,
  Explanation,
  InclusionProof,
  Issued,
  Lease,
  LeaseQuery,
  LogEntries,
  Receipt,
  ReferenceRequest,
  RevocationFilter,
  WordedRequest,
} from './wire.ts'
