import { openCheckpoint } from './checkpoint.ts'
import { parseQuorum, type Quorum, readCosignatures, type WitnessQuorum } from './cosignature.ts'
import { isSameLog } from './epoch.ts'
import { createExportCheck, type ExportCheck, type Known, readHeader } from './export-check.ts'
import { splitLines } from './lines.ts'
import { leafHash } from './merkle.ts'
import { parseVerifier, type Verifier } from './note.ts'
import { verifyInclusion } from './proof.ts'

/**
 * What a check of a log or receipt came to. `verified`: it is what the pinned key signed · `tampered`: it is not ·
 * `truncated`: it is genuine up to its last checkpoint, but something after that is missing · `unverifiable`: nothing can be said.
 */
export type Verdict =
  | {
      readonly kind: 'verified'
      readonly origin: string
      readonly size: number
      readonly root: string
      /** When witnesses were asked for: so many of the entries stand under enough cosignatures; what follows only the log signed. */
      readonly witnessed?: number
    }
  | { readonly kind: 'tampered'; readonly what: string; readonly index?: number }
  | { readonly kind: 'truncated'; readonly what: string; readonly entries: number }
  | { readonly kind: 'unverifiable'; readonly why: string }

export type VerifyOptions = {
  /** Keys that the reader got elsewhere, as text: the log's, and those of its earlier epochs; each must have signed. The one in the file is never trusted by itself. */
  readonly vkeys: readonly string[]
  /** A checkpoint that the reader kept or got from a witness: the file must hold that log, at least as far. */
  readonly knownCheckpoint?: string
  /** So many of these witnesses must have cosigned a checkpoint of the file, or the known one; without it nothing is verified. */
  readonly witnesses?: WitnessQuorum
  /** Told every thousand entries. `size` is what the file says that it holds. */
  readonly onProgress?: (done: { readonly entries: number; readonly size: number }) => void
}

/**
 * Verifies an export from its bytes, which may be attacker-controlled, in constant memory: every entry stands in its place, and every
 * checkpoint is signed by a pinned key and has the root of the entries before it. Throws `option_invalid` for a malformed vkey.
 */
export async function verifyExport(
  chunks: AsyncIterable<Uint8Array>,
  options: VerifyOptions,
): Promise<Verdict> {
  const trusted = options.vkeys.map(parseVerifier)
  const quorum = options.witnesses && parseQuorum(options.witnesses)
  const { knownCheckpoint, onProgress } = options
  const known = knownCheckpoint === undefined ? undefined : openKnown(knownCheckpoint, trusted, quorum)
  if (known && 'kind' in known) return known
  let check: ExportCheck | undefined
  for await (const lines of splitLines(chunks)) {
    for (const line of lines) {
      if (!check) {
        const header = readHeader(line, options.vkeys)
        if ('kind' in header) return header
        if (known && !isSameLog(known.checkpoint.origin, header.origin))
          return { kind: 'unverifiable', why: 'The known checkpoint is of another log.' }
        check = createExportCheck(header, { trusted, known, quorum, onProgress })
        continue
      }
      const verdict = check.line(line)
      if (verdict) return verdict
    }
  }
  return check?.end() ?? { kind: 'unverifiable', why: 'The file is empty.' }
}

/** Verifies that one entry stands in the log of a signed checkpoint. Throws `option_invalid` for a malformed vkey. */
export function verifyReceipt(receipt: {
  /** The entry's bytes, or the hexadecimal leaf hash of a receipt. */
  readonly entry: Uint8Array | { readonly leafHash: string }
  readonly index: number
  readonly proof: readonly Uint8Array[]
  readonly checkpoint: string
  readonly vkeys: readonly string[]
}): Verdict {
  const opened = openCheckpoint(receipt.checkpoint, receipt.vkeys.map(parseVerifier))
  if (opened.kind === 'forged') return { kind: 'tampered', what: opened.why }
  if (opened.kind !== 'opened') return { kind: 'unverifiable', why: opened.why }
  const { origin, size, root } = opened.checkpoint
  const { entry, index, proof } = receipt
  const leaf = entry instanceof Uint8Array ? leafHash(entry) : Buffer.from(entry.leafHash, 'hex')
  if (!verifyInclusion({ leafHash: leaf, index, size, root, proof })) {
    return { kind: 'tampered', index, what: `The log of ${size} entries does not have this entry there.` }
  }
  return { kind: 'verified', origin, size, root: Buffer.from(root).toString('hex') }
}

function openKnown(
  note: string,
  trusted: readonly Verifier[],
  quorum: Quorum | undefined,
): Known | Extract<Verdict, { kind: 'unverifiable' }> {
  const opened = openCheckpoint(note, trusted)
  if (opened.kind !== 'opened') return unusable(opened.why)
  if (!quorum) return { checkpoint: opened.checkpoint, witnessed: false }
  const read = readCosignatures(note, quorum.verifiers)
  if (read.kind === 'forged') return unusable(read.why)
  return { checkpoint: opened.checkpoint, witnessed: read.names.length >= quorum.needed }
}

function unusable(why: string): Extract<Verdict, { kind: 'unverifiable' }> {
  return { kind: 'unverifiable', why: `The known checkpoint cannot be used. ${why}` }
}
