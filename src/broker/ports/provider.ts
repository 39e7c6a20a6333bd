import type { Action, Place, ProviderEntry, ResourceParts } from '../../contract/index.ts'
import type { Clock, RandomBytes, Secret } from '../../primitives/index.ts'
import type { TokenAuthority } from './authority.ts'
import type { Confirmation } from './identity.ts'

/** What was minted, field by field; `type` tells a plug point how to hand it on. */
export type Credential = {
  readonly type: string
  readonly fields: Readonly<Record<string, string | number | Secret>>
}

/** The order to mint one credential. `leaseId` MUST be planted in what is minted, so that an orphan can be found. */
export type MintOrder = {
  readonly leaseId: string
  readonly tenant: string
  readonly agent: string
  readonly action: Action
  readonly resource: string
  readonly parts: ResourceParts
  /** Milliseconds since 1970: when the credential must stop working. */
  readonly notAfter: number
  readonly requestId: string
  readonly confirmation?: Confirmation
}

/** What exists now, in the provider's own words. */
export type Minted = {
  readonly credential: Credential
  /** The provider's name of it; enough to revoke it. Not a secret. */
  readonly handle: string
  readonly effective: { readonly actions: readonly string[]; readonly resources: readonly string[] }
  /** When it really stops working, at most the order's `notAfter`, in milliseconds since 1970. */
  readonly notAfter: number
  /** When the provider itself forgets it. */
  readonly providerNotAfter: number
  /** What makes `notAfter` true, such as `session-policy-date`, `role-dropped-by-broker`, `token-exp`. */
  readonly enforcedBy: string
}

/** What of a lease a provider needs to end it. After a crash `handle` may be empty: the lease id MUST be enough. */
export type MintedReference = {
  readonly leaseId: string
  readonly handle: string
  readonly providerNotAfter: number
}

/** `immediate`: refused at once · `eventual`: refused within minutes · `none`: it lives until it expires. */
export type Revocation = 'immediate' | 'eventual' | 'none'

export type Probe = 'accepted' | 'refused' | 'unknown'

export type Capabilities = {
  readonly revocation: Revocation
  /** One sentence about how it is revoked, for the answer. */
  readonly revocationNote: string
  /** Whether the credential stops at `notAfter` without the broker. If not, the broker ends it. */
  readonly endsByItself: boolean
  /** The shortest life that the provider itself can give, in seconds; what lies beyond the asked time is the residual. */
  readonly providerTtlSecondsMin: number
  readonly ttlSecondsMax: number
  /** Whether a dead credential can be tried. */
  readonly probes: boolean
  /**
   * Set where neither minting nor revoking reaches anything outside this process. What was made is in memory until it is released, where a
   * crash ends it, so the broker records it once, before the release, and no intent before the mint; and the lease alone says whether
   * it was revoked, so `revoke` is not called for it. Such a credential MUST end by itself. A signer that is asked over a network is
   * not local: it needs the tries, the breaker and the places of the others.
   */
  readonly mintsLocally?: true
  /** What `rotate` works for; empty when there is nothing to rotate. */
  readonly rotates: readonly string[]
}

/**
 * What mints. The seed's three verbs (004 §7), with the lease in the middle.
 * Failures: `provider_unreachable`, `provider_timeout` and `provider_throttled` are retried by the broker; `provider_refused`,
 * `provider_answer_invalid` and `provider_policy_too_large` are not.
 */
export interface Provider {
  readonly capabilities: Capabilities
  /** MUST narrow to the order or refuse. MUST be safe to repeat for one lease id: never two live credentials. */
  mint(order: MintOrder, signal: AbortSignal): Promise<Minted>
  /** MUST be idempotent: revoking what is already gone, or never came to be, succeeds. */
  revoke(reference: MintedReference, signal: AbortSignal): Promise<void>
  /** MUST throw `rotation_unsupported` for what it cannot rotate. Resolves to what was rotated, in words; never the value. */
  rotate(target: string, signal: AbortSignal): Promise<string>
  /** Tries a credential. Required when `capabilities.probes`. MUST NOT change anything at the provider. */
  probe?(reference: MintedReference, credential: Credential | undefined, signal: AbortSignal): Promise<Probe>
  /** Lease ids that are planted at the provider now. The reconciler revokes those that no live lease explains. */
  planted?(signal: AbortSignal): Promise<readonly string[]>
  /** Set when its credentials are tokens that others verify; the server then publishes keys, introspection and revocation. */
  readonly authority?: TokenAuthority
  /** Frees connections and timers. */
  close?(): Promise<void>
}

/** What an adapter is given when it is built. */
export type ProviderWorld = {
  readonly clock: Clock
  readonly random: RandomBytes
  /** Resolves a value source of the contract (`{env}` or `{file}`); throws `contract_invalid` when it is not there. */
  readonly resolve: (value: unknown, place: Place) => Secret
  /** A folder of the broker's own, mode 0700, for keys that must outlive the process. */
  readonly keyFolder: string
  /** The broker's name in tokens and session names. */
  readonly brokerName: string
}

/** One kind of provider: a folder in `adapters/providers`, a line in `catalog/providers.ts`, a page in `docs/providers`. */
export type ProviderDefinition = {
  readonly kind: string
  /** Whether it may be reached only in modes of class `development` and `test`. */
  readonly developmentOnly: boolean
  /** MUST parse configuration and every action's `means` before any I/O; throws `contract_invalid` naming the line. */
  create(entry: ProviderEntry, actions: readonly Action[], world: ProviderWorld): Promise<Provider>
}
