import type { LogHead, LogStorage } from './storage.ts'

/** The first line's `format`. */
export const exportFormat = 'sallyport-log/v1'

/**
 * The first line of an export. Nothing in it is signed: `vkey` says which key to look for, and is never trusted by itself;
 * `size` tells a file that was cut from one that is whole.
 */
export type ExportHeader = {
  readonly format: typeof exportFormat
  readonly origin: string
  readonly vkey: string
  readonly size: number
}

/** How the lines of an export begin. An entry's line is exactly the entry's bytes. */
export const linePrefix = { header: '{"format":', entry: '{"v":', checkpoint: '{"checkpoint":' } as const

export function formatHeader({ format, origin, vkey, size }: ExportHeader): string {
  return JSON.stringify({ format, origin, vkey, size })
}

export function formatCheckpointLine(checkpoint: string): string {
  return JSON.stringify({ checkpoint })
}

/** Reads the first line; `undefined` for anything that `formatHeader` does not write. Attacker-controlled. */
export function parseHeader(bytes: Buffer): ExportHeader | undefined {
  const value = parseRecord(bytes)
  if (!value || value.format !== exportFormat) return undefined
  const { format, origin, vkey, size } = value
  if (typeof origin !== 'string' || typeof vkey !== 'string' || typeof size !== 'number') return undefined
  const header: ExportHeader = { format, origin, vkey, size }
  return Buffer.from(formatHeader(header)).equals(bytes) && Number.isSafeInteger(size) ? header : undefined
}

/** The signed note of a checkpoint's line; `undefined` for anything that `formatCheckpointLine` does not write. Attacker-controlled. */
export function parseCheckpointLine(bytes: Buffer): string | undefined {
  const checkpoint = parseRecord(bytes)?.checkpoint
  if (typeof checkpoint !== 'string') return undefined
  return Buffer.from(formatCheckpointLine(checkpoint)).equals(bytes) ? checkpoint : undefined
}

/** The log up to this head, line by line; every kept checkpoint, and the cosigned one, stands after the last entry that it covers. */
export async function* exportLog(log: {
  readonly head: LogHead
  /** With the signatures of witnesses; of this log, and not beyond its head. */
  readonly cosigned?: LogHead | undefined
  readonly origin: string
  readonly vkey: string
  readonly storage: LogStorage
}): AsyncGenerator<Uint8Array, void, void> {
  const { head, origin, vkey, storage } = log
  const last = log.cosigned?.size === head.size ? log.cosigned : head
  yield line(formatHeader({ format: exportFormat, origin, vkey, size: head.size }))
  let written = 0
  while (written < head.size) {
    const stop = await nextStop(log, last, written)
    for (; written < stop.size; written += pageEntries) {
      const entries = await storage.entries(written, Math.min(pageEntries, stop.size - written))
      yield Buffer.concat(entries.flatMap((entry) => [entry, newline]))
    }
    written = stop.size
    if (stop !== last) yield line(formatCheckpointLine(stop.checkpoint))
  }
  yield line(formatCheckpointLine(last.checkpoint))
}

/** The first checkpoint above that size: the cosigned one before a kept one of the same size. */
async function nextStop(
  { storage, cosigned }: Parameters<typeof exportLog>[0],
  last: LogHead,
  above: number,
): Promise<LogHead> {
  const [kept] = await storage.checkpoints(above, 1)
  const before = kept && kept.size < last.size ? kept : last
  return cosigned && cosigned.size > above && cosigned.size <= before.size ? cosigned : before
}

/** Entries that are read at once. */
const pageEntries = 256
const newline = Buffer.from('\n')

function line(text: string): Uint8Array {
  return Buffer.from(`${text}\n`)
}

function parseRecord(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
