import type { AuditLog } from '../audit/index.ts'
import type { Ledger } from '../broker/index.ts'
import { createKeptCheckpoint } from '../witness/index.ts'

/** Milliseconds between two marks: what was added since the last one could be rolled back unnoticed, without a witness. */
export const highWaterMs = 1_000

export interface HighWater {
  /** The same ledger; what it records is marked soon after. */
  readonly ledger: Ledger
  /** Marks the last entry. */
  close(): Promise<void>
}

/**
 * Keeps how far the log has come in a file of its own, so that a store which was exchanged for an older copy is noticed at the next start.
 * Throws `store_invalid` when the log does not go on from what an earlier process marked. It is an alarm for accidents and for who can
 * write the store alone: against who can write this file too, only a witness helps.
 */
export async function keepHighWater(
  log: AuditLog,
  options: { readonly file: string; readonly now: () => number },
): Promise<HighWater> {
  const kept = createKeptCheckpoint(options.file)
  await kept.open(log)
  let markedAt = Number.NEGATIVE_INFINITY
  let marking: Promise<void> | undefined
  // A mark that cannot be written is tried again with the next entry; the log itself says when the disk is gone.
  const mark = async () => {
    markedAt = options.now()
    await kept.keep({ size: log.size(), checkpoint: log.checkpoint() }).catch(() => undefined)
    marking = undefined
  }
  await mark()
  return {
    ledger: {
      writable: () => log.writable(),
      async record(change) {
        const receipt = await log.record(change)
        if (Math.abs(options.now() - markedAt) >= highWaterMs) marking ??= mark()
        return receipt
      },
    },
    async close() {
      await marking
      await mark()
    },
  }
}
