import { hashBytes } from './merkle.ts'

/** Hashes in a full tile and entries in a full bundle (C2SP tlog-tiles). */
export const tileWidth = 256

/** Levels of the tree in one tile: 2^8 is `tileWidth`. */
export const tileHeight = 8

/** A complete tile: `tileWidth` hashes, the roots of perfect subtrees of height `tileHeight * level`. */
export type Tile = { readonly level: number; readonly index: number; readonly hashes: Uint8Array }

/** What a path of the log names. `width` is 256 or, with `.p/`, from 1 to 255. */
export type LogResource =
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'tile'; readonly level: number; readonly index: number; readonly width: number }
  | { readonly kind: 'entries'; readonly index: number; readonly width: number }

/** The path of a resource below the log's prefix, such as `tile/0/x001/234.p/5`. */
export function formatLogPath(resource: LogResource): string {
  if (resource.kind === 'checkpoint') return 'checkpoint'
  const place = resource.kind === 'tile' ? `${resource.level}` : 'entries'
  const partial = resource.width === tileWidth ? '' : `.p/${resource.width}`
  return `tile/${place}/${formatIndex(resource.index)}${partial}`
}

/** Reads a path, which may be attacker-controlled; `undefined` when it names nothing, or is not spelled the one way. */
export function parseLogPath(path: string): LogResource | undefined {
  if (path === 'checkpoint') return { kind: 'checkpoint' }
  const [, place = '', groups = '', partial] = pathShape.exec(path) ?? []
  const index = Number(groups.replaceAll(/[x/]/g, ''))
  const width = partial === undefined ? tileWidth : Number(partial)
  if (place === '' || !Number.isSafeInteger(index)) return undefined
  const resource: LogResource =
    place === 'entries'
      ? { kind: 'entries', index, width }
      : { kind: 'tile', level: Number(place), index, width }
  return formatLogPath(resource) === path && width >= 1 && width <= tileWidth ? resource : undefined
}

/** An entry bundle: each entry after its length in two bytes, big-endian. */
export function formatBundle(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(entries.flatMap((entry) => [Buffer.of(entry.length >> 8, entry.length & 0xff), entry]))
}

/** The entries of a bundle; `undefined` when its lengths do not add up. */
export function parseBundle(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const entries: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const [high, low] = bytes.subarray(at, at + 2)
    if (high === undefined || low === undefined) return undefined
    const end = at + 2 + high * 256 + low
    if (end > bytes.length) return undefined
    entries.push(bytes.subarray(at + 2, end))
    at = end
  }
  return entries
}

/** The first `width` hashes of a tile. */
export function tilePart(hashes: Uint8Array, width: number): Uint8Array {
  return hashes.subarray(0, width * hashBytes)
}

// Six groups name more tiles than a safe integer can count.
const pathShape = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** Groups of three digits, each but the last after an `x`. */
function formatIndex(index: number): string {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/[0-9]{3}/g) ?? []
  return groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/')
}
