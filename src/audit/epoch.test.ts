import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { entryFixture } from '../testing/ledger.ts'
import { createMemoryStorage, type MemoryStorage } from '../testing/log-storage.ts'
import { parseEntry } from './entry.ts'
import { isSameLog, nextEpoch, readRestoration } from './epoch.ts'
import { checkLog, epochAfter, importLog } from './import.ts'
import { createLogKey, parseLogKey } from './key.ts'
import { type AuditLog, createLog } from './log.ts'
import type { Signer } from './note.ts'
import { verifyExport } from './verify.ts'

const name = 'log.example.test/epochs'
const signers = {
  one: parseLogKey(createLogKey(name)),
  two: parseLogKey(createLogKey(`${name}/epoch-2`)),
  three: parseLogKey(createLogKey(`${name}/epoch-3`)),
}

async function append(log: AuditLog, outcome: string, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => log.record({ entry: entryFixture({ outcome }) })))
}

function restore(from: MemoryStorage, of: Signer, into: MemoryStorage, signer: Signer) {
  const epoch = { signer, requestId: 'f'.repeat(32), timestamp: '2030-01-02T00:00:00.000Z' }
  return importLog({ from, vkey: of.vkey, into, epoch })
}

test('epochs are counted, and share the name of their log', () => {
  assert.equal(nextEpoch('log'), 'log/epoch-2')
  assert.equal(nextEpoch('log/epoch-2'), 'log/epoch-3')
  assert.equal(nextEpoch('log', 7), 'log/epoch-7')
  assert.equal(nextEpoch('log/epoch-9', 7), 'log/epoch-10')
  assert.equal(nextEpoch('log/epoch-0'), 'log/epoch-0/epoch-2')
  assert.equal(epochAfter(signers.two.vkey), `${name}/epoch-3`)
  assert.ok(isSameLog('log', 'log/epoch-2') && isSameLog('log/epoch-3', 'log/epoch-2'))
  assert.ok(!isSameLog('log', 'other') && !isSameLog('log', 'log/epoch'))
})

describe('a log that was restored', () => {
  /** 700 entries, of which the backup has 600; then two epochs, each with some more. */
  const first = createMemoryStorage()
  const second = createMemoryStorage()
  const third = createMemoryStorage()
  let log: AuditLog
  let beforeBackup: string
  let atBackup: string
  let lost: string
  let files: { readonly two: Uint8Array[]; readonly three: Uint8Array[] }

  before(async () => {
    log = await createLog({ storage: first, signer: signers.one })
    await append(log, 'early', 300)
    beforeBackup = log.checkpoint()
    await append(log, 'late', 300)
    atBackup = log.checkpoint()
    await restore(copyOf(first), signers.one, second, signers.two)
    await append(log, 'lost', 100)
    lost = log.checkpoint()
    const again = await createLog({ storage: second, signer: signers.two })
    await append(again, 'second epoch', 300)
    await restore(copyOf(second), signers.two, third, signers.three)
    const once = await createLog({ storage: third, signer: signers.three })
    files = { two: await chunks(again), three: await chunks(once) }
  })

  const verify = (file: Uint8Array[], keys: readonly Signer[], knownCheckpoint?: string) =>
    verifyExport(stream(file), {
      vkeys: keys.map(({ vkey }) => vkey),
      ...(knownCheckpoint === undefined ? {} : { knownCheckpoint }),
    })

  test('does not verify under an earlier key that signed nothing of it', async () => {
    const foreign = parseLogKey(createLogKey(name))
    const verdict = await verify(files.two, [signers.two, foreign])
    assert.equal(verdict.kind, 'unverifiable')
    assert.equal((await verify(files.two, [signers.two, signers.one, foreign])).kind, 'unverifiable')
    assert.equal((await verify(files.two, [signers.two, signers.one])).kind, 'verified')
  })

  test('begins its epoch with an entry that says what was restored', async () => {
    const bytes = second.contents.entries[600] ?? assert.fail()
    const restoration = readRestoration(parseEntry(bytes) ?? assert.fail()) ?? assert.fail()
    assert.deepEqual(restoration, {
      epoch: signers.two.name,
      origin: name,
      size: 600,
      root: Buffer.from(atBackup.split('\n')[2] ?? '', 'base64').toString('hex'),
      checkpoint: atBackup,
      broker: signers.one.vkey.split('+').slice(0, 2).join('.'),
    })
    assert.deepEqual(second.contents.entries.slice(0, 600), first.contents.entries.slice(0, 600))
    const later = readRestoration(parseEntry(third.contents.entries[901] ?? Buffer.of()) ?? assert.fail())
    assert.deepEqual([later?.size, later?.broker], [901, restoration.broker])
  })

  test('verifies as one log under the key of its epoch, and under the earlier ones', async () => {
    assert.equal((await verify(files.two, [signers.two])).kind, 'verified')
    const verdict = await verify(files.three, [signers.three, signers.two, signers.one])
    assert.ok(verdict.kind === 'verified' && verdict.size === 902 && verdict.origin === `${name}/epoch-3`)
  })

  test('is held against checkpoints of earlier epochs: what was lost is told, and nothing else may be', async () => {
    const all = [signers.three, signers.two, signers.one]
    for (const known of [beforeBackup, atBackup]) {
      assert.equal((await verify(files.two, [signers.two, signers.one], known)).kind, 'verified')
      assert.equal((await verify(files.three, all, known)).kind, 'verified')
    }
    assert.deepEqual(await verify(files.two, [signers.two, signers.one], lost), {
      kind: 'truncated',
      what: `${name} had 700 entries already; it was restored with 600.`,
      entries: 600,
    })
    assert.equal((await verify(files.two, [signers.two], lost)).kind, 'unverifiable')
    const other = await createLog({ storage: createMemoryStorage(), signer: signers.one })
    await append(other, 'another history', 300)
    assert.equal((await verify(files.two, [signers.two, signers.one], other.checkpoint())).kind, 'tampered')
  })

  test('whose restoration hides another history is tampered with for who pins the earlier key', async () => {
    const forged = createMemoryStorage()
    const rewritten = await createLog({ storage: forged, signer: signers.two })
    await append(rewritten, 'nothing happened', 600)
    const entry = parseEntry(second.contents.entries[600] ?? Buffer.of()) ?? assert.fail()
    await rewritten.record({ entry })
    const file = await chunks(rewritten)
    assert.equal((await verify(file, [signers.two])).kind, 'verified')
    const verdict = await verify(file, [signers.two, signers.one])
    assert.deepEqual(verdict, {
      kind: 'tampered',
      what: 'The entries before the restoration are not those of the backup.',
      index: 600,
    })
  })

  test('of an epoch that the file does not tell of cannot be compared', async () => {
    const { two, three } = signers
    const later = await createLog({ storage: third, signer: three })
    const verdict = await verify(files.two, [two, three], later.checkpoint())
    assert.deepEqual(verdict, {
      kind: 'unverifiable',
      why: `The file does not say how ${three.name} was restored.`,
    })
  })
})

describe('a backup', () => {
  test('that is not what the key signed is refused: entries, head, key', async () => {
    const storage = createMemoryStorage()
    const log = await createLog({ storage, signer: signers.one })
    await append(log, 'a', 1_500)
    assert.equal((await checkLog(storage, signers.one.vkey)).checkpoint.size, 1_500)
    const damaged: readonly ((contents: MemoryStorage['contents']) => void)[] = [
      ({ entries }) => void entries.splice(700, 1),
      ({ entries }) => void entries.splice(700, 1, Buffer.from('{}')),
      ({ entries }) => void entries.pop(),
      (contents) => {
        contents.head = undefined
      },
      (contents) => {
        contents.head = {
          size: 1_500,
          checkpoint: (contents.head?.checkpoint ?? '').replace('\n1500\n', '\n1499\n'),
        }
      },
    ]
    for (const damage of damaged) {
      const copy = copyOf(storage)
      damage(copy.contents)
      await assert.rejects(checkLog(copy, signers.one.vkey), { code: 'store_invalid' })
      await assert.rejects(restore(copy, signers.one, createMemoryStorage(), signers.two), {
        code: 'store_invalid',
      })
    }
    await assert.rejects(checkLog(storage, signers.two.vkey), { code: 'store_invalid' })
  })

  test('of an empty log begins with its restoration', async () => {
    const [from, into] = [createMemoryStorage(), createMemoryStorage()]
    await createLog({ storage: from, signer: signers.one })
    await restore(from, signers.one, into, signers.two)
    const log = await createLog({ storage: into, signer: signers.two })
    assert.equal(log.size(), 1)
    assert.equal((await verifyExport(log.export(), { vkeys: [log.vkey] })).kind, 'verified')
  })
})

function copyOf({ contents }: MemoryStorage): MemoryStorage {
  const copy = createMemoryStorage()
  copy.contents.head = contents.head
  copy.contents.entries.push(...contents.entries)
  copy.contents.tiles.push(...contents.tiles)
  copy.contents.checkpoints.push(...contents.checkpoints)
  return copy
}

async function chunks(log: AuditLog): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const chunk of log.export()) all.push(chunk)
  return all
}

async function* stream(file: readonly Uint8Array[]) {
  yield* file
}
