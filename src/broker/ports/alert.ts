/** Something a person must look at now. `labels` find it again; no field ever holds a secret. */
export type Alert = {
  /** Seed 004 §6 names one: `Credential Minting Failure`. */
  readonly name:
    | 'Credential Minting Failure'
    | 'Audit Log Unwritable'
    | 'Audit Log Forked'
    | 'Revocation Failing'
  readonly severity: 'critical' | 'warning'
  readonly summary: string
  readonly labels: Readonly<Record<string, string>>
  /** Milliseconds since 1970. */
  readonly startsAt: number
}

export interface Alerter {
  /** MUST NOT throw and MUST NOT delay the caller: delivery is tried in the background, and failures are counted. */
  raise(alert: Alert): void
}
