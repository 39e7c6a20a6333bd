import type {
  Capabilities,
  Minted,
  MintedReference,
  MintOrder,
  Provider,
  ProviderDefinition,
} from '../../../broker/index.ts'
import type { Action } from '../../../contract/index.ts'
import { type Clock, Failure, type FailureCode } from '../../../primitives/index.ts'
import type { CredentialProvider, PluggedAs } from './credential-provider.ts'
import { createMemory, type Memory } from './memory.ts'
import { mintedFrom } from './minted.ts'
import { readConfig, readMeans, type ScopeMeans, scopeText } from './scope.ts'

/**
 * Plugs in an object that implements the seed's own interface (004 §7), unchanged. What the interface cannot say is said in
 * `options`; what is not said is taken to be the worst, and a provider that can neither end nor revoke is for development alone.
 */
export function fromCredentialProvider(provider: CredentialProvider, options: PluggedAs): ProviderDefinition {
  const capabilities = capabilitiesOf(options)
  return {
    kind: options.kind,
    developmentOnly: !capabilities.endsByItself && capabilities.revocation === 'none',
    async create(entry, actions, { clock }) {
      readConfig(entry)
      const meanings = new Map(actions.map((action) => [action, readMeans(action, entry)]))
      const meansOf = (action: Action) => meanings.get(action) ?? readMeans(action, entry)
      const memory = createMemory(clock)
      return createPlugged({ provider, options, capabilities, clock, memory, meansOf })
    },
  }
}

/** A hundred years: what stands for "for ever" in a number of seconds. */
const foreverSeconds = 3_155_760_000
const ttlSecondsMaxDefault = 900

function capabilitiesOf(options: PluggedAs): Capabilities {
  const { revocation = 'none', endsByItself = false, rotates = [] } = options
  const providerTtlSecondsMin = options.providerTtlSecondsMin ?? (endsByItself ? 1 : foreverSeconds)
  return {
    revocation,
    revocationNote: options.revocationNote ?? revocationNotes[revocation],
    endsByItself,
    providerTtlSecondsMin,
    ttlSecondsMax: options.ttlSecondsMax ?? Math.max(ttlSecondsMaxDefault, providerTtlSecondsMin),
    probes: false,
    rotates,
  }
}

const revocationNotes = {
  immediate: 'The provider revokes it at once.',
  eventual: 'The provider revokes it within minutes.',
  none: 'The provider does not say that it can revoke it.',
} as const

type Plugged = {
  readonly provider: CredentialProvider
  readonly options: PluggedAs
  readonly capabilities: Capabilities
  readonly clock: Clock
  readonly memory: Memory
  readonly meansOf: (action: Action) => ScopeMeans
}

function createPlugged(plugged: Plugged): Provider {
  const { provider, capabilities } = plugged
  return {
    capabilities,
    mint: (order, signal) => mint(plugged, order, signal),
    revoke: (reference, signal) => revoke(plugged, reference, signal),
    async rotate(target, signal) {
      signal.throwIfAborted()
      if (!capabilities.rotates.includes(target))
        throw new Failure('rotation_unsupported', 'The provider does not say that it rotates this.')
      await within(
        signal,
        call('provider_unreachable', () => provider.rotate(target)),
      )
      return `${target} was rotated by its provider`
    },
  }
}

async function mint(plugged: Plugged, order: MintOrder, signal: AbortSignal): Promise<Minted> {
  const { provider, options, capabilities, clock, memory } = plugged
  signal.throwIfAborted()
  await endEarlier(plugged, order.leaseId, signal)
  const askedSeconds = Math.floor((order.notAfter - clock.now()) / 1000)
  if (askedSeconds < 1) throw new Failure('provider_refused', 'A credential lives for one second at least.')
  const means = plugged.meansOf(order.action)
  const { rejectedMintLeavesNothing: rejectionLeavesNothing = false } = options
  // A rejection that may have left a credential gets a code that is not tried again.
  const code = rejectionLeavesNothing ? 'provider_unreachable' : 'provider_answer_invalid'
  const calling = call(code, () => provider.mint(scopeText(means, order.parts), askedSeconds))
  memory.remember(order.leaseId, calling, { rejectionLeavesNothing })
  const given = await within(signal, calling)
  return mintedFrom(given, { order, means, askedSeconds, capabilities, answeredAt: clock.now() })
}

/** A second mint for one lease comes after an answer that was lost: the first credential ends before there is another. */
async function endEarlier(plugged: Plugged, leaseId: string, signal: AbortSignal): Promise<void> {
  const earlier = await within(signal, plugged.memory.outcome(leaseId))
  if (earlier.kind === 'nothing') return
  if (earlier.kind === 'unknown' || plugged.capabilities.revocation === 'none')
    throw new Failure('provider_answer_invalid', 'What an earlier try may have minted cannot be revoked.')
  await revokeToken(plugged, { leaseId, tokenId: earlier.tokenId }, signal)
}

async function revoke(plugged: Plugged, reference: MintedReference, signal: AbortSignal): Promise<void> {
  const { capabilities, clock, memory } = plugged
  const { leaseId, handle, providerNotAfter } = reference
  signal.throwIfAborted()
  if (capabilities.revocation === 'none') return
  if (handle) return revokeToken(plugged, { leaseId, tokenId: handle }, signal)
  const outcome = await within(signal, memory.outcome(leaseId))
  if (outcome.kind === 'nothing') return
  if (outcome.kind === 'minted') return revokeToken(plugged, { leaseId, tokenId: outcome.tokenId }, signal)
  if (capabilities.endsByItself && clock.now() >= providerNotAfter) return
  throw new Failure('provider_refused', 'Something may have been minted, and nobody knows its id.', {
    next: 'look at the provider itself for what was minted at that time',
  })
}

async function revokeToken(
  plugged: Plugged,
  token: { leaseId: string; tokenId: string },
  signal: AbortSignal,
): Promise<void> {
  await within(
    signal,
    call('provider_unreachable', () => plugged.provider.revoke(token.tokenId)),
  )
  plugged.memory.forget(token.leaseId)
}

/** The object's own errors stay with the log. */
async function call<Result>(code: FailureCode, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (thrown) {
    const internal = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : 'no error was thrown'
    throw new Failure(code, 'The provider failed.', { internal: internal.slice(0, 512), cause: thrown })
  }
}

/** The interface takes no signal: the caller stops waiting, and what still comes is remembered. */
async function within<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
