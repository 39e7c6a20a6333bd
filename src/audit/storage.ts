import type { Lease, LeaseState } from '../broker/index.ts'
import type { Tile } from './tiles.ts'

/** How far the log has come, and the signed note that says so. */
export type LogHead = { readonly size: number; readonly checkpoint: string }

/** Everything that one commit writes. */
export type LogBatch = {
  /** The size of the log before it. */
  readonly from: number
  /** The exact bytes of the entries `from` and after. */
  readonly entries: readonly Uint8Array[]
  /** Leases as they are to be from now on, in order; their moves are checked already. */
  readonly leases: readonly Lease[]
  /** Tiles that these entries completed. */
  readonly tiles: readonly Tile[]
  readonly head: LogHead
  /** Whether the checkpoint is kept beside the head for ever, so that a reader can tell where a damaged log was last whole. */
  readonly keepCheckpoint: boolean
}

/** What the store holds about a lease that is to be written. */
export type LeaseStanding = {
  /** Its state; absent when there is no such lease. */
  readonly state?: LeaseState
  /** The id of the lease that holds its idempotency key. */
  readonly keyHolder?: string
}

/** Where the log lives. Every method may throw anything when the world fails; the log turns that into `log_unwritable`. */
export interface LogStorage {
  /** `undefined` before the first commit. */
  head(): Promise<LogHead | undefined>
  /** In the order of the leases. The log commits one batch at a time, so the answer stands until the next commit. */
  standings(leases: readonly Lease[]): Promise<readonly LeaseStanding[]>
  /**
   * MUST write all of it or nothing, and MUST resolve only when it would survive a power cut. MUST throw when the size of the
   * stored head is not `from`. Writes a lease by its id; what never changes of a lease (owner, request, time of creation) stays.
   */
  commit(batch: LogBatch): Promise<void>
  /** At most `count` entries from `from` on, exactly as they were committed. */
  entries(from: number, count: number): Promise<readonly Uint8Array[]>
  /** A complete tile. */
  tile(level: number, index: number): Promise<Uint8Array | undefined>
  /** At most `count` kept checkpoints of trees larger than `above`, the smallest first. */
  checkpoints(above: number, count: number): Promise<readonly LogHead[]>
}
