import type { Plane } from '../../contract/index.ts'

/** What policy is asked. Every field is already checked against the contract's catalogue and ceiling. */
export type PolicyQuestion = {
  readonly tenant: string
  readonly agent: string
  readonly plane: Plane
  readonly mode: string
  readonly service: string
  readonly action: string
  readonly resource: string
  readonly duration_seconds: number
}

/** The rule that decided: a grant's id when it allows, else the reason why nothing allowed it. */
export type PolicyAnswer =
  | { readonly allow: true; readonly grant: string }
  | { readonly allow: false; readonly reason: PolicyReason }

/**
 * `no_grant` no grant for this tenant, agent, service and action · `plane`, `mode`, `resource`, `duration`: a grant exists but for
 * another one, in this order of the checks · `wildcard` the request asks for more than one thing · `custom` a user's own bundle said no.
 */
export type PolicyReason = 'no_grant' | 'plane' | 'mode' | 'resource' | 'duration' | 'wildcard' | 'custom'

export interface PolicyEngine {
  /** Names engine and bundle, such as `opa-wasm sha256:…`; it stands in the log. */
  readonly revision: string
  /** MUST decide from the question alone. MUST throw `policy_unavailable` when it cannot decide: the broker then denies. */
  decide(question: PolicyQuestion, signal: AbortSignal): Promise<PolicyAnswer>
}
