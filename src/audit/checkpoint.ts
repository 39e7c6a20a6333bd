import { decodeBase64, type OpenedNote, openNote, type Signer, signNote, type Verifier } from './note.ts'

/** The head of a log's tree (C2SP tlog-checkpoint). */
export type Checkpoint = {
  /** The log's name, which is also the name of its key. */
  readonly origin: string
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
}

/** What a checkpoint says under the keys that the reader trusts; see `OpenedNote`. */
export type OpenedCheckpoint =
  | {
      readonly kind: 'opened'
      readonly checkpoint: Checkpoint
      /** The names of the trusted keys that signed it. */
      readonly signedBy: readonly string[]
    }
  | Exclude<OpenedNote, { kind: 'opened' }>

/** The signed note of a checkpoint. */
export function signCheckpoint(checkpoint: Checkpoint, signer: Signer): Promise<string> {
  return signNote(formatCheckpoint(checkpoint), signer)
}

/**
 * Reads a checkpoint that the log itself signed: one of the trusted keys that hold must have the origin as its name, so that a
 * witness cannot speak for a log.
 */
export function openCheckpoint(note: string, trusted: readonly Verifier[]): OpenedCheckpoint {
  const opened = openNote(note, trusted)
  if (opened.kind !== 'opened') return opened
  const checkpoint = parseCheckpoint(opened.text)
  if (!checkpoint) return { kind: 'malformed', why: 'The note is signed but is no checkpoint.' }
  if (!opened.signedBy.includes(checkpoint.origin)) {
    return { kind: 'unknown_key', why: `No pinned key of the log ${checkpoint.origin} signed it.` }
  }
  return { kind: 'opened', checkpoint, signedBy: opened.signedBy }
}

function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`
}

/** Lines after the third are extensions, which other logs may have; they are signed but mean nothing here. */
function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin = '', digits = '', encoded = '', ...extensions] = text.slice(0, -1).split('\n')
  const size = /^(?:0|[1-9][0-9]{0,15})$/.test(digits) ? Number(digits) : Number.NaN
  const root = decodeBase64(encoded)
  if (origin === '' || !Number.isSafeInteger(size) || root?.length !== 32) return undefined
  return extensions.includes('') ? undefined : { origin, size, root }
}
