import { findSignature, type LogReader, parseWitnessVerifier } from '../audit/index.ts'
import { Failure } from '../primitives/index.ts'
import { addCheckpointPath, formatSubmission, parseSize, sizeMediaType } from './add-checkpoint.ts'

/** Where a witness is, and its public key. Plain HTTP is taken to loopback alone. */
export type WitnessAddress = { readonly url: string; readonly vkey: string }

/**
 * What came of a submission. `forked`: the witness has cosigned another history of this log · `shrunk`: it has cosigned more of it than
 * there is · `overtaken`: it has cosigned a newer checkpoint meanwhile · `refused`: it does not know the log or its key, or its answer is
 * not by its key.
 */
export type Submitted =
  | { readonly kind: 'cosigned'; readonly line: string }
  | { readonly kind: 'forked' | 'shrunk' | 'overtaken' | 'refused' | 'unreachable'; readonly why: string }

/** What a submitter needs of the log. */
export type WitnessedLog = Pick<LogReader, 'origin' | 'vkey' | 'size' | 'checkpoint' | 'consistencyProof'>

/** Submits checkpoints of one log to one witness, one after the other. */
export interface Submitter {
  readonly name: string
  readonly url: string
  /** Never throws. */
  submit(
    checkpoint: { readonly note: string; readonly size: number },
    signal: AbortSignal,
  ): Promise<Submitted>
}

/** Bytes of an answer that are read; it is a few lines. */
export const answerBytesMax = 65_536
/** Tries of one submission: a witness says at most once per try how far it is. */
export const triesMax = 3

/** Throws `option_invalid` for a malformed key or address. Nothing is sent yet. */
export function createSubmitter({ url, vkey }: WitnessAddress, log: WitnessedLog): Submitter {
  const verifier = parseWitnessVerifier(vkey)
  const target = targetOf(url)
  // How far the witness is, as it said itself. At the beginning nobody knows, so it is asked with a size of zero.
  let known = 0

  const attempt = async (note: string, size: number, signal: AbortSignal): Promise<Submitted | 'again'> => {
    const from = Math.min(known, size)
    const proof = await log.consistencyProof({ from, to: size })
    const answer = await post(target, formatSubmission({ oldSize: from, proof, checkpoint: note }), signal)
    if (answer.status === 200) {
      const line = findSignature(note, answer.body, verifier)
      if (line === undefined) return { kind: 'refused', why: 'It answered without a cosignature by its key.' }
      known = size
      return { kind: 'cosigned', line }
    }
    if (answer.status === 422) return { kind: 'forked', why: 'Our log does not continue what it cosigned.' }
    if (answer.status !== 409) return { kind: 'refused', why: `It answered ${answer.status}.` }
    const theirs = answer.type === sizeMediaType ? parseSize(answer.body.trimEnd()) : undefined
    if (theirs === undefined || theirs === from) {
      if (from === size) return { kind: 'forked', why: `It cosigned another checkpoint of ${size} entries.` }
      return { kind: 'refused', why: 'It answered 409 without saying how far it is.' }
    }
    if (theirs > log.size()) return { kind: 'shrunk', why: `It cosigned ${theirs} entries already.` }
    if (theirs > size) return { kind: 'overtaken', why: `It cosigned ${theirs} entries meanwhile.` }
    known = theirs
    return 'again'
  }

  return {
    name: verifier.name,
    url,
    async submit({ note, size }, signal) {
      try {
        for (let tries = 0; tries < triesMax; tries += 1) {
          const outcome = await attempt(note, size, signal)
          if (outcome !== 'again') return outcome
        }
        return { kind: 'refused', why: 'It says another size each time.' }
      } catch (thrown) {
        return { kind: 'unreachable', why: reasonOf(thrown) }
      }
    },
  }
}

/** `fetch` says only that it failed; what failed is its cause. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'It cannot be reached.'
  const { cause } = thrown
  if (!(cause instanceof Error)) return thrown.message
  return `${thrown.message} (${'code' in cause ? cause.code : cause.message})`
}

function targetOf(url: string): URL {
  const target = URL.parse(`${url.replace(/\/$/, '')}/${addCheckpointPath}`)
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(target?.hostname ?? '')
  if (target && (target.protocol === 'https:' || (target.protocol === 'http:' && loopback))) return target
  throw new Failure('option_invalid', `${url} is no address of a witness: https, or http on loopback.`)
}

type Answer = { readonly status: number; readonly type: string; readonly body: string }

async function post(target: URL, body: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(target, {
    method: 'POST',
    body,
    signal,
    redirect: 'error',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
  })
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    body: await readAnswer(response),
  }
}

async function readAnswer(response: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of response.body ?? []) {
    size += piece.length
    if (size > answerBytesMax) throw new Error('Its answer is too large.')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
