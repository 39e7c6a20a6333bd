import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLog, createLogKey, parseLogKey } from '../../../audit/index.ts'
import { createLeaseStore } from './leases.ts'
import { openDatabase } from './open.ts'
import { openSqliteStore } from './store.ts'
import { openWriteAheadLog } from './write-ahead-log.ts'

function folderFor(after: (done: () => Promise<void>) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-wal-'))
  after(() => rm(folder, { recursive: true }))
  return folder
}

test('a flush resolves, says that it is under way until then, and the file is freed after it', async (t) => {
  const path = join(
    folderFor((done) => t.after(done)),
    'store.db',
  )
  writeFileSync(`${path}-wal`, '')
  const writeAheadLog = openWriteAheadLog(path)
  assert.equal(writeAheadLog.settled(), undefined)
  appendFileSync(`${path}-wal`, 'frame')
  const flushed = writeAheadLog.flush()
  const settled = writeAheadLog.settled()
  assert.ok(settled)
  writeAheadLog.close()
  assert.deepEqual(descriptorsOf(path).length, 1)
  await Promise.all([flushed, settled])
  assert.equal(writeAheadLog.settled(), undefined)
  assert.deepEqual(descriptorsOf(path), [])
})

test('a file that is not there is no write-ahead log', () => {
  assert.throws(() => openWriteAheadLog('/nonexistent/store.db'), { code: 'ENOENT' })
})

test('what is flushed is the file that SQLite writes', async (t) => {
  const path = join(
    folderFor((done) => t.after(done)),
    'store.db',
  )
  const store = openSqliteStore({ path })
  t.after(() => store.close())
  const log = await createLog({
    storage: store.storage,
    signer: parseLogKey(createLogKey('log.example.test')),
  })
  for (let at = 0; at < 3; at += 1) assert.equal(await log.probe(), true)
  const [sqlite, own, ...others] = descriptorsOf(`${path}-wal`)
  assert.ok(sqlite && own)
  assert.deepEqual(others, [])
  await log.close()
})

test('a lease is read when no flush is under way: nobody is told what a power cut could take back', async () => {
  const { database } = openDatabase({ path: ':memory:' })
  const { promise, resolve } = Promise.withResolvers<void>()
  let flushed = false
  const leases = createLeaseStore(database, { settled: () => promise })
  const reads = [
    leases.find('lse_1'),
    leases.findByIdempotencyKey({ tenant: 'acme', agent: 'a', keyDigest: 'd' }),
    leases.list({}, { limit: 1 }),
    leases.due(0, 1),
    leases.count(),
  ].map(async (read) => {
    await read
    assert.ok(flushed, 'It was read too early.')
  })
  await new Promise((later) => setImmediate(later))
  flushed = true
  resolve()
  await Promise.all(reads)
  database.close()
})

/** The targets of this process's descriptors that are this file. */
function descriptorsOf(path: string): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`)
      return target.startsWith(path) && !target.includes('(deleted)') ? [target] : []
    } catch {
      return []
    }
  })
}
