import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, createLogKey, parseLogKey } from '../audit/index.ts'
import { timestamp } from '../primitives/index.ts'
import { entryFixture } from '../testing/ledger.ts'
import { createMemoryStorage } from '../testing/log-storage.ts'
import { clockBehindMsMax, refuseEarlierClock } from './records.ts'

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
