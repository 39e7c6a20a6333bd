import { createReadStream, createWriteStream, readFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { setTimeout } from 'node:timers/promises'
import { type Verdict, verifyExport, verifyReceipt } from '../audit/index.ts'
import { Failure } from '../primitives/index.ts'
import { type ConnectionOptions, connect } from './connection.ts'
import { exitCodes } from './exit-code.ts'
import { paint, type Terminal } from './terminal.ts'

type AuditConnection = ConnectionOptions & { readonly logKey?: string }

/** Who reads the log of a development broker is its person. */
const asPerson = <T extends ConnectionOptions>(options: T): T => ({ ...options, as: options.as ?? 'person' })

/** `sallyport audit tail`: the newest entries, and with `--follow` those that come. */
export async function tail(
  io: Terminal,
  options: ConnectionOptions & { readonly count: number; readonly follow?: boolean },
): Promise<number> {
  const { client } = connect(asPerson(options))
  try {
    const { size } = await client.entries({ from: 0, count: 0 })
    let from = Math.max(0, size - options.count)
    for (;;) {
      const page = await client.entries({ from })
      for (const entry of page.entries) io.out(io.json ? JSON.stringify(entry) : entryLine(entry))
      const idle = page.next === from
      from = page.next
      if (from >= page.size && !options.follow) return exitCodes.ok[0]
      if (idle) await setTimeout(1_000)
    }
  } finally {
    client.close()
  }
}

/** `sallyport audit show INDEX` */
export async function show(io: Terminal, index: number, options: ConnectionOptions): Promise<number> {
  const { client } = connect(asPerson(options))
  try {
    const [entry] = (await client.entries({ from: index, count: 1 })).entries
    if (!entry) throw new Failure('not_found', `There is no entry ${index} that you may read.`)
    io.out(JSON.stringify(entry, null, io.json ? undefined : 2))
    return exitCodes.ok[0]
  } finally {
    client.close()
  }
}

/** `sallyport audit prove INDEX`: fetches the proof and holds it against the key that the reader pinned. */
export async function prove(io: Terminal, index: number, options: AuditConnection): Promise<number> {
  const { client, logKey } = connect(asPerson(options))
  try {
    const vkey = pinnedKey(options.logKey ?? logKey)
    const proof = await client.inclusionProof({ index })
    const verdict = verifyReceipt({
      entry: { leafHash: proof.leaf_hash },
      index,
      proof: proof.hashes.map((hash) => Buffer.from(hash, 'hex')),
      checkpoint: proof.checkpoint ?? '',
      vkeys: [vkey],
    })
    return tellVerdict(io, verdict, { index, leaf_hash: proof.leaf_hash })
  } finally {
    client.close()
  }
}

/** `sallyport audit export FILE` */
export async function exportTo(io: Terminal, file: string, options: ConnectionOptions): Promise<number> {
  const { client } = connect(asPerson(options))
  try {
    await pipeline(await client.exportLog(), createWriteStream(file, { mode: 0o600 }))
    io.say(`The log is in ${file}.`)
    io.say(`Next: sallyport audit verify ${file} --log-key VKEY`)
    return exitCodes.ok[0]
  } finally {
    client.close()
  }
}

export type VerifyFileOptions = {
  readonly logKey?: string
  /** A file with a checkpoint that was kept elsewhere: the log must be at least that one. */
  readonly checkpoint?: string
  readonly dev?: string
}

/** `sallyport audit verify FILE`: offline; the exit code tells tampered from truncated from unverifiable. */
export async function verifyFile(io: Terminal, file: string, options: VerifyFileOptions): Promise<number> {
  const known =
    options.checkpoint === undefined ? {} : { knownCheckpoint: readFileSync(options.checkpoint, 'utf8') }
  const progress = process.stderr.isTTY && !io.json
  const verdict = await verifyExport(open(file), {
    vkeys: [pinnedKey(options.logKey)],
    ...known,
    onProgress: ({ entries, size }) => {
      if (progress) process.stderr.write(`\r${entries} of ${size} entries`)
    },
  })
  if (progress) process.stderr.write('\r\u001b[K')
  return tellVerdict(io, verdict, { file })
}

function open(file: string): AsyncIterable<Uint8Array> {
  return createReadStream(file)
}

function pinnedKey(vkey: string | undefined): string {
  if (vkey !== undefined) return vkey
  throw new Failure(
    'option_invalid',
    'The key of the log must be pinned; the one in the file proves nothing.',
    {
      next: 'give --log-key VKEY; the broker prints it when it starts',
    },
  )
}

function tellVerdict(
  io: Terminal,
  verdict: Verdict,
  about: Readonly<Record<string, string | number>>,
): number {
  if (io.json) io.out(JSON.stringify({ ...about, ...verdict }))
  else io.out(verdictLine(verdict))
  return exitCodes[verdict.kind === 'verified' ? 'ok' : verdict.kind][0]
}

function verdictLine(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'verified':
      return `${paint('green', 'verified')} ${verdict.size} entries of ${verdict.origin}, root ${verdict.root}`
    case 'tampered':
      return `${paint('red', 'tampered')} ${verdict.index === undefined ? '' : `entry ${verdict.index}: `}${verdict.what}`
    case 'truncated':
      return `${paint('red', 'truncated')} after ${verdict.entries} entries: ${verdict.what}`
    case 'unverifiable':
      return `${paint('yellow', 'unverifiable')} ${verdict.why}`
  }
}

function entryLine(entry: Readonly<Record<string, unknown>>): string {
  const text = (name: string) => printable(entry[name])
  const decision = entry['decision'] === 'deny' ? paint('red', text('event')) : text('event')
  return [
    text('index').padStart(6),
    text('timestamp'),
    decision,
    text('tenant'),
    text('agent_id'),
    text('scope'),
    text('outcome'),
    text('lease_id'),
  ]
    .filter((word) => word !== '')
    .join('  ')
}

/** Entries hold words of callers: nothing of them may move a terminal's cursor. */
function printable(value: unknown): string {
  return value === null || value === undefined ? '' : String(value).replace(/\p{C}/gu, '\ufffd')
}
