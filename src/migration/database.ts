import type { Judgement, SeenDatabase } from './judge.ts'

/** A database that is migrated: what it says of itself, and who holds it. It may stand behind a pooler that changes sessions. */
export type MigrationDatabase = {
  /** Where it is reached; the one thing that a confined migration can reach. */
  readonly target: DatabaseTarget
  /**
   * Reads, judges and claims in one transaction. MUST write nothing unless the judge says `free`; MUST then stamp the role when there is
   * none, and give a fence that is larger than any before. Of two at once, at most one MUST be claimed; no session may be relied upon.
   */
  claim(claim: Claim, signal: AbortSignal): Promise<Claimed>
  /** Puts off the end of the lease, by the database's own clock. MUST be `lost` when a later fence was given, or nothing is known of it. */
  renew(fence: number, leaseSeconds: number, signal: AbortSignal): Promise<'held' | 'lost'>
  /** Ends the lease. MUST be idempotent, and MUST change nothing when a later fence was given. */
  release(fence: number, signal: AbortSignal): Promise<void>
}

export type DatabaseTarget =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** A folder with the server's Unix socket, whose name has the port. */
  | { readonly kind: 'unix'; readonly folder: string; readonly port: number }

export type Claim = {
  readonly role: string
  /** For people: who migrates, such as `host process 7`. */
  readonly holder: string
  readonly leaseSeconds: number
  /** Tables that must be there; `table` in any schema, or `schema.table`. */
  readonly tables: readonly string[]
  readonly judge: (seen: SeenDatabase) => Judgement
}

export type Claimed =
  | { readonly kind: 'claimed'; readonly fence: number; readonly stamped: boolean }
  | Exclude<Judgement, { readonly kind: 'free' }>

/** The application name that sessions of a migration bear, by which one that outlived it is known. */
export function sessionName(fence: number): string {
  return `sallyport-migrate-${fence}`
}
