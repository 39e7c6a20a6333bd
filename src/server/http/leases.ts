import type { Broker, Lease, LeaseFilter } from '../../broker/index.ts'
import { timestamp } from '../../primitives/index.ts'
import {
  getLease,
  leaseId,
  leaseQuery,
  listLeases,
  revocationFilter,
  revokeLease,
  revokeLeases,
} from '../../protocol/index.ts'
import { identified, parsed, type Route } from './exchange.ts'

/** Listing and ending leases, the same on both planes. */
export function leaseRoutes(broker: Broker): readonly Route[] {
  return [
    identified(listLeases, async ({ caller, query }) => {
      const { state, limit, after, ...rest } = parsed(leaseQuery, query, 'query')
      const filter = { ...filterOf(rest), ...(state ? { states: [state] } : {}) }
      const page = await broker.listLeases(caller, filter, {
        limit,
        ...(after === undefined ? {} : { after }),
      })
      return { status: 200, value: { leases: page.leases.map(wireLease), next: page.next } }
    }),
    identified(getLease, async ({ caller, parameters }) => {
      const { id } = parsed(leaseId, parameters, 'path')
      return { status: 200, value: wireLease(await broker.findLease(caller, id)) }
    }),
    identified(revokeLease, async ({ caller, requestId, parameters }) => {
      const { id } = parsed(leaseId, parameters, 'path')
      const ended = await broker.revoke({ caller, requestId, id })
      return { status: 200, value: { lease: wireLease(ended.lease), proof: ended.proof } }
    }),
    identified(revokeLeases, async ({ caller, requestId, body }) => {
      const filter = filterOf(parsed(revocationFilter, body, 'body'))
      return { status: 200, value: await broker.revokeWhere({ caller, requestId, filter }) }
    }),
  ]
}

type Named = { readonly [Name in 'tenant' | 'agent' | 'service' | 'mode']?: string | undefined }

function filterOf({ tenant, agent, service, mode }: Named): LeaseFilter {
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(agent === undefined ? {} : { agent }),
    ...(service === undefined ? {} : { service }),
    ...(mode === undefined ? {} : { mode }),
  }
}

function wireLease(lease: Lease) {
  return {
    lease_id: lease.id,
    tenant: lease.tenant,
    agent_id: lease.agent,
    plane: lease.plane,
    mode: lease.mode,
    service: lease.service,
    action: lease.action,
    resource: lease.resource,
    scope: lease.scope,
    provider: lease.provider,
    grant: lease.grant,
    state: lease.state,
    created_at: timestamp(lease.createdAt),
    expires_at: timestamp(lease.expiresAt),
    provider_not_after: timestamp(lease.providerExpiresAt),
    handle: lease.handle,
    request_id: lease.requestId,
    end_reason: lease.endReason,
    ended_at: instant(lease.endedAt),
    refused_at: instant(lease.refusedAt),
    end_attempts: lease.endAttempts,
    next_try_at: lease.state === 'ending' ? instant(lease.nextActionAt) : undefined,
    last_error: lease.lastError,
  }
}

function instant(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : timestamp(milliseconds)
}
