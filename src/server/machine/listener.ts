import type { FastifyInstance } from 'fastify'
import {
  createListener,
  credentialRoutes,
  evidenceOf,
  leaseRoutes,
  logRoutes,
  oauthRoutes,
  type PlaneParts,
  publicRoutes,
} from '../http/index.ts'

/** The machine plane: a client certificate, a platform token, or a machine key in the contract's header. */
export function createMachineListener(parts: PlaneParts): FastifyInstance {
  const { broker, now } = parts
  return createListener(
    { ...parts, plane: 'machine', evidence: evidenceOf('machine', broker.contract.machineKeyHeader) },
    [
      ...credentialRoutes(broker, now),
      ...leaseRoutes(broker),
      ...logRoutes(parts.reader),
      ...oauthRoutes(broker),
      ...publicRoutes(parts),
    ],
  )
}
