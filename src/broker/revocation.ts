import { Failure } from '../primitives/index.ts'
import { type Ended, endAll, endLease } from './ending.ts'
import type { Lease, LeaseFilter } from './lease.ts'
import type { Caller, EntryDraft } from './ports/index.ts'
import type { BrokerWorld } from './world.ts'

/** Which leases a caller may see and end: its own; an operator's tenant; every tenant for the platform role. */
export function withinReach(caller: Caller, filter: LeaseFilter): LeaseFilter | undefined {
  if (caller.roles.includes('platform')) return filter
  if (filter.tenant !== undefined && filter.tenant !== caller.tenant) return undefined
  if (caller.roles.includes('operator')) return { ...filter, tenant: caller.tenant }
  if (filter.agent !== undefined && filter.agent !== caller.agent) return undefined
  return { ...filter, tenant: caller.tenant, agent: caller.agent }
}

/** The lease, if the caller may see it; else `lease_unknown`, the same as for one that never was. */
export async function reachableLease(world: BrokerWorld, caller: Caller, id: string): Promise<Lease> {
  const lease = await world.leases.find(id)
  const reach = lease && withinReach(caller, {})
  const seen =
    lease &&
    reach &&
    (reach.tenant ?? lease.tenant) === lease.tenant &&
    (reach.agent ?? lease.agent) === lease.agent
  if (lease && seen) return lease
  throw new Failure('lease_unknown', 'There is no such lease within your reach.', {
    next: 'GET /v1/leases lists those there are',
  })
}

/** Ends one lease that the caller may end. Ending an ended lease succeeds. */
export async function revoke(
  world: BrokerWorld,
  command: { caller: Caller; id: string; requestId: string },
): Promise<Ended> {
  const lease = await reachableLease(world, command.caller, command.id)
  return endLease(world, lease, { reason: 'revoked', requestId: command.requestId, by: command.caller })
}

type RevokeCommand = { readonly caller: Caller; readonly filter: LeaseFilter; readonly requestId: string }

export type BulkRevocation = { readonly refused: number; readonly unproven: number; readonly pending: number }

/**
 * Ends every lease that matches and was there when the walk came by; for what an agent asks for meanwhile, its grant is to be taken
 * away first. One entry says who asked for what and how many ended, also when none did. Throws `not_permitted`, which is recorded, when
 * the filter reaches past the caller.
 */
export async function revokeWhere(world: BrokerWorld, command: RevokeCommand): Promise<BulkRevocation> {
  const reach = withinReach(command.caller, command.filter)
  if (!reach) {
    await world.ledger.record({ entry: refusal(world, command) })
    throw new Failure('not_permitted', 'Your identity may not end those leases.', {
      next: 'ask an identity with the role operator of that tenant, or platform',
      recorded: true,
    })
  }
  const tally = { refused: 0, unproven: 0, pending: 0 }
  const cause = { reason: 'revoked', requestId: command.requestId, by: command.caller } as const
  for await (const leases of liveLeases(world, reach)) {
    await endAll(world, leases, async (lease) => {
      tally[(await endLease(world, lease, cause)).proof] += 1
    })
  }
  await world.ledger.record({ entry: telling(world, command, tally) })
  return tally
}

function refusal(world: BrokerWorld, { caller, filter, requestId }: RevokeCommand): EntryDraft {
  return world.entries.about('request_denied', {
    caller,
    requestId,
    scope: askedFor(filter),
    decision: 'deny',
    rule: 'not_permitted',
    outcome: 'denied',
  })
}

function telling(
  world: BrokerWorld,
  { caller, filter, requestId }: RevokeCommand,
  tally: BulkRevocation,
): EntryDraft {
  const role = (['platform', 'operator'] as const).find((one) => caller.roles.includes(one))
  return world.entries.about('leases_revoked', {
    caller,
    requestId,
    scope: askedFor(filter),
    decision: 'allow',
    rule: role === undefined ? 'own' : `role:${role}`,
    outcome: 'revoked',
    detail: { ...tally },
  })
}

/** Tenant, agent, service and mode as they were asked for. */
function askedFor({ tenant, agent, service, mode }: LeaseFilter): string {
  return `revoke ${[tenant, agent, service, mode].map((word) => word ?? '*').join(' ')}`
}

/** Page after page of the leases that can be ended. */
async function* liveLeases(world: BrokerWorld, filter: LeaseFilter): AsyncGenerator<readonly Lease[]> {
  let after: string | undefined
  do {
    const page = await world.leases.list(
      { ...filter, states: ['intended', 'live', 'ending'] },
      { limit: 1000, ...(after === undefined ? {} : { after }) },
    )
    yield page.leases
    after = page.next
  } while (after !== undefined)
}
