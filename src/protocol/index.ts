export { takeBackup } from './backup.ts'
export { getCosignedCheckpoint } from './cosigned-checkpoint.ts'
export {
  credentialRequest,
  duration,
  issueCredential,
  issuedCredential,
  referenceRequest,
} from './credentials.ts'
export { explainRequest, explanation } from './explain.ts'
export { getDocs, getLivez, getMetrics, getOpenapi, getReadyz, readiness } from './health.ts'
export {
  bulkRevocation,
  endedLease,
  getLease,
  lease,
  leaseId,
  leaseQuery,
  listLeases,
  revocationFilter,
  revokeLease,
  revokeLeases,
} from './leases.ts'
export { protocolLimits } from './limits.ts'
export {
  consistencyQuery,
  entriesQuery,
  exportLog,
  getCheckpoint,
  getTile,
  inclusionQuery,
  listEntries,
  proveConsistency,
  proveInclusion,
} from './log.ts'
export { getJwks, getServerMetadata, introspectToken, revokeAccessToken, tokenForm } from './oauth.ts'
export { openapi } from './openapi.ts'
export type { Answer, Operation } from './operation.ts'
export { operations } from './operations.ts'
export { problem } from './problem.ts'
export { receipt } from './receipt.ts'
export { rotateSecret, rotationRequest } from './rotation.ts'
