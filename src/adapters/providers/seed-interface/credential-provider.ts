import type { Revocation } from '../../../broker/index.ts'

/**
 * The interface of seed 004 §7, word for word; `Secret` is whatever the object gives, in one of the shapes of `docs/providers/seed-interface.md`.
 * `scope` is `service:action:resource`, in which the first two colons divide; `duration` is whole seconds.
 */
export interface CredentialProvider<Secret = unknown> {
  mint(scope: string, duration: number): Promise<Secret>
  revoke(tokenId: string): Promise<void>
  rotate(secretId: string): Promise<void>
}

/** What the interface itself cannot say. Whatever is not said is taken to be the worst. */
export type PluggedAs = {
  /** The `kind` that the contract's providers name. */
  readonly kind: string
  /** How fast `revoke` works; by default `none`: it is never called. */
  readonly revocation?: Revocation
  /** One sentence about how it is revoked, for the answer. */
  readonly revocationNote?: string
  /** Whether what was minted for so many seconds stops by itself when they are over; by default not. */
  readonly endsByItself?: boolean
  /** Whether a `mint` that rejects has minted nothing, so that it may be tried again; by default that is not known. */
  readonly rejectedMintLeavesNothing?: boolean
  /** The shortest life it can give; by default 1 second when it ends by itself, else for ever. */
  readonly providerTtlSecondsMin?: number
  /** By default 15 minutes, or the shortest life where that is longer. */
  readonly ttlSecondsMax?: number
  /** The `secretId`s that `rotate` works for; by default none. */
  readonly rotates?: readonly string[]
}
