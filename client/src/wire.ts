/** What is asked: one action on one resource, for some time. Who asks is proven by the connection, never said here. */
export type CredentialRequest = (WordedRequest | ReferenceRequest) & {
  /** Seconds, or a text such as `15m`; absent is the contract's default. */
  readonly duration?: number | string
  /** For the log alone. */
  readonly purpose?: string
}

export type WordedRequest = {
  readonly service: string
  readonly action: string
  readonly resource: string
  readonly credentialRef?: never
}

/** A reference that the contract resolves to these three words, such as `cred://aws/production/readonly`: a name, and no secret. */
export type ReferenceRequest = {
  readonly credentialRef: string
  readonly service?: never
  readonly action?: never
  readonly resource?: never
}

/** The place of an entry in the audit log; it verifies against any later checkpoint. */
export type Receipt = { readonly index: number; readonly leaf_hash: string; readonly checkpoint: string }

/** The credential itself; which fields there are depends on `type` (`aws`, `postgres`, `jwt`, `env` …). */
export type Credential = { readonly type: string; readonly [field: string]: string | number }

/** A credential and the truth about it. Instants are RFC 3339. */
export type Issued = {
  readonly kind: 'issued'
  readonly lease_id: string
  readonly credential: Credential
  readonly meaning: string
  readonly expires_at: string
  /** Seconds from the answer. */
  readonly expires_in: number
  readonly effective: {
    readonly actions: readonly string[]
    readonly resources: readonly string[]
    readonly not_after: string
  }
  readonly provider_not_after: string
  readonly residual_seconds: number
  readonly enforced_by: string
  readonly revocation: 'immediate' | 'eventual' | 'none'
  readonly revocation_note: string
  readonly grant: string
  readonly mode: string
  readonly contract: string
  readonly request_id: string
  readonly replayed: boolean
  readonly receipt: Receipt
}

type NearestRequest = {
  readonly service: string
  readonly action: string
  readonly resource: string
  /** Seconds. */
  readonly duration?: number
}

type ContractPlace = { readonly file: string; readonly line: number; readonly column: number }

/** A denial that can be acted on. */
export type Denial = {
  readonly kind: 'denied'
  readonly rule: string
  readonly detail: string
  readonly contract: ContractPlace & { readonly digest: string }
  readonly nearest?: NearestRequest
  readonly next: string
  readonly request_id: string
  readonly receipt: Receipt
}

export type Explanation = {
  readonly decision: 'allow' | 'deny'
  readonly rule: string
  readonly reason: string
  readonly contract: ContractPlace
  readonly duration_seconds?: number
  readonly nearest?: NearestRequest
  readonly next: string
  readonly mode: string
  readonly policy: string
  readonly request_id: string
  readonly receipt: Receipt
}

export type LeaseState = 'intended' | 'live' | 'ending' | 'ended' | 'failed'

/** The record of a credential. It never holds the credential. */
export type Lease = {
  readonly lease_id: string
  readonly tenant: string
  readonly agent_id: string
  readonly plane: 'machine' | 'human'
  readonly mode: string
  readonly service: string
  readonly action: string
  readonly resource: string
  readonly scope: string
  readonly provider: string
  readonly grant: string
  readonly state: LeaseState
  readonly created_at: string
  readonly expires_at: string
  readonly provider_not_after: string
  readonly handle: string
  readonly request_id: string
  readonly end_reason?: string
  readonly ended_at?: string
  readonly refused_at?: string
  readonly end_attempts: number
  readonly next_try_at?: string
  readonly last_error?: string
}

export type LeaseQuery = {
  readonly tenant?: string
  readonly agent?: string
  readonly service?: string
  readonly mode?: string
  readonly state?: LeaseState
  readonly limit?: number
  readonly after?: string
}

/** `refused`: the dead credential was tried and refused · `unproven`: over, but it could not be tried · `pending`: retried until it works. */
export type EndedLease = { readonly lease: Lease; readonly proof: 'refused' | 'unproven' | 'pending' }

export type RevocationFilter = Pick<LeaseQuery, 'tenant' | 'agent' | 'service' | 'mode'>

export type BulkRevocation = { readonly refused: number; readonly unproven: number; readonly pending: number }

export type LogEntries = {
  readonly entries: readonly Readonly<Record<string, unknown>>[]
  readonly next: number
  readonly size: number
}

export type InclusionProof = {
  readonly index: number
  readonly size: number
  readonly leaf_hash: string
  readonly hashes: readonly string[]
  readonly checkpoint?: string
}
