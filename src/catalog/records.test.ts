import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLog, createLogKey, parseLogKey } from '../audit/index.ts'
import { Failure, timestamp } from '../primitives/index.ts'
import { entryFixture } from '../testing/ledger.ts'
import { createMemoryStorage } from '../testing/log-storage.ts'
import { openDataFolder } from './data-folder.ts'
import { clockBehindMsMax, openRecords, refuseEarlierClock } from './records.ts'

test('the clock may stand so far before the last entry, and not a millisecond further', async () => {
  const storage = createMemoryStorage()
  const log = await createLog({ storage, signer: parseLogKey(createLogKey('log.example.test/records')) })
  const last = Date.UTC(2030, 0, 1)
  await refuseEarlierClock(log, 0)
  await log.record({ entry: entryFixture({ timestamp: timestamp(last) }) })
  await refuseEarlierClock(log, last - clockBehindMsMax)
  await assert.rejects(refuseEarlierClock(log, last - clockBehindMsMax - 1), { code: 'clock_behind' })
  await log.close()
})

test('a store of which any page is damaged is named, and is to be restored', async () => {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-records-'))
  const folder = openDataFolder(path, 'log.example.test')
  const { store, log } = await openRecords(folder)
  await log.close()
  store.close()
  const whole = readFileSync(folder.storeFile)
  const pageBytes = 4096
  let read = 0
  for (let page = 0; page < whole.length / pageBytes; page += 1) {
    const damaged = Buffer.from(whole).fill(0xa5, page * pageBytes, (page + 1) * pageBytes)
    writeFileSync(folder.storeFile, damaged)
    try {
      const { store: opened } = await openRecords(folder)
      opened.close()
      // A page that nothing of the start is in, such as the table of leases.
      read += 1
    } catch (thrown) {
      assert.ok(thrown instanceof Failure)
      assert.equal(thrown.code, 'store_invalid')
      assert.match(`${thrown.next}`, /restore/, thrown.message)
    }
    for (const end of ['-wal', '-shm']) rmSync(`${folder.storeFile}${end}`, { force: true })
  }
  assert.ok(read < whole.length / pageBytes)
  rmSync(path, { recursive: true })
})
