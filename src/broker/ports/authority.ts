import type { Secret } from '../../primitives/index.ts'

/** The claims of a token whose signature, issuer and time hold. `jti` is the lease id. */
export type VerifiedToken = { readonly leaseId: string; readonly claims: Readonly<Record<string, unknown>> }

/** A provider whose credentials are tokens that others verify (RFC 9068): its public keys, and its own reading of a token. */
export interface TokenAuthority {
  /** The `iss` of its tokens. */
  readonly issuer: string
  /** JWK Set (RFC 7517): the signing key and the earlier ones whose tokens may still be alive. Never a private member. */
  jwks(): { readonly keys: readonly Readonly<Record<string, unknown>>[] }
  /** `undefined` for anything that is not a token of its own that is valid now. Whether the lease is live, the broker knows. */
  verify(token: Secret): Promise<VerifiedToken | undefined>
}
