import type { Secret } from '../primitives/index.ts'
import { endLease } from './ending.ts'
import type { Lease } from './lease.ts'
import type { Caller, TokenAuthority, VerifiedToken } from './ports/index.ts'
import type { BrokerWorld } from './world.ts'

/** Whether a token works now (RFC 7662), and its claims when it does. A token of another tenant is not active for the caller. */
export type Introspection =
  | { readonly active: false }
  | { readonly active: true; readonly claims: VerifiedToken['claims'] }

export async function introspect(
  world: BrokerWorld,
  command: { caller: Caller; token: Secret; requestId: string },
): Promise<Introspection> {
  const known = await knownToken(world, command, 'introspect')
  return known?.lease.state === 'live' && known.lease.expiresAt > world.clock.now()
    ? { active: true, claims: known.verified.claims }
    : { active: false }
}

/** Ends a token's lease (RFC 7009). What is not a token of the caller's own tenant is ignored, as the RFC asks (§2.2). */
export async function revokeToken(
  world: BrokerWorld,
  command: { caller: Caller; token: Secret; requestId: string },
): Promise<void> {
  const known = await knownToken(world, command, 'revoke')
  if (known)
    await endLease(world, known.lease, {
      reason: 'revoked',
      requestId: command.requestId,
      by: command.caller,
    })
}

async function knownToken(
  world: BrokerWorld,
  { caller, token, requestId }: { caller: Caller; token: Secret; requestId: string },
  verb: 'introspect' | 'revoke',
): Promise<{ lease: Lease; verified: VerifiedToken } | undefined> {
  for (const authority of authorities(world)) {
    const verified = await authority.verify(token)
    const lease = verified && (await world.leases.find(verified.leaseId))
    if (verified && lease?.tenant === caller.tenant) return { lease, verified }
    // The answer does not tell it from a token that never was; the log does.
    if (lease) {
      await recordDenied(world, { caller, requestId, verb, rule: 'tenant', lease })
      return undefined
    }
  }
  // Whether a token works is asked all day, also of those that are long over; to end what never was is an attempt.
  if (verb === 'revoke') await recordDenied(world, { caller, requestId, verb, rule: 'token_unknown' })
  return undefined
}

async function recordDenied(
  world: BrokerWorld,
  denied: {
    readonly caller: Caller
    readonly requestId: string
    readonly verb: string
    readonly rule: 'tenant' | 'token_unknown'
    readonly lease?: Lease
  },
): Promise<void> {
  const { caller, requestId, verb, rule, lease } = denied
  const entry = world.entries.about('request_denied', {
    caller,
    requestId,
    scope: `${verb} token`,
    decision: 'deny',
    rule,
    outcome: 'denied',
    ...(lease ? { provider: lease.provider } : {}),
  })
  await world.ledger.record({ entry: { ...entry, ...(lease ? { lease_id: lease.id } : {}) } })
}

/** The providers whose credentials are tokens. */
export function authorities(world: BrokerWorld): readonly TokenAuthority[] {
  return [...world.providers.values()].flatMap((provider) => (provider.authority ? [provider.authority] : []))
}
