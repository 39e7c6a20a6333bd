import { Failure } from '../primitives/index.ts'
import { exportLog } from './export.ts'
import type { Signer } from './note.ts'
import type { OpenLog } from './open-log.ts'
import { proveConsistency, proveInclusion } from './proof.ts'
import type { LogHead, LogStorage } from './storage.ts'
import { formatBundle, type LogResource, parseLogPath, tilePart, tileWidth } from './tiles.ts'
import { createNodeReader, readTile } from './tree.ts'

/** Entries that one call reads. */
export const pageEntriesMax = 1_000

/** A file of the log as it is served (C2SP tlog-tiles). */
export type LogFile = {
  readonly bytes: Uint8Array
  readonly contentType: 'text/plain; charset=utf-8' | 'application/octet-stream'
  /** Whether it never changes, and can be cached for ever. */
  readonly immutable: boolean
}

/** Reads the log as it was last committed. Entries hold names: who may read them is the caller's decision. */
export interface LogReader {
  readonly origin: string
  /** The public key of the log; pin it away from the broker. */
  readonly vkey: string
  size(): number
  /** The last signed checkpoint. */
  checkpoint(): string
  /** The newest checkpoint that enough witnesses cosigned, with their signatures; `undefined` when there is none. */
  cosignedCheckpoint(): string | undefined
  /** Exact bytes of at most `count` entries (1 to 1000) from `from` on. Throws `request_invalid` for another count. */
  entries(from: number, count: number): Promise<readonly Uint8Array[]>
  entry(index: number): Promise<Uint8Array | undefined>
  /** RFC 6962 §2.1.1, in a tree of that size; throws `request_invalid` unless index < size ≤ `size()`. */
  inclusionProof(claim: { readonly index: number; readonly size: number }): Promise<readonly Uint8Array[]>
  /** RFC 6962 §2.1.2; throws `request_invalid` unless from ≤ to ≤ `size()`. */
  consistencyProof(claim: { readonly from: number; readonly to: number }): Promise<readonly Uint8Array[]>
  /** `checkpoint`, `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`; `undefined` when there is no such file. */
  file(path: string): Promise<LogFile | undefined>
  /** The whole log as lines with their newlines, for `verifyExport`. */
  export(): AsyncGenerator<Uint8Array, void, void>
}

export function createLogReader(log: {
  readonly storage: LogStorage
  readonly signer: Pick<Signer, 'name' | 'vkey'>
  readonly current: () => OpenLog
  readonly cosigned: () => LogHead | undefined
}): LogReader {
  const { storage, signer, current, cosigned } = log
  const nodes = () => createNodeReader(current().tree, storage)
  return {
    origin: signer.name,
    vkey: signer.vkey,
    size: () => current().head.size,
    checkpoint: () => current().head.checkpoint,
    cosignedCheckpoint: () => cosigned()?.checkpoint,
    entries: (from, count) => readEntries(from, count, current().head.size, storage),
    entry: async (index) => (await readEntries(index, 1, current().head.size, storage))[0],
    async inclusionProof(claim) {
      demand(isIndex(claim.index) && claim.index < claim.size && claim.size <= current().head.size)
      return proveInclusion(claim, nodes())
    },
    async consistencyProof(claim) {
      demand(isIndex(claim.from) && claim.from <= claim.to && claim.to <= current().head.size)
      return proveConsistency(claim, nodes())
    },
    async file(path) {
      const resource = parseLogPath(path)
      return resource && readFile(resource, current(), storage)
    },
    export: () =>
      exportLog({
        head: current().head,
        cosigned: cosigned(),
        origin: signer.name,
        vkey: signer.vkey,
        storage,
      }),
  }
}

async function readFile(
  resource: LogResource,
  open: OpenLog,
  storage: LogStorage,
): Promise<LogFile | undefined> {
  if (resource.kind === 'checkpoint') {
    const bytes = Buffer.from(open.head.checkpoint)
    return { bytes, contentType: 'text/plain; charset=utf-8', immutable: false }
  }
  const bytes =
    resource.kind === 'tile' ? readHashes(resource, open, storage) : readBundle(resource, open, storage)
  const found = await bytes
  return found && { bytes: found, contentType: 'application/octet-stream', immutable: true }
}

async function readHashes(
  resource: Extract<LogResource, { kind: 'tile' }>,
  open: OpenLog,
  storage: LogStorage,
): Promise<Uint8Array | undefined> {
  const have = Math.floor(open.head.size / tileWidth ** resource.level)
  if (resource.index * tileWidth + resource.width > have) return undefined
  return tilePart(await readTile(open.tree, resource, storage), resource.width)
}

async function readBundle(
  resource: Extract<LogResource, { kind: 'entries' }>,
  open: OpenLog,
  storage: LogStorage,
): Promise<Uint8Array | undefined> {
  const from = resource.index * tileWidth
  if (from + resource.width > open.head.size) return undefined
  return formatBundle(await storage.entries(from, resource.width))
}

async function readEntries(
  from: number,
  count: number,
  size: number,
  storage: LogStorage,
): Promise<readonly Uint8Array[]> {
  demand(isIndex(from) && isIndex(count) && count >= 1 && count <= pageEntriesMax)
  return from >= size ? [] : storage.entries(from, Math.min(count, size - from))
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function demand(holds: boolean): void {
  if (!holds) throw new Failure('request_invalid', 'That is not within the log.')
}
