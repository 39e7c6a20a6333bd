import type { Plane, Role } from '../../contract/index.ts'
import type { FailureCode, Secret } from '../../primitives/index.ts'

/** What came with a request, as it came. All of it is attacker-controlled. */
export type Evidence = {
  readonly plane: Plane
  /** The client certificate of the TLS session, when one was shown; `verified` is the TLS layer's own verdict. */
  readonly certificate?: { readonly der: Uint8Array; readonly verified: boolean; readonly reason?: string }
  /** What stood behind `Authorization: Bearer`. */
  readonly bearer?: Secret
  /** What stood in the contract's machine-key header. */
  readonly machineKey?: Secret
}

/** A key that the caller has proven to hold (RFC 7800): the SHA-256 of its certificate, base64url. */
export type Confirmation = { readonly certificateSha256: string }

/** Who calls, proven. Tenant comes from here alone, never from a body, path or header. */
export type Caller = {
  readonly plane: Plane
  readonly tenant: string
  readonly agent: string
  readonly roles: readonly Role[]
  readonly method: 'certificate' | 'token' | 'machine-key'
  /** SPIFFE id, certificate fingerprint, `issuer#sub` or key prefix: what was seen, for the log. Not a secret. */
  readonly subject: string
  readonly confirmation?: Confirmation
}

/** Why nobody was identified. `message` is for the caller; `subject` and `internal` are for the log, and neither is a secret. */
export type IdentityRefused = {
  readonly kind: 'refused'
  readonly code: FailureCode
  readonly message: string
  readonly subject?: string
  readonly internal?: string
}

export type Identified = { readonly kind: 'identified'; readonly caller: Caller } | IdentityRefused

export interface Identifier {
  /**
   * Turns evidence into a caller. MUST refuse evidence of the other plane (`plane_crossed`), evidence of two kinds at once
   * that do not name the same identity (`identity_ambiguous`, `tenant_conflict`), and anything it cannot check now
   * (`issuer_unavailable`). MUST NOT throw for bad evidence; MUST NOT put any of it into a message.
   */
  identify(evidence: Evidence, signal: AbortSignal): Promise<Identified>
}
