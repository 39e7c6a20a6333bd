import type { FastifyInstance } from 'fastify'
import {
  backupRoutes,
  createListener,
  credentialRoutes,
  evidenceOf,
  leaseRoutes,
  logRoutes,
  type PlaneParts,
  publicRoutes,
  rotationRoutes,
} from '../http/index.ts'

/** The human plane: an OpenID Connect token alone. */
export function createHumanListener(parts: PlaneParts): FastifyInstance {
  const { broker, now } = parts
  return createListener(
    { ...parts, plane: 'human', evidence: evidenceOf('human', broker.contract.machineKeyHeader) },
    [
      ...credentialRoutes(broker, now),
      ...leaseRoutes(broker),
      ...logRoutes(parts.reader),
      ...rotationRoutes(broker),
      ...backupRoutes(broker, parts.copyStore),
      ...publicRoutes(parts),
    ],
  )
}
