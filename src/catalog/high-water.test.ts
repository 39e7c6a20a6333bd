import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createLog, createLogKey, parseLogKey } from '../audit/index.ts'
import { entryFixture } from '../testing/ledger.ts'
import { createMemoryStorage, type MemoryStorage } from '../testing/log-storage.ts'
import { highWaterMs, keepHighWater } from './high-water.ts'

const signer = parseLogKey(createLogKey('log.example.test/high-water'))
let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-high-water-'))
})
after(() => rmSync(folder, { recursive: true }))

let files = 0
function newFile(): string {
  files += 1
  return join(folder, `mark-${files}`)
}

async function open(storage: MemoryStorage, file: string, now = Date.now) {
  const log = await createLog({ storage, signer })
  const highWater = await keepHighWater(log, { file, now })
  const add = async (count: number, scope = 'the same') => {
    for (let nth = 0; nth < count; nth += 1) await highWater.ledger.record({ entry: entryFixture({ scope }) })
  }
  return { add, close: () => highWater.close() }
}

test('a log that goes on opens again and again, from its first entry', async () => {
  const [storage, file] = [createMemoryStorage(), newFile()]
  for (let round = 0; round < 3; round += 1) {
    const opened = await open(storage, file)
    await opened.add(round)
    await opened.close()
  }
})

test('an older copy of the log, another log with the same key, and none at all do not open', async () => {
  const [storage, file] = [createMemoryStorage(), newFile()]
  const opened = await open(storage, file)
  await opened.add(3)
  await opened.close()
  const others = [
    [0, 'the same'],
    [2, 'the same'],
    [3, 'another'],
    [5, 'another'],
  ] as const
  for (const [size, scope] of others) {
    const other = createMemoryStorage()
    const older = await open(other, newFile())
    await older.add(size, scope)
    await assert.rejects(open(other, file), { code: 'store_invalid' }, `${size} entries, ${scope}`)
  }
  await (await open(storage, file)).close()
})

test('a process that ends without closing has marked all but its last second', async () => {
  const [storage, file] = [createMemoryStorage(), newFile()]
  let time = 1_000_000
  const opened = await open(storage, file, () => time)
  time += highWaterMs
  await opened.add(1)
  // The mark is written behind the caller's back.
  await new Promise((resolve) => setTimeout(resolve, 100))
  await assert.rejects(open(createMemoryStorage(), file), { code: 'store_invalid' })
})

test('a mark that is damaged does not open', async () => {
  const file = newFile()
  writeFileSync(file, 'not a checkpoint')
  await assert.rejects(open(createMemoryStorage(), file), { code: 'store_invalid' })
})
