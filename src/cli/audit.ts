import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { setTimeout } from 'node:timers/promises'
import { type Verdict, type VerifyOptions, verifyExport, verifyReceipt } from '../audit/index.ts'
import { Failure } from '../primitives/index.ts'
import { type ConnectionOptions, knownLogKey, read, withBroker } from './connection.ts'
import { exitCodes } from './exit-code.ts'
import { fileFailure } from './file-failure.ts'
import { pathWord } from './path-word.ts'
import { jsonText, paint, printable, type Terminal } from './terminal.ts'

type Pinned = Pick<ConnectionOptions, 'dev' | 'url'> & { readonly logKey?: string }

/** Who reads the log of a development broker is its person. */
const asPerson = <T extends ConnectionOptions>(options: T): T => ({ ...options, as: options.as ?? 'person' })

/** How often `--follow` looks for more. */
const followMs = 1_000

/** `sallyport audit tail`: the newest entries, and with `--follow` those that come, until a signal. */
export function tail(
  io: Terminal,
  options: ConnectionOptions & { readonly count: number; readonly follow?: boolean },
): Promise<number> {
  return withBroker(asPerson(options), async (client) => {
    const { size } = await client.entries({ from: 0, count: 0 })
    let from = Math.max(0, size - options.count)
    for (;;) {
      const page = await client.entries({ from })
      for (const entry of page.entries) {
        if (io.json) io.data(entry)
        else io.out(entryLine(entry))
      }
      const idle = page.next === from
      from = page.next
      if (!options.follow && (idle || from >= page.size)) return exitCodes.ok[0]
      if (idle) await setTimeout(followMs)
    }
  })
}

/** `sallyport audit show INDEX` */
export function show(io: Terminal, index: number, options: ConnectionOptions): Promise<number> {
  return withBroker(asPerson(options), async (client) => {
    const [entry] = (await client.entries({ from: index, count: 1 })).entries
    // An auditor of one tenant is given the next entry that it may read.
    if (entry?.['index'] !== index)
      throw new Failure('not_found', `There is no entry ${index} that you may read.`, {
        next: 'sallyport audit tail',
      })
    if (io.json) io.data(entry)
    else io.out(jsonText(entry, 2))
    return exitCodes.ok[0]
  })
}

/** `sallyport audit prove INDEX`: fetches the proof and holds it against the key that the reader pinned. */
export function prove(io: Terminal, index: number, options: ConnectionOptions & Pinned): Promise<number> {
  const vkey = pinnedKey(options)
  return withBroker(asPerson(options), async (client) => {
    const proof = await client.inclusionProof({ index })
    const verdict = verifyReceipt({
      entry: { leafHash: proof.leaf_hash },
      index,
      proof: proof.hashes.map((hash) => Buffer.from(hash, 'hex')),
      checkpoint: proof.checkpoint ?? '',
      vkeys: [vkey],
    })
    return tellVerdict(io, verdict, { index, leaf_hash: proof.leaf_hash })
  })
}

/** `sallyport audit export FILE` */
export function exportTo(io: Terminal, file: string, options: ConnectionOptions & Pinned): Promise<number> {
  return withBroker(asPerson(options), async (client) => {
    // Asked for first: who may not read the log must not lose the file that is there.
    const log = await client.exportLog()
    await pipeline(log, createWriteStream(file, { mode: 0o600 })).catch((thrown: unknown) => {
      throw fileFailure(thrown, file, 'written')
    })
    if (io.json) io.data({ file, bytes: (await stat(file)).size })
    else {
      io.say(`The log is in ${file}.`)
      const vkey = knownLogKey(options, process.env) ?? 'VKEY'
      io.say(`Next: sallyport audit verify ${pathWord(file)} --log-key '${vkey}'`)
    }
    return exitCodes.ok[0]
  })
}

export type VerifyFileOptions = Pinned & {
  /** A file with a checkpoint that was kept elsewhere: the log must be at least that one. */
  readonly checkpoint?: string
  /** Keys of the epochs before the log was restored. */
  readonly earlierKey?: readonly string[]
  readonly witnessKey?: readonly string[]
  /** Absent: all of them. */
  readonly witnessQuorum?: number
}

/** What is read of a log at once: with less, waiting for the disk takes longer than hashing. */
const chunkBytes = 256 * 1024

/** `sallyport audit verify FILE`: offline; the exit code tells tampered from truncated from unverifiable. */
export async function verifyFile(io: Terminal, file: string, options: VerifyFileOptions): Promise<number> {
  const vkey = pinnedKey(options)
  // Tools that copy a text add a line end, and a signed note has exactly one.
  const known =
    options.checkpoint === undefined ? {} : { knownCheckpoint: `${read(options.checkpoint).trimEnd()}\n` }
  const witnesses = demandOf(options)
  const progress = progressOn(process.stderr, io)
  const verdict = await verifyExport(chunksOf(file), {
    vkeys: [vkey, ...(options.earlierKey ?? [])],
    ...known,
    ...witnesses,
    ...progress,
  }).catch((thrown: unknown) => {
    throw fileFailure(thrown, file, 'read')
  })
  progress.clear()
  return tellVerdict(io, verdict, { file })
}

/** Opened when it is read: a mistake in an option is told before. */
async function* chunksOf(file: string): AsyncGenerator<Uint8Array, void, void> {
  yield* createReadStream(file, { highWaterMark: chunkBytes })
}

function demandOf({ witnessKey, witnessQuorum }: VerifyFileOptions): Pick<VerifyOptions, 'witnesses'> {
  if (witnessKey) return { witnesses: { vkeys: witnessKey, needed: witnessQuorum ?? witnessKey.length } }
  if (witnessQuorum === undefined) return {}
  throw new Failure('option_invalid', 'There is no --witness-key.')
}

/** Where a person watches: one line that is written over, and then gone. */
function progressOn(stream: NodeJS.WriteStream, io: Terminal) {
  const shown = stream.isTTY && !io.json && process.env['TERM'] !== 'dumb'
  const write = (text: string) => void (shown && stream.write(`\r\u001b[K${text}`))
  return {
    onProgress: ({ entries, size }: { entries: number; size: number }) =>
      write(`${entries} of ${size} entries`),
    clear: () => write(''),
  }
}

function pinnedKey(options: Pinned): string {
  const vkey = knownLogKey(options, process.env)
  if (vkey !== undefined) return vkey
  const message = 'The key of the log must be pinned; the one in the file proves nothing.'
  throw new Failure('option_invalid', message, {
    next: 'give --log-key VKEY; the broker prints it when it starts',
  })
}

function tellVerdict(
  io: Terminal,
  verdict: Verdict,
  about: Readonly<Record<string, string | number>>,
): number {
  const next = verdict.kind === 'verified' ? undefined : afterwards[verdict.kind]
  if (io.json) io.data({ ...about, ...verdict, ...(next === undefined ? {} : { next }) })
  else {
    io.out(verdictLine(verdict))
    if (next !== undefined) io.say(`Next: ${next}`)
  }
  return exitCodes[verdict.kind === 'verified' ? 'ok' : verdict.kind][0]
}

const afterwards = {
  tampered:
    'keep what was verified; export the log anew, and hold it against the checkpoint of a receipt or of a witness (--checkpoint)',
  truncated: 'export the log anew; if that is as short, the broker was rolled back or restored',
  unverifiable:
    'see that the file is a whole export, that each pinned key is of this log or of a witness that has cosigned it, and that sallyport is as new as the broker',
} as const

function verdictLine(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'verified':
      return `${paint('green', 'verified')} ${verdict.size} entries of ${verdict.origin}, root ${verdict.root}${witnessedWords(verdict.witnessed)}`
    case 'tampered':
      return `${paint('red', 'tampered')} ${verdict.index === undefined ? '' : `entry ${verdict.index}: `}${verdict.what}`
    case 'truncated':
      return `${paint('red', 'truncated')} after ${verdict.entries} entries: ${verdict.what}`
    case 'unverifiable':
      return `${paint('yellow', 'unverifiable')} ${verdict.why}`
  }
}

/** Entries hold words of callers: each is made printable by itself, so that none can look like another line. */
function entryLine(entry: Readonly<Record<string, unknown>>): string {
  const text = (name: string) => printable(entry[name])
  const refused = entry['decision'] === 'deny' || entry['event'] === 'identity_refused'
  const words = [
    text('index').padStart(6),
    text('timestamp'),
    refused ? paint('red', text('event')) : text('event'),
    text('tenant'),
    text('agent_id'),
    text('scope'),
    text('outcome'),
    refused ? text('rule') : '',
    text('lease_id'),
  ]
  return words.filter((word) => word !== '').join('  ')
}

function witnessedWords(entries: number | undefined): string {
  return entries === undefined ? '' : `; witnesses cosigned the first ${entries}`
}
