import type { Entry } from './entry.ts'

/**
 * A log that was restored from a backup goes on under a new name, because what came after the backup is lost and the old name cannot
 * go back: `<name>/epoch-2` after `<name>`, and so on. At least `number`, for who knows of epochs that the backup does not know of.
 */
export function nextEpoch(origin: string, number = 2): string {
  const { name, epoch } = readEpoch(origin)
  return `${name}/epoch-${Math.max(epoch + 1, number)}`
}

/** Whether both are epochs of one log, or the same one. */
export function isSameLog(origin: string, other: string): boolean {
  return readEpoch(origin).name === readEpoch(other).name
}

/** What the entry `log_restored` says: it is the first of its epoch. */
export type Restoration = {
  /** The origin of the epoch that begins. */
  readonly epoch: string
  /** The head of the backup, as the epoch before signed it. */
  readonly origin: string
  readonly size: number
  /** Hexadecimal. */
  readonly root: string
  readonly checkpoint: string
  /** The name that is planted in what the broker mints; it stays the same over all epochs, so that orphans are still found. */
  readonly broker: string
}

export function restorationDetail(restored: Restoration): NonNullable<Entry['detail']> {
  return {
    epoch: restored.epoch,
    restored_origin: restored.origin,
    restored_size: restored.size,
    restored_root: restored.root,
    restored_checkpoint: restored.checkpoint,
    broker: restored.broker,
  }
}

/** The restoration that an entry declares; `undefined` for every other entry. */
export function readRestoration({ event, detail }: Entry): Restoration | undefined {
  if (event !== 'log_restored' || !detail) return undefined
  const text = (name: string) => String(detail[name] ?? '')
  return {
    epoch: text('epoch'),
    origin: text('restored_origin'),
    size: Number(detail['restored_size']),
    root: text('restored_root'),
    checkpoint: text('restored_checkpoint'),
    broker: text('broker'),
  }
}

function readEpoch(origin: string): { readonly name: string; readonly epoch: number } {
  const [, name = origin, number = '1'] = /^(.+)\/epoch-([1-9][0-9]{0,8})$/.exec(origin) ?? []
  return { name, epoch: Number(number) }
}
