import {
  type Cosigner,
  emptyFrontier,
  findSignature,
  frontierRoot,
  noteText,
  openCheckpoint,
  parseVerifier,
  type Verifier,
  verifyConsistency,
} from '../audit/index.ts'
import { parseSubmission, type Submission } from './add-checkpoint.ts'
import type { Seen, WitnessState } from './state.ts'

/** What a witness says to a submission. Only `cosigned` changes what it remembers. */
export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly lines: string }
  | { readonly kind: 'malformed'; readonly why: string }
  | { readonly kind: 'unknown_origin'; readonly why: string }
  | { readonly kind: 'unknown_key'; readonly why: string }
  /** `size` is that of the checkpoint that it cosigned last: the caller is late, or its log has shrunk. */
  | { readonly kind: 'stale'; readonly size: number }
  /** The log signed two histories; both checkpoints are the evidence. */
  | { readonly kind: 'forked'; readonly origin: string; readonly seen: string; readonly submitted: string }
  | { readonly kind: 'unproven'; readonly origin: string; readonly seen: string; readonly submitted: string }

export interface Witness {
  readonly name: string
  readonly vkey: string
  /** Judges the body of a submission, which is attacker-controlled. What it cosigned is durable when this returns. */
  add(body: string): WitnessAnswer
  /** The checkpoint of that log that it cosigned last, with its cosignature. */
  latest(origin: string): string | undefined
}

/** A witness of the logs with these public keys. Throws `option_invalid` for a malformed one. */
export function createWitness(options: {
  readonly cosigner: Cosigner
  readonly logs: readonly string[]
  readonly state: WitnessState
  /** Milliseconds since 1970. */
  readonly now: () => number
}): Witness {
  const { cosigner, state } = options
  const logs = options.logs.map(parseVerifier)
  return {
    name: cosigner.name,
    vkey: cosigner.vkey,
    latest: (origin) => state.latest(origin)?.note,
    add(body) {
      const submission = parseSubmission(body)
      const text = submission && noteText(submission.checkpoint)
      if (!submission || text === undefined)
        return { kind: 'malformed', why: 'The body is no add-checkpoint request.' }
      const read = readSubmitted(submission, text, logs)
      if ('kind' in read) return read
      // Nothing is awaited from here to `advance`: no other submission can come between the judgement and its record.
      const seen = state.latest(read.origin)
      const refusal = judge(submission, read, seen)
      if (refusal) return refusal
      const lines = cosigner.cosign(text, Math.floor(options.now() / 1000))
      const { origin, size, root, line } = read
      state.advance(origin, seen, { size, root, note: `${text}\n${line}${lines}` })
      return { kind: 'cosigned', lines }
    },
  }
}

/** `line` is the signature of the log. Others that came along are not kept: anybody could have added them. */
type Submitted = {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
  readonly line: string
}

function readSubmitted(
  { checkpoint }: Submission,
  text: string,
  logs: readonly Verifier[],
): Submitted | WitnessAnswer {
  const origin = text.slice(0, text.indexOf('\n'))
  const trusted = logs.filter(({ name }) => name === origin)
  if (trusted.length === 0) return { kind: 'unknown_origin', why: 'This log is not witnessed here.' }
  const opened = openCheckpoint(checkpoint, trusted)
  if (opened.kind === 'malformed') return { kind: 'malformed', why: opened.why }
  if (opened.kind !== 'opened') return { kind: 'unknown_key', why: opened.why }
  const lines = checkpoint.slice(text.length + 1)
  const found = trusted.map((verifier) => findSignature(checkpoint, lines, verifier))
  return { ...opened.checkpoint, line: found.find((line) => line !== undefined) ?? '' }
}

function judge(
  { oldSize, proof, checkpoint }: Submission,
  { origin, size, root }: Submitted,
  seen: Seen | undefined,
): WitnessAnswer | undefined {
  if (oldSize > size) return { kind: 'malformed', why: 'The old size is larger than the new one.' }
  const from = seen ?? nothingSeen
  if (oldSize !== from.size) return { kind: 'stale', size: from.size }
  const evidence = { origin, seen: from.note, submitted: checkpoint }
  if (size === from.size && !Buffer.from(root).equals(from.root)) return { kind: 'forked', ...evidence }
  const continues = verifyConsistency({
    from: oldSize,
    fromRoot: from.root,
    to: size,
    toRoot: root,
    proof,
  })
  return continues ? undefined : { kind: 'unproven', ...evidence }
}

const nothingSeen: Seen = { size: 0, root: frontierRoot(emptyFrontier), note: '' }
