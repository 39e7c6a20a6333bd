import type { Action, Place, ResourceParts, Service } from '../contract/index.ts'
import type { CredentialRequest } from './request.ts'

/** An allowed request with everything that minting needs. */
export type Allowed = {
  readonly kind: 'allowed'
  /** The grant's id. */
  readonly rule: string
  readonly place: Place
  readonly service: Service
  readonly action: Action
  readonly parts: ResourceParts
  readonly durationSeconds: number
  /** The revision of the engine that decided. */
  readonly policy: string
}

/** A denial that can be acted on. Names only what belongs to the caller's own tenant. */
export type Denied = {
  readonly kind: 'denied'
  /** A stable word: `service_unknown`, `action_unknown`, `resource_malformed`, `wildcard`, `mode_ceiling`, `no_grant`, `plane`, `mode`, `resource`, `duration`, `custom`, `reference_unknown`. */
  readonly rule: string
  /** One sentence: what was refused and why. */
  readonly reason: string
  /** The contract's file and line that decided, or the nearest one. */
  readonly file: string
  readonly place: Place
  /** The closest request that would be allowed, if there is any. */
  readonly nearest?: CredentialRequest
  /** The next command, ready to be copied. */
  readonly next: string
  /** The revision of the engine that decided, or `contract` when the ceiling did and policy was not asked. */
  readonly policy: string
}

export type Decision = Allowed | Denied
