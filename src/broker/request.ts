/** What a caller asks for: one action on one resource, for some time (seed 004 §2). Already parsed; tenant is not part of it. */
export type CredentialRequest = {
  readonly service: string
  readonly action: string
  readonly resource: string
  /** Seconds; absent is the contract's default. */
  readonly durationSeconds?: number
  /** Free text for the log, attacker-controlled; never an input to policy. */
  readonly purpose?: string
  /** The reference that the three words were resolved from; never an input to policy. */
  readonly reference?: string
}
