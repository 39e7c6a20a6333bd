import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createLog, createLogKey, parseLogKey } from '../../../audit/index.ts'
import { entryFixture } from '../../../testing/ledger.ts'
import { openSqliteStore } from './index.ts'
import { openDatabase } from './open.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bounds-'))
after(() => rmSync(folder, { recursive: true }))

const pageBytes = 4096
const walPagesMax = 1_000
/** SQLite writes 32 bytes before the pages of its log and 24 before each of them (file format, §4.1). */
const walBytes = (pages: number) => 32 + pages * (24 + pageBytes)

/** A store whose log takes entries of about 16 pages each, so many in one commit. */
async function openFilled(name: string) {
  const path = join(folder, name)
  const store = openSqliteStore({ path })
  const log = await createLog({
    storage: store.storage,
    signer: parseLogKey(createLogKey('log.example.test')),
  })
  const big = { entry: entryFixture({ scope: 'x'.repeat(15 * pageBytes) }) }
  return {
    async commit(entries: number) {
      await Promise.all(Array.from({ length: entries }, () => log.record(big)))
      return statSync(`${path}-wal`).size
    },
    bytes: () => statSync(path).size,
    async close() {
      await log.close()
      store.close()
    },
  }
}

test('the write-ahead log grows to its bound, by no more than the commit that reaches it, and begins anew', {
  timeout: 60_000,
}, async () => {
  const { commit, bytes, close } = await openFilled('wal.db')
  const commitPagesMax = 500
  const sizes: number[] = []
  while (sizes.length < 100) sizes.push(await commit(25))
  const largest = Math.max(...sizes)
  assert.ok(largest >= walBytes(walPagesMax), `${largest} bytes`)
  assert.ok(largest <= walBytes(walPagesMax + commitPagesMax), `${largest} bytes`)
  assert.ok(bytes() > 1.5 * largest, 'all that stood in it is in the database')
  await close()
})

test('a write-ahead log that one commit made larger is cut back when it begins anew', {
  timeout: 60_000,
}, async () => {
  const { commit, close } = await openFilled('large.db')
  await commit(900)
  assert.ok((await commit(900)) > walBytes(1.5 * walPagesMax))
  assert.equal(await commit(1), walPagesMax * pageBytes)
  await close()
})

test('pages that were read stay in so many kilobytes of memory', () => {
  const { database } = openDatabase({ path: join(folder, 'cache.db') })
  assert.deepEqual({ ...database.prepare('PRAGMA cache_size').get() }, { cache_size: -16_384 })
  database.close()
})
