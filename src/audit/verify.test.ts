import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import fc from 'fast-check'
import { entryFixture } from '../testing/ledger.ts'
import { createMemoryStorage } from '../testing/log-storage.ts'
import { signCheckpoint } from './checkpoint.ts'
import { type Cosigner, parseWitnessKey } from './cosignature.ts'
import { createLogKey, parseLogKey } from './key.ts'
import { lineBytesMax } from './lines.ts'
import { type AuditLog, createLog } from './log.ts'
import { leafHash as hashLeaf } from './merkle.ts'
import { noteText } from './note.ts'
import type { LogHead } from './storage.ts'
import { type Verdict, type VerifyOptions, verifyExport, verifyReceipt } from './verify.ts'

const signer = parseLogKey(createLogKey('log.example.test/verify'))
const vkeys = [signer.vkey]

/** 300 entries in batches, so that one kept checkpoint stands in the middle; and the same log earlier and forked. */
let log: AuditLog
let whole: Buffer
let lines: readonly Buffer[]
let earlier: { readonly file: Buffer; readonly checkpoint: string }
let fork: { readonly file: Buffer; readonly checkpoint: string }

const witnesses = ['witness-one.example.test', 'witness-two.example.test'].map((name) =>
  parseWitnessKey(createLogKey(name)),
)

function cosign(checkpoint: string, cosigners: readonly Cosigner[]): string {
  const text = noteText(checkpoint) ?? assert.fail()
  return checkpoint + cosigners.map((cosigner) => cosigner.cosign(text, 1_900_000_000)).join('')
}

function linesOf(file: Buffer): readonly Buffer[] {
  const texts = file.toString('latin1').split('\n').slice(0, -1)
  return texts.map((line) => Buffer.from(`${line}\n`, 'latin1'))
}

before(async () => {
  log = await createLog({ storage: createMemoryStorage(), signer })
  await append(log, 'common', 200)
  earlier = { file: await fileOf(log), checkpoint: log.checkpoint() }
  await append(log, 'here', 60)
  await append(log, 'here', 40)
  whole = await fileOf(log)
  lines = linesOf(whole)
  const other = await createLog({ storage: createMemoryStorage(), signer })
  await append(other, 'common', 200)
  await append(other, 'there', 100)
  fork = { file: await fileOf(other), checkpoint: other.checkpoint() }
})

async function append(to: AuditLog, outcome: string, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => to.record({ entry: entryFixture({ outcome }) })))
}

async function fileOf(of: AuditLog): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of of.export()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** As a stream would give it: in pieces that do not end where lines do. */
async function* pieces(file: Uint8Array, size = 4_099) {
  for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size)
}

function verify(file: Uint8Array, options: Partial<VerifyOptions> = {}): Promise<Verdict> {
  return verifyExport(pieces(file), { vkeys, ...options })
}

const isEntry = (line: Buffer) => line.toString().startsWith('{"v":')

describe('an export', () => {
  test('is verified, in pieces of any size', async () => {
    for (const size of [1, 31, 65_536]) {
      const verdict = await verifyExport(pieces(whole, size), { vkeys })
      assert.ok(verdict.kind === 'verified' && verdict.size === 300 && verdict.origin === signer.name)
    }
    assert.equal(lines.filter((line) => line.toString().startsWith('{"checkpoint":')).length, 2)
  })

  test('of an empty log is verified', async () => {
    const empty = await createLog({ storage: createMemoryStorage(), signer })
    const verdict = await verify(await fileOf(empty))
    assert.ok(verdict.kind === 'verified' && verdict.size === 0)
  })

  test('that was taken while the log grew ends at the checkpoint that stood when it began', async () => {
    const growing = await createLog({ storage: createMemoryStorage(), signer })
    await append(growing, 'before', 600)
    const chunks: Uint8Array[] = []
    for await (const chunk of growing.export()) {
      chunks.push(chunk)
      await append(growing, 'meanwhile', 100)
    }
    const verdict = await verify(Buffer.concat(chunks))
    assert.ok(verdict.kind === 'verified' && verdict.size === 600)
  })

  test('tells how far its check is', async () => {
    const long = await createLog({ storage: createMemoryStorage(), signer })
    await append(long, 'x', 2_500)
    const told: number[] = []
    await verify(await fileOf(long), { onProgress: ({ entries, size }) => told.push(entries, size) })
    assert.deepEqual(told, [1_000, 2_500, 2_000, 2_500])
  })

  test('extends an earlier checkpoint of the same log', async () => {
    assert.equal((await verify(whole, { knownCheckpoint: earlier.checkpoint })).kind, 'verified')
    assert.equal((await verify(whole, { knownCheckpoint: log.checkpoint() })).kind, 'verified')
  })

  test('that is older than a known checkpoint is truncated, though every byte is genuine', async () => {
    assert.equal((await verify(earlier.file)).kind, 'verified')
    const verdict = await verify(earlier.file, { knownCheckpoint: log.checkpoint() })
    assert.deepEqual(verdict, {
      kind: 'truncated',
      what: 'The file has 200 entries; the log had 300 already.',
      entries: 200,
    })
  })

  test('of a fork of the log is tampered with for whoever knows the other branch', async () => {
    assert.equal((await verify(fork.file)).kind, 'verified')
    assert.equal((await verify(fork.file, { knownCheckpoint: earlier.checkpoint })).kind, 'verified')
    assert.equal((await verify(fork.file, { knownCheckpoint: log.checkpoint() })).kind, 'tampered')
    assert.equal((await verify(whole, { knownCheckpoint: fork.checkpoint })).kind, 'tampered')
  })

  test('rewritten by who has the log key is verified, unless a checkpoint is known from before', async () => {
    const rewritten = await createLog({ storage: createMemoryStorage(), signer })
    await append(rewritten, 'nothing happened', 300)
    assert.equal((await verify(await fileOf(rewritten))).kind, 'verified')
    const verdict = await verify(await fileOf(rewritten), { knownCheckpoint: log.checkpoint() })
    assert.equal(verdict.kind, 'tampered')
  })

  test('without a pinned key, with another one, or of no log at all is unverifiable', async () => {
    const stranger = parseLogKey(createLogKey(signer.name))
    const foreign = await createLog({ storage: createMemoryStorage(), signer: stranger })
    await append(foreign, 'x', 3)
    const unverifiable: [Uint8Array, Partial<VerifyOptions>?][] = [
      [whole, { vkeys: [] }],
      [whole, { vkeys: [stranger.vkey] }],
      [await fileOf(foreign)],
      // The header's own key is worth nothing: whoever replaced the log replaced it too.
      [Buffer.from((await fileOf(foreign)).toString().replace(stranger.vkey, signer.vkey))],
      [Buffer.alloc(0)],
      [Buffer.from('hello\n')],
      [Buffer.from(whole.toString().replace('sallyport-log/v1', 'sallyport-log/v2'))],
      [whole, { knownCheckpoint: 'not a note' }],
      [whole, { knownCheckpoint: foreign.checkpoint() }],
    ]
    for (const [file, options] of unverifiable)
      assert.equal((await verify(file, options)).kind, 'unverifiable')
    await assert.rejects(verify(whole, { vkeys: ['nonsense'] }), { code: 'option_invalid' })
  })

  test('with a signed entry that this version cannot read is unverifiable, not tampered with', async () => {
    const newer = Buffer.from('{"v":2,"index":0}')
    const checkpoint = await signCheckpoint({ origin: signer.name, size: 1, root: hashLeaf(newer) }, signer)
    const header = { format: 'sallyport-log/v1', origin: signer.name, vkey: signer.vkey, size: 1 }
    const file = `${JSON.stringify(header)}\n${newer}\n${JSON.stringify({ checkpoint })}\n`
    assert.equal((await verify(Buffer.from(file))).kind, 'unverifiable')
  })

  test('cannot fill the memory with one endless line', async () => {
    let given = 0
    async function* endless() {
      yield lines[0] ?? Buffer.of()
      for (;;) {
        given += 65_536
        yield Buffer.alloc(65_536, 'x')
      }
    }
    assert.equal((await verifyExport(endless(), { vkeys })).kind, 'tampered')
    assert.ok(given <= lineBytesMax + 2 * 65_536)
  })
})

describe('a tampered export is caught, and what was done is named', () => {
  /** A hundred entries: witnesses cosigned the first 70; and the same log earlier and forked. */
  let log: AuditLog
  let whole: Buffer
  let lines: readonly Buffer[]
  let earlier: Buffer
  let fork: Buffer
  let cosigned: LogHead | undefined

  before(async () => {
    log = await createLog({ storage: createMemoryStorage(), signer, cosigned: () => cosigned })
    await append(log, 'common', 40)
    earlier = await fileOf(log)
    await append(log, 'here', 30)
    cosigned = { size: 70, checkpoint: cosign(log.checkpoint(), witnesses) }
    await append(log, 'here', 30)
    whole = await fileOf(log)
    lines = linesOf(whole)
    const other = await createLog({ storage: createMemoryStorage(), signer })
    await append(other, 'common', 40)
    await append(other, 'there', 60)
    fork = await fileOf(other)
  })

  /** The line of one of the entries but the last. */
  const entryAt = (pick: number) => {
    const entries = [...lines.keys()].filter((at) => isEntry(lines[at] ?? Buffer.of()))
    return entries[pick % (entries.length - 1)] ?? 0
  }
  const lineAt = (at: number) => lines[at] ?? Buffer.of()
  const isCosigned = (line: Buffer) => line.includes('witness-one')

  type Way = { readonly kinds: readonly Verdict['kind'][]; change(one: number, two: number): Buffer }
  /** Every way to tamper: what it makes of the lines, and what a reader may be told then. */
  const ways: Readonly<Record<string, Way>> = {
    'flip: a byte of an entry': {
      kinds: ['tampered'],
      change(one, two) {
        const at = entryAt(one)
        return Buffer.concat(lines.with(at, flipByte(lineAt(at), two)))
      },
    },
    'flip: any byte of the file': {
      kinds: ['tampered', 'truncated', 'unverifiable'],
      change: (one, two) => flipByte(whole, one * 65_536 + two),
    },
    'flip: a byte of a signature line': {
      kinds: ['tampered', 'truncated', 'unverifiable'],
      change(one, two) {
        const at = lines.findLastIndex((line, index) => isCosigned(line) || (one % 2 === 0 && index > 100))
        return Buffer.concat(lines.with(at, flipByte(lineAt(at), two)))
      },
    },
    'delete: entries in the middle': {
      kinds: ['tampered'],
      change(one, two) {
        const begin = entryAt(one)
        const end = Math.min(begin + 1 + (two % 5), lines.length - 2)
        return Buffer.concat(lines.filter((line, at) => !isEntry(line) || at < begin || at >= end))
      },
    },
    'delete: the cosigned checkpoint': {
      kinds: ['unverifiable'],
      change: () => Buffer.concat(lines.filter((line) => !isCosigned(line))),
    },
    'insert: an entry again': {
      kinds: ['tampered'],
      change: (one, two) => Buffer.concat(lines.toSpliced(entryAt(two), 0, lineAt(entryAt(one)))),
    },
    'insert: an entry of another history': {
      kinds: ['tampered'],
      change(one, two) {
        const theirs = linesOf(fork)[41 + (one % 59)] ?? Buffer.of()
        return Buffer.concat(lines.toSpliced(42 + (two % 50), one % 2, theirs))
      },
    },
    'reorder: two entries': {
      kinds: ['tampered'],
      change(one, two) {
        const [left, right] = [entryAt(one), entryAt(one + 1 + (two % 95))]
        return Buffer.concat(lines.with(left, lineAt(right)).with(right, lineAt(left)))
      },
    },
    'truncate: at some byte': {
      kinds: ['truncated'],
      change: (one, two) => whole.subarray(0, 20 + ((one * 65_536 + two) % (whole.length - 20))),
    },
    'truncate: the last entries, and the last checkpoint stays': {
      kinds: ['truncated'],
      change: (one) => Buffer.concat(lines.toSpliced(-2 - (one % 30), 1 + (one % 30))),
    },
    'replay: the file of an earlier time': { kinds: ['truncated'], change: () => earlier },
    'fork: the file of another history': { kinds: ['tampered'], change: () => fork },
  }

  test('ten thousand times and more', async (context) => {
    const told = new Map<string, Map<string, number>>()
    let cases = 0
    const way = fc.constantFrom(...Object.keys(ways))
    const number = fc.nat(65_535)
    const options = {
      vkeys,
      knownCheckpoint: log.checkpoint(),
      witnesses: { vkeys: witnesses.map(({ vkey }) => vkey), needed: 2 },
    }
    await fc.assert(
      fc.asyncProperty(way, number, number, async (name, one, two) => {
        const { kinds, change } = ways[name] ?? assert.fail()
        // Only a genuine file in the place of another one needs to be known from elsewhere.
        const { knownCheckpoint, ...alone } = options
        const known = /^(replay|fork)/.test(name) ? options : alone
        const { kind } = await verifyExport(pieces(change(one, two), 65_536), known)
        assert.ok(kinds.includes(kind), `${name}: ${kind}`)
        const counts = told.get(name) ?? new Map<string, number>()
        told.set(name, counts.set(kind, (counts.get(kind) ?? 0) + 1))
        cases += 1
      }),
      { numRuns: 10_000 },
    )
    assert.equal((await verify(whole, options)).kind, 'verified')
    for (const [name, counts] of [...told].sort()) {
      const row = ['tampered', 'truncated', 'unverifiable'].map((kind) => `${kind} ${counts.get(kind) ?? 0}`)
      context.diagnostic(`${name.padEnd(60)} ${row.join('  ')}`)
    }
    context.diagnostic(`${cases} tamperings in ${told.size} ways, not one verified`)
  })
})

describe('the entry that was tampered with', () => {
  test('is named where it can be', async () => {
    const [, , , third = Buffer.of()] = lines
    const broken = Buffer.concat(
      lines.toSpliced(3, 1, Buffer.from(third.toString().replace('acme', 'ac"me'))),
    )
    const verdict = await verify(broken)
    assert.ok(verdict.kind === 'tampered' && verdict.index === 2)
    const deleted = await verify(Buffer.concat(lines.toSpliced(7, 1)))
    const checkpoint = lines.findIndex((line) => line.toString().startsWith('{"checkpoint":'))
    const repeated = await verify(
      Buffer.concat(lines.toSpliced(checkpoint, 0, lines[checkpoint] ?? Buffer.of())),
    )
    assert.deepEqual(repeated, { kind: 'tampered', what: 'The checkpoint of 260 entries is repeated.' })
    assert.deepEqual(deleted, { kind: 'tampered', what: 'Entry 7 stands where entry 6 belongs.', index: 6 })
    const rewritten = Buffer.from(whole.toString().replace('"tenant":"acme"', '"tenant":"acne"'))
    assert.deepEqual(await verify(rewritten), {
      kind: 'tampered',
      what: 'Of the entries 0 to 259, one or more are not what was signed.',
    })
  })
})

describe('a receipt', () => {
  test('is verified by its proof against any later checkpoint, and by no other bytes, place or key', async () => {
    const [receipt] = await Promise.all([
      log.record({ entry: entryFixture() }),
      log.record({ entry: entryFixture() }),
    ])
    const { index, leafHash, checkpoint } = receipt
    const entry = (await log.entry(index)) ?? Buffer.of()
    await append(log, 'later', 5)
    for (const head of [checkpoint, log.checkpoint()]) {
      const size = Number(head.split('\n')[1])
      const proof = await log.inclusionProof({ index, size })
      const claim = { entry, index, proof, checkpoint: head, vkeys }
      const kindOf = (other: Partial<typeof claim>) => verifyReceipt({ ...claim, ...other }).kind
      assert.equal(kindOf({}), 'verified')
      assert.equal(verifyReceipt({ ...claim, entry: { leafHash } }).kind, 'verified')
      assert.equal(verifyReceipt({ ...claim, entry: { leafHash: leafHash.slice(2) } }).kind, 'tampered')
      assert.equal(kindOf({ entry: flipByte(entry, 30) }), 'tampered')
      assert.equal(kindOf({ index: index + 1 }), 'tampered')
      assert.equal(kindOf({ checkpoint: head.replace(`\n${size}\n`, `\n${size + 1}\n`) }), 'tampered')
      assert.equal(kindOf({ vkeys: [] }), 'unverifiable')
      assert.equal(kindOf({ checkpoint: '' }), 'unverifiable')
    }
  })
})

function flipByte(bytes: Uint8Array, pick: number): Buffer {
  const copy = Buffer.from(bytes)
  const at = pick % copy.length
  copy[at] = (copy[at] ?? 0) ^ (1 << (pick % 8))
  return copy
}
