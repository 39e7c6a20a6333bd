import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { entryFixture } from '../testing/ledger.ts'
import { createFaultyStorage, createMemoryStorage, type MemoryStorage } from '../testing/log-storage.ts'
import { leaseFixture } from '../testing/store.ts'
import { openCheckpoint } from './checkpoint.ts'
import { createLogKey, parseLogKey } from './key.ts'
import { type AuditLog, createLog, logLimits } from './log.ts'
import { pageEntriesMax } from './log-reader.ts'
import { leafHash } from './merkle.ts'
import { parseVerifier } from './note.ts'
import { verifyConsistency, verifyInclusion } from './proof.ts'
import { formatLogPath, parseBundle } from './tiles.ts'

const signer = parseLogKey(createLogKey('log.example.test/log'))
const pinned = [parseVerifier(signer.vkey)]
const change = { entry: entryFixture() }

function appendMany(log: AuditLog, count: number) {
  return Promise.all(
    Array.from({ length: count }, (_, at) => log.record({ entry: entryFixture({ outcome: `${at}` }) })),
  )
}

function rootOf(checkpoint: string): { size: number; root: Uint8Array } {
  const opened = openCheckpoint(checkpoint, pinned)
  assert.ok(opened.kind === 'opened')
  return opened.checkpoint
}

/** Counts commits, each of which waits until it is let go. */
function createSlowStorage() {
  const memory = createMemoryStorage()
  const batches: number[] = []
  let letGo: (() => void)[] = []
  let slow = false
  return {
    batches,
    hold: () => {
      slow = true
    },
    release() {
      slow = false
      for (const go of letGo) go()
      letGo = []
    },
    storage: {
      ...memory,
      async commit(batch) {
        batches.push(batch.entries.length)
        if (slow) await new Promise<void>((resolve) => letGo.push(resolve))
        await memory.commit(batch)
      },
    } satisfies MemoryStorage,
  }
}

const turns = async (count: number) => {
  for (let at = 0; at < count; at += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('the log', () => {
  test('writes the calls of one turn, and those that come during a commit, as one commit each', async () => {
    const { storage, batches, hold, release } = createSlowStorage()
    const log = await createLog({ storage, signer })
    batches.length = 0
    hold()
    const calls = [log.record(change), log.record(change), log.record(change)]
    await turns(3)
    calls.push(log.record(change))
    await turns(1)
    calls.push(log.record(change))
    await turns(1)
    assert.deepEqual(batches, [3])
    release()
    await Promise.all(calls)
    assert.deepEqual(batches, [3, 2])
  })

  test('lets changes without hurry wait for each other, until their time is over or one comes that does not', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] })
    const { storage, batches } = createSlowStorage()
    const log = await createLog({ storage, signer })
    batches.length = 0
    const unhurried = { ...change, unhurried: true }
    const timed = [log.record(unhurried), log.record(unhurried)]
    await turns(3)
    timed.push(log.record(unhurried))
    context.mock.timers.tick(logLimits.unhurriedMs - 1)
    await turns(3)
    assert.deepEqual(batches, [])
    context.mock.timers.tick(1)
    await Promise.all(timed)
    assert.deepEqual(batches, [3])
    const first = log.record(unhurried)
    await turns(3)
    assert.deepEqual(batches, [3])
    await Promise.all([first, log.record(change), log.record(unhurried)])
    assert.deepEqual(batches, [3, 3])
    const last = log.record(unhurried)
    await turns(3)
    await log.close()
    assert.equal((await last).index, 6)
  })

  test('queues as many changes as its limit says, refuses one more, and splits what is too much for one commit', async () => {
    const { storage, batches } = createSlowStorage()
    const log = await createLog({ storage, signer, limits: { queuedChangesMax: 5, batchChangesMax: 3 } })
    batches.length = 0
    const calls = Array.from({ length: 5 }, () => log.record(change))
    await assert.rejects(log.record(change), { code: 'overloaded' })
    assert.deepEqual(
      (await Promise.all(calls)).map(({ index }) => index),
      [0, 1, 2, 3, 4],
    )
    assert.deepEqual(batches, [3, 2])
    assert.equal((await log.record(change)).index, 5)
  })

  test('that was closed finishes what is queued and takes no more', async () => {
    const log = await createLog({ storage: createMemoryStorage(), signer })
    const call = log.record(change)
    const closed = log.close()
    await assert.rejects(log.record(change), { code: 'shutting_down' })
    await closed
    assert.equal((await call).index, 0)
    assert.equal(await log.probe(), false)
  })

  test('proves every entry and every earlier checkpoint, also far beyond one tile', async () => {
    const log = await createLog({ storage: createMemoryStorage(), signer })
    const checkpoints: string[] = [log.checkpoint()]
    for (const count of [1, 254, 1, 1, 255, 300]) {
      await appendMany(log, count)
      checkpoints.push(log.checkpoint())
    }
    const { size, root } = rootOf(log.checkpoint())
    assert.equal(size, 812)
    for (const index of [0, 1, 254, 255, 256, 257, 511, 512, 767, 768, 811]) {
      const hash = leafHash((await log.entry(index)) ?? Buffer.of())
      const proof = await log.inclusionProof({ index, size })
      assert.ok(verifyInclusion({ leafHash: hash, index, size, root, proof }), `entry ${index}`)
    }
    for (const older of checkpoints.map(rootOf)) {
      const proof = await log.consistencyProof({ from: older.size, to: size })
      assert.ok(verifyConsistency({ from: older.size, fromRoot: older.root, to: size, toRoot: root, proof }))
    }
  })

  test('grows a second level of tiles and finds its way in it after a restart', async () => {
    const storage = createMemoryStorage()
    const first = await createLog({ storage, signer })
    // 256 tiles of the lowest level make one of the next.
    for (let round = 0; round < 66; round += 1) await appendMany(first, 1_000)
    const log = await createLog({ storage, signer })
    await log.record(change)
    assert.deepEqual(
      storage.contents.tiles.filter(({ level }) => level > 0).map(({ level, index }) => [level, index]),
      [[1, 0]],
    )
    const { size, root } = rootOf(log.checkpoint())
    for (const index of [0, 65_535, 65_536, 66_000]) {
      const hash = leafHash((await log.entry(index)) ?? Buffer.of())
      const proof = await log.inclusionProof({ index, size })
      assert.ok(verifyInclusion({ leafHash: hash, index, size, root, proof }), `entry ${index}`)
    }
    const older = rootOf(first.checkpoint())
    const proof = await log.consistencyProof({ from: older.size, to: size })
    assert.ok(verifyConsistency({ from: older.size, fromRoot: older.root, to: size, toRoot: root, proof }))
    assert.equal((await log.file('tile/2/000.p/1'))?.bytes.length, 32)
    assert.equal((await log.file('tile/1/001.p/1'))?.bytes.length, 32)
  })

  test('serves tiles and bundles as far as it goes, each part a beginning of the whole', async () => {
    const log = await createLog({ storage: createMemoryStorage(), signer })
    await appendMany(log, 600)
    const read = async (path: string) => (await log.file(path))?.bytes
    const whole = Buffer.from((await read('tile/0/001')) ?? [])
    const bundle = parseBundle((await read('tile/entries/001')) ?? Buffer.of()) ?? []
    assert.deepEqual(whole, Buffer.concat(bundle.map(leafHash)))
    assert.deepEqual(await read('tile/0/001.p/7'), whole.subarray(0, 7 * 32))
    assert.equal((await read('tile/1/000.p/2'))?.length, 64)
    assert.equal((await read('tile/0/002.p/88'))?.length, 88 * 32)
    for (const path of [
      'tile/0/002',
      'tile/0/002.p/89',
      'tile/0/003.p/1',
      'tile/1/000.p/3',
      'tile/2/000.p/1',
      'tile/63/000',
    ]) {
      assert.equal(await log.file(path), undefined, path)
    }
    for (const width of [88, 89]) {
      const file = await log.file(formatLogPath({ kind: 'entries', index: 2, width }))
      assert.equal(file !== undefined, width === 88)
    }
    const checkpoint = await log.file('checkpoint')
    assert.equal(Buffer.from(checkpoint?.bytes ?? []).toString(), log.checkpoint())
    assert.deepEqual([checkpoint?.immutable, (await log.file('tile/0/000'))?.immutable], [false, true])
  })

  test('reads pages up to their limit, and nothing outside of the log', async () => {
    const log = await createLog({ storage: createMemoryStorage(), signer })
    await appendMany(log, 3)
    assert.equal((await log.entries(1, pageEntriesMax)).length, 2)
    assert.deepEqual(await log.entries(3, 1), [])
    const refused = [
      () => log.entries(0, pageEntriesMax + 1),
      () => log.entries(0, 0),
      () => log.entries(-1, 1),
      () => log.entry(0.5),
      () => log.inclusionProof({ index: 3, size: 3 }),
      () => log.inclusionProof({ index: 0, size: 4 }),
      () => log.consistencyProof({ from: 2, to: 1 }),
      () => log.consistencyProof({ from: 0, to: 4 }),
      () => log.consistencyProof({ from: Number.NaN, to: 3 }),
    ]
    for (const call of refused) await assert.rejects(call, { code: 'request_invalid' })
  })
})

describe('a log whose storage fails', () => {
  test('at any operation acknowledges nothing that is not there, and goes on without a gap', async (context) => {
    let faults = 0
    for (let failAt = 0; failAt < 14; failAt += 1) {
      const memory = createMemoryStorage()
      const storage = createFaultyStorage(memory)
      const log = await createLog({ storage, signer })
      storage.failAfter(failAt)
      const acknowledged: number[] = []
      for (let at = 0; at < 6; at += 1) {
        const call = log.record({ ...change, lease: leaseFixture() })
        await call.then(
          ({ index }) => acknowledged.push(index),
          (thrown) => assert.equal(thrown.code, 'log_unwritable'),
        )
        assert.equal(log.writable(), acknowledged.length === at + 1)
      }
      faults += storage.faults()
      storage.heal()
      const receipt = await log.record(change)
      assert.equal(receipt.index, acknowledged.length)
      assert.deepEqual(acknowledged, [...acknowledged.keys()])
      assert.equal(memory.contents.leases.size, acknowledged.length)
      assert.deepEqual((await createLog({ storage, signer })).size(), receipt.index + 1)
    }
    context.diagnostic(`${faults} faults injected; lost: nothing`)
  })

  test('after a commit whose answer was lost finds out what is stored, and goes on after it', async () => {
    const storage = createFaultyStorage(createMemoryStorage())
    const log = await createLog({ storage, signer })
    storage.loseNextCommitAnswer()
    const settled = await Promise.allSettled([log.record(change), log.record(change)])
    assert.ok(settled.every((one) => one.status === 'rejected' && one.reason.code === 'log_unwritable'))
    assert.equal((await log.record(change)).index, 2)
    assert.equal((await createLog({ storage, signer })).size(), 3)
  })

  test('is found to work again by a probe, which writes no entry', async () => {
    const storage = createFaultyStorage(createMemoryStorage())
    const log = await createLog({ storage, signer })
    storage.failAfter(0)
    assert.equal(await log.probe(), false)
    assert.equal(log.writable(), false)
    storage.heal()
    assert.equal(await log.probe(), true)
    assert.equal(log.writable(), true)
    assert.equal(log.size(), 0)
  })

  test('tells the caller nothing of the disk, and the log everything', async () => {
    const storage = createFaultyStorage(createMemoryStorage())
    const log = await createLog({ storage, signer })
    storage.failAfter(0)
    await assert.rejects(log.record(change), (thrown: Error & { internal?: string }) => {
      assert.match(thrown.internal ?? '', /The disk is gone/)
      assert.doesNotMatch(thrown.message, /disk/)
      return true
    })
  })

  test('also when its signer does not sign', async () => {
    let signs = true
    const moody = {
      ...signer,
      sign: (message: Uint8Array) => {
        if (!signs) throw new Error('The key is gone.')
        return signer.sign(message)
      },
    }
    const log = await createLog({ storage: createMemoryStorage(), signer: moody })
    signs = false
    await assert.rejects(log.record(change), { code: 'log_unwritable' })
    signs = true
    assert.equal((await log.record(change)).index, 0)
  })
})

describe('a stored log', () => {
  const damages: Readonly<Record<string, (contents: MemoryStorage['contents']) => void>> = {
    'with a changed entry': ({ entries }) => {
      entries[599] = Buffer.from('{}')
    },
    'without its last entry': ({ entries }) => entries.pop(),
    'with an entry that no checkpoint covers': ({ entries }) => entries.push(Buffer.from('{}')),
    'without a tile': ({ tiles }) => tiles.pop(),
    'with a changed tile': ({ tiles }) => {
      const [tile] = tiles
      assert.ok(tile)
      tiles[0] = { ...tile, hashes: Buffer.alloc(256 * 32) }
    },
    'with a tile that was cut': ({ tiles }) => {
      const [tile] = tiles
      assert.ok(tile)
      tiles[0] = { ...tile, hashes: tile.hashes.subarray(32) }
    },
    'without its head': (contents) => {
      contents.head = undefined
    },
    'with the head of an earlier time': (contents) => {
      contents.head = contents.checkpoints[0]
    },
    'with a head that is not what was signed': (contents) => {
      contents.head = { size: 600, checkpoint: contents.checkpoints[0]?.checkpoint ?? '' }
    },
    'with a forged checkpoint': (contents) => {
      const checkpoint = contents.head?.checkpoint.replace('\n600\n', '\n0600\n') ?? ''
      contents.head = { size: 600, checkpoint }
    },
  }
  for (const [how, damage] of Object.entries(damages)) {
    test(`${how} is not opened`, async () => {
      const storage = createMemoryStorage()
      const log = await createLog({ storage, signer })
      for (const count of [300, 300]) await appendMany(log, count)
      damage(storage.contents)
      await assert.rejects(createLog({ storage, signer }), { code: 'store_invalid' })
    })
  }

  test('of another key is not opened', async () => {
    const storage = createMemoryStorage()
    await createLog({ storage, signer })
    for (const name of [signer.name, 'log.example.test/other']) {
      const other = parseLogKey(createLogKey(name))
      await assert.rejects(createLog({ storage, signer: other }), { code: 'store_invalid' })
    }
  })
})
