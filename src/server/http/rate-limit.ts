import { isIPv6 } from 'node:net'
import type { Caller } from '../../broker/index.ts'
import { Failure, type FailureCode, unmappedAddress } from '../../primitives/index.ts'

/** How often somebody may ask, by name. `PerSecond` is the lasting rate, `Burst` what may come at once after a pause. */
export const rateLimits = {
  agentPerSecond: 200,
  agentBurst: 400,
  /** Ten times an agent's, so that no single agent uses up what its colleagues have. */
  tenantPerSecond: 2_000,
  tenantBurst: 4_000,
  /** Failed identifications of one address before they are told to slow down. */
  refusedPerSecond: 1,
  refusedBurst: 20,
  /** Addresses that are remembered; the one longest unseen is forgotten first. */
  addressesMax: 10_000,
} as const

export type RateLimits = { readonly [Name in keyof typeof rateLimits]: number }

/**
 * Slows down whoever asks too often, and nobody else. What counts against an identity is only what that identity has proven to have sent,
 * so that a wrong key, a stranger's certificate or a victim's name in a token locks nobody out. What fails to identify counts against
 * its address, and there it slows down failures alone: whoever shares the address and proves who it is gets in as before.
 */
export interface RateLimiter {
  /** Throws `rate_limited` when the proven caller, or its tenant, asks too often. What is refused counts against nobody. */
  admit(caller: Caller): void
  /** What to answer instead of the refusal when this address failed too often; `undefined` while it has not. */
  afterRefusal(code: FailureCode, address: string): Failure | undefined
}

/** Buckets of tokens in memory: one for each agent and tenant of the contract, and one for each address up to a bound. */
export function createRateLimiter(now: () => number, changed: Partial<RateLimits> = {}): RateLimiter {
  const limits = { ...rateLimits, ...changed }
  const agents = createBuckets(now, { perSecond: limits.agentPerSecond, burst: limits.agentBurst })
  const tenants = createBuckets(now, { perSecond: limits.tenantPerSecond, burst: limits.tenantBurst })
  const addresses = createBuckets(now, {
    perSecond: limits.refusedPerSecond,
    burst: limits.refusedBurst,
    bucketsMax: limits.addressesMax,
  })
  return {
    admit({ tenant, agent, plane }) {
      // The agent's own bucket first: what it may not send any more takes nothing from its tenant.
      if (!agents.take(JSON.stringify([tenant, agent, plane])))
        throw tooOften(`The agent ${agent} asks more than ${limits.agentPerSecond} times a second.`)
      if (!tenants.take(tenant))
        throw tooOften(`The tenant ${tenant} asks more than ${limits.tenantPerSecond} times a second.`)
    },
    afterRefusal(code, address) {
      // That an issuer is down is no fault of who asks.
      if (code === 'issuer_unavailable' || addresses.take(network(address))) return undefined
      return tooOften(
        'Too many requests from this address did not prove who calls, and neither did this one.',
      )
    },
  }
}

function tooOften(message: string): Failure {
  return new Failure('rate_limited', message, { next: 'try again after the seconds of Retry-After' })
}

/** What one holder of addresses has: an IPv4 address, or the /64 of an IPv6 one (RFC 4291 §2.5.4). */
export function network(address: string): string {
  const plain = unmappedAddress(address)
  if (!isIPv6(plain)) return plain
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const [first, last] = [groups(head), groups(tail)]
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0')
  const whole = address.includes('::') ? [...first, ...zeros, ...last] : first
  return `${whole
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`
}

type Bucket = { tokens: number; at: number }

function createBuckets(
  now: () => number,
  { perSecond, burst, bucketsMax = Infinity }: { perSecond: number; burst: number; bucketsMax?: number },
) {
  const buckets = new Map<string, Bucket>()
  return {
    /** Whether there was a token left. */
    take(name: string): boolean {
      const time = now()
      const { tokens, at } = buckets.get(name) ?? { tokens: burst, at: time }
      // A clock that went backwards gives nothing and takes nothing.
      const filled = Math.min(burst, tokens + (Math.max(0, time - at) / 1000) * perSecond)
      const taken = filled >= 1
      // Set anew, so that the one longest unseen is always the first of the map.
      buckets.delete(name)
      buckets.set(name, { tokens: taken ? filled - 1 : filled, at: time })
      const [oldest] = buckets.keys()
      if (buckets.size > bucketsMax && oldest !== undefined) buckets.delete(oldest)
      return taken
    },
  }
}
