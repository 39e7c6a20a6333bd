import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import { type Quorum, readCosignatures } from './cosignature.ts'
import { type Entry, entryBytesMax, parseEntry } from './entry.ts'
import { readRestoration } from './epoch.ts'
import { type ExportHeader, exportFormat, linePrefix, parseCheckpointLine, parseHeader } from './export.ts'
import { createKnownCheck } from './known-check.ts'
import type { Line } from './lines.ts'
import type { Verifier } from './note.ts'
import { readPlainEntry } from './plain-entry.ts'
import { createRunningRoot } from './running-root.ts'
import type { Verdict, VerifyOptions } from './verify.ts'

/** Reads the lines after the first, one by one; the first verdict is the last. */
export type ExportCheck = { line(line: Line): Verdict | undefined; end(): Verdict }
/** A checkpoint that the reader knew before, and whether enough witnesses cosigned it. */
export type Known = { readonly checkpoint: Checkpoint; readonly witnessed: boolean }
type CheckWorld = {
  readonly trusted: readonly Verifier[]
  readonly known: Known | undefined
  readonly quorum: Quorum | undefined
  readonly onProgress: VerifyOptions['onProgress']
}

export function createExportCheck(
  header: ExportHeader,
  { trusted, known, quorum, onProgress }: CheckWorld,
): ExportCheck {
  const knownCheck = createKnownCheck(known?.checkpoint, header.origin)
  const tree = createRunningRoot()
  // A key that is pinned and says nothing of the file would be a promise that nobody kept.
  const unused = new Set(trusted.filter((verifier) => !header.vkey.startsWith(`${idOf(verifier)}+`)))
  let checked: Checkpoint | undefined
  let unreadable: number | undefined
  let witnessed = known?.witnessed ? known.checkpoint.size : undefined

  const tampered = (what: string, index?: number): Verdict => ({
    kind: 'tampered',
    what,
    ...(index === undefined ? {} : { index }),
  })
  const truncated = (what: string): Verdict => ({ kind: 'truncated', what, entries: tree.size() })

  const readEntry = (leaf: Buffer, text: string): Verdict | undefined => {
    const index = tree.size()
    if (index >= header.size)
      return tampered('There are more entries than the last checkpoint covers.', index)
    if (text.length > entryBytesMax) return tampered('The entry is longer than any entry is.', index)
    const plain = readPlainEntry(text)
    const parsed = plain && plain.event !== 'log_restored' ? undefined : parseEntry(leaf.subarray(1))
    const entry = parsed ?? plain
    if (entry && entry.index !== index) {
      return tampered(`Entry ${entry.index} stands where entry ${index} belongs.`, index)
    }
    if (!entry) unreadable ??= index
    const restored = parsed && readRestored(parsed, index)
    if (restored) return restored
    tree.add(leaf)
    const entries = index + 1
    if (entries % progressEntries === 0) onProgress?.({ entries, size: header.size })
    return knownCheck.grown(tree)
  }

  // Only who pins the key of the epoch before can hold its last checkpoint against the entries.
  const readRestored = (entry: Entry, index: number): Verdict | undefined => {
    const restoration = readRestoration(entry)
    if (!restoration) return undefined
    const opened = openCheckpoint(restoration.checkpoint, trusted)
    if (opened.kind === 'forged') return tampered(opened.why, index)
    if (opened.kind === 'opened' && !isHead(opened.checkpoint)) {
      return tampered('The entries before the restoration are not those of the backup.', index)
    }
    if (opened.kind === 'opened') for (const verifier of trusted) spend(verifier, restoration.checkpoint)
    return knownCheck.restored(restoration, index)
  }

  const spend = (verifier: Verifier, note: string) => {
    if (openCheckpoint(note, [verifier]).kind === 'opened') unused.delete(verifier)
  }

  const isHead = ({ size, root }: Checkpoint) => size === tree.size() && tree.root().equals(root)

  const readCheckpoint = (leaf: Buffer): Verdict | undefined => {
    const note = parseCheckpointLine(leaf.subarray(1))
    if (note === undefined) return tampered('A checkpoint line is malformed.')
    const opened = openCheckpoint(note, trusted)
    if (opened.kind === 'forged') return tampered(opened.why)
    if (opened.kind !== 'opened') return { kind: 'unverifiable', why: opened.why }
    return compare(opened.checkpoint) ?? countWitnesses(note, opened.checkpoint)
  }

  const countWitnesses = (note: string, { size }: Checkpoint): Verdict | undefined => {
    if (!quorum) return undefined
    const read = readCosignatures(note, quorum.verifiers)
    if (read.kind === 'forged') return tampered(read.why)
    if (read.names.length >= quorum.needed) witnessed = Math.max(witnessed ?? 0, size)
    return undefined
  }

  const compare = (checkpoint: Checkpoint): Verdict | undefined => {
    const { origin, size, root } = checkpoint
    if (origin !== header.origin) return tampered('A checkpoint is of another log than the file says.')
    if (size > tree.size()) return missing(size)
    if (size === checked?.size) return tampered(`The checkpoint of ${size} entries is repeated.`)
    if (size < tree.size()) return tampered(`A checkpoint of ${size} entries stands too late.`, size)
    if (!tree.root().equals(root)) {
      const first = checked?.size ?? 0
      return tampered(
        `Of the entries ${first} to ${size - 1}, one or more are not what was signed.`,
        unreadable,
      )
    }
    if (unreadable !== undefined) {
      return { kind: 'unverifiable', why: `Entry ${unreadable} is signed, but this version cannot read it.` }
    }
    checked = checkpoint
    return undefined
  }

  const missing = (size: number): Verdict =>
    size === header.size
      ? truncated(`The last ${size - tree.size()} of ${size} entries are missing.`)
      : tampered(`Entries before the checkpoint of ${size} are missing.`, tree.size())

  return {
    line({ kind, leaf }) {
      if (kind === 'cut') return truncated('The file ends within a line.')
      if (checked?.size === header.size) return tampered('Something follows the last checkpoint.')
      if (kind === 'too_long') return tampered('A line is longer than any line is.', tree.size())
      const text = leaf.toString('latin1', 1)
      if (text.startsWith(linePrefix.entry)) return readEntry(leaf, text)
      if (text.startsWith(linePrefix.checkpoint)) return readCheckpoint(leaf)
      return tampered('A line is neither an entry nor a checkpoint.', tree.size())
    },
    end() {
      if (!checked || checked.size !== header.size) {
        return truncated(
          `The file ends after ${tree.size()} of ${header.size} entries, without its last checkpoint.`,
        )
      }
      const outdated = knownCheck.end(checked.size)
      if (outdated) return outdated
      if (quorum && witnessed === undefined) {
        const why = `No checkpoint in the file is cosigned by ${quorum.needed} of the pinned witnesses.`
        return { kind: 'unverifiable', why }
      }
      for (const verifier of unused) {
        const why = `Nothing in the file is signed by the pinned key ${idOf(verifier)}: it was not restored from that log.`
        return { kind: 'unverifiable', why }
      }
      const { origin, size } = checked
      const root = Buffer.from(checked.root).toString('hex')
      return { kind: 'verified', origin, size, root, ...(witnessed === undefined ? {} : { witnessed }) }
    },
  }
}

function idOf({ name, keyId }: Verifier): string {
  return `${name}+${keyId}`
}

/** The header, if it is one and names a pinned key. */
export function readHeader({ kind, leaf }: Line, vkeys: readonly string[]): ExportHeader | Verdict {
  const bytes = leaf.subarray(1)
  if (!bytes.toString('latin1').startsWith(linePrefix.header))
    return { kind: 'unverifiable', why: 'The file is not an export of a log.' }
  if (kind === 'cut') return { kind: 'truncated', what: 'The file ends within its first line.', entries: 0 }
  const header = parseHeader(bytes)
  if (!header) return { kind: 'unverifiable', why: `The first line is not that of ${exportFormat}.` }
  if (vkeys.some((vkey) => vkey.trim() === header.vkey)) return header
  return { kind: 'unverifiable', why: `The file names the key ${header.vkey}, which is not pinned.` }
}

/** Entries between two tellings of the progress. */
const progressEntries = 1_000
