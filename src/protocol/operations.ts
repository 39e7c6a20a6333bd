import { takeBackup } from './backup.ts'
import { getCosignedCheckpoint } from './cosigned-checkpoint.ts'
import { issueCredential } from './credentials.ts'
import { explainRequest } from './explain.ts'
import { getDocs, getLivez, getMetrics, getOpenapi, getReadyz } from './health.ts'
import { getLease, listLeases, revokeLease, revokeLeases } from './leases.ts'
import { exportLog, getCheckpoint, getTile, listEntries, proveConsistency, proveInclusion } from './log.ts'
import { getJwks, getServerMetadata, introspectToken, revokeAccessToken } from './oauth.ts'
import type { Operation } from './operation.ts'
import { rotateSecret } from './rotation.ts'

/** Every operation there is. A listener serves those of its plane. */
export const operations: readonly Operation[] = [
  issueCredential,
  explainRequest,
  listLeases,
  getLease,
  revokeLease,
  revokeLeases,
  rotateSecret,
  takeBackup,
  listEntries,
  proveInclusion,
  proveConsistency,
  exportLog,
  getCheckpoint,
  getCosignedCheckpoint,
  getTile,
  getJwks,
  getServerMetadata,
  introspectToken,
  revokeAccessToken,
  getLivez,
  getReadyz,
  getMetrics,
  getOpenapi,
  getDocs,
]
