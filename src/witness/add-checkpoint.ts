/** What a log submits (C2SP tlog-witness, add-checkpoint): that its checkpoint continues the one of size `oldSize`. */
export type Submission = {
  readonly oldSize: number
  /** RFC 6962 §2.1.2; empty when `oldSize` is 0 or the size of the checkpoint. */
  readonly proof: readonly Uint8Array[]
  /** A signed note. */
  readonly checkpoint: string
}

/** Limits of a submission. The protocol allows 63 hashes; the note has a limit of its own. */
export const submissionLimits = { hashesMax: 63, bytesMax: 70_000 } as const

/** The path of the call, below the witness's prefix. */
export const addCheckpointPath = 'add-checkpoint'

/** The media type of an answer 409, whose body is the size that the witness has cosigned. */
export const sizeMediaType = 'text/x.tlog.size'

export function formatSubmission({ oldSize, proof, checkpoint }: Submission): string {
  return `old ${oldSize}\n${proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('')}\n${checkpoint}`
}

/** Reads the body of a submission, which is attacker-controlled; `undefined` when it is none. */
export function parseSubmission(body: string): Submission | undefined {
  const gap = body.indexOf('\n\n')
  const [first = '', ...lines] = body.slice(0, Math.max(gap, 0)).split('\n')
  const oldSize = parseSize(/^old (.+)$/.exec(first)?.[1] ?? '')
  const proof = lines.map(decodeHash)
  if (oldSize === undefined || lines.length > submissionLimits.hashesMax) return undefined
  if (!proof.every((hash) => hash !== undefined)) return undefined
  return { oldSize, proof, checkpoint: body.slice(gap + 2) }
}

/** A tree size in decimal without leading zeroes; `undefined` for any other text. */
export function parseSize(text: string): number | undefined {
  const size = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(size) ? size : undefined
}

/** The one spelling of 32 bytes in base64; `undefined` for any other line. */
function decodeHash(line: string): Buffer | undefined {
  const hash = Buffer.from(line, 'base64')
  return hash.length === 32 && hash.toString('base64') === line ? hash : undefined
}
