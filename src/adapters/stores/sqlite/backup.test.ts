import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { checkLog, createLog, createLogKey, parseLogKey } from '../../../audit/index.ts'
import { entryFixture } from '../../../testing/ledger.ts'
import { leaseFixture } from '../../../testing/store.ts'
import { copyDatabase } from './backup.ts'
import { openSqliteBackup, openSqliteStore, readSqliteStore } from './index.ts'
import { openDatabase } from './open.ts'

const signer = parseLogKey(createLogKey('log.example.test/backup'))
let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-backup-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

describe('a copy of a store in use', () => {
  test('is as the store was between two commits, whole, private, and needs no other file', async (context) => {
    const store = openSqliteStore({ path: join(folder, 'busy.db') })
    const log = await createLog({ storage: store.storage, signer })
    const issue = () => {
      const lease = leaseFixture()
      return log.record({ entry: entryFixture({ lease_id: lease.id }), lease })
    }
    await Promise.all(Array.from({ length: 3_000 }, issue))
    const copies = 3
    for (let round = 0; round < copies; round += 1) {
      const path = join(folder, 'copy.db')
      let copied = false
      const atFirst = log.size()
      const copying = store.copyTo(path).finally(() => {
        copied = true
      })
      while (!copied) await Promise.all([issue(), issue()])
      await copying
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.ok(!existsSync(`${path}-wal`) && !existsSync(`${path}-journal`))
      const backup = openSqliteBackup(path)
      const { checkpoint } = await checkLog(backup.storage, signer.vkey)
      assert.ok(checkpoint.size >= atFirst && checkpoint.size <= log.size())
      // Every entry of this test opens a lease: none of the two is there without the other.
      assert.equal((await backup.leases.count()).intended, checkpoint.size)
      assert.deepEqual((await backup.storage.entries(checkpoint.size, 1)).length, 0)
      backup.close()
      context.diagnostic(`a copy of ${checkpoint.size} entries, taken from ${atFirst} to ${log.size()}`)
    }
    store.close()
  })

  test('waits for a commit that its first step meets, and gives up on one that does not end', async () => {
    const { database } = openDatabase({ path: join(folder, 'met.db') })
    const path = join(folder, 'met-copy.db')
    database.exec('BEGIN IMMEDIATE')
    const copying = copyDatabase(database, path)
    await turn()
    database.exec('COMMIT')
    await copying
    openSqliteBackup(path).close()
    database.exec('BEGIN IMMEDIATE')
    await assert.rejects(copyDatabase(database, path))
    assert.equal(existsSync(path), false)
    database.close()
  })

  test('cannot be written to', async () => {
    const backup = openSqliteBackup(join(folder, 'copy.db'))
    const head = await backup.storage.head()
    assert.ok(head)
    const batch = { from: head.size, entries: [], leases: [], tiles: [], head, keepCheckpoint: false }
    await assert.rejects(backup.storage.commit(batch))
    backup.close()
  })

  test('that cannot be written leaves nothing there', async () => {
    const store = openSqliteStore({ path: join(folder, 'other.db') })
    const nowhere = join(folder, 'missing', 'copy.db')
    await assert.rejects(store.copyTo(nowhere))
    assert.equal(existsSync(nowhere), false)
    store.close()
  })
})

describe('a store that no broker runs with', () => {
  const lastEntry = async (path: string) => {
    const { storage, close } = readSqliteStore(path)
    const size = (await storage.head())?.size
    close()
    return size
  }

  test('is read and stays as it was, stopped or killed, also under a name that is no plain URL', async () => {
    const stopped = join(folder, 'stopped 100%?immutable#')
    mkdirSync(stopped)
    const path = join(stopped, 'sallyport.db')
    const store = openSqliteStore({ path })
    const log = await createLog({ storage: store.storage, signer })
    for (let nth = 0; nth < 3; nth += 1) await log.record({ entry: entryFixture() })
    assert.throws(() => readSqliteStore(path), { code: 'store_locked' })
    // As a broker that was killed leaves it: what was committed is in the write-ahead log alone.
    const killed = join(folder, 'killed')
    mkdirSync(killed)
    for (const name of readdirSync(stopped)) copyFileSync(join(stopped, name), join(killed, name))
    store.close()
    for (const [place, names] of [
      [stopped, ['sallyport.db']],
      [killed, ['sallyport.db', 'sallyport.db-wal']],
    ] as const) {
      assert.deepEqual(readdirSync(place).sort(), names)
      assert.equal(await lastEntry(join(place, 'sallyport.db')), 3)
      assert.deepEqual(readdirSync(place).sort(), names)
    }
  })
})

describe('a file that is no backup', () => {
  test('is refused by name: nothing, text, another database, another version, half of one', () => {
    const whole = readFileSync(join(folder, 'copy.db'))
    const files: Readonly<Record<string, () => Uint8Array | undefined>> = {
      missing: () => undefined,
      empty: () => Buffer.of(),
      text: () => Buffer.from('SQLite format 3 is what this is not'),
      other: () => {
        const path = join(folder, 'foreign.db')
        const database = new DatabaseSync(path)
        database.exec('CREATE TABLE t (a)')
        database.close()
        return readFileSync(path)
      },
      newer: () => Buffer.from(whole).fill(Buffer.of(0, 0, 0, 99), 60, 64),
      half: () => whole.subarray(0, 1_000),
    }
    for (const [name, make] of Object.entries(files)) {
      const path = join(folder, `no-${name}.db`)
      const bytes = make()
      if (bytes) writeFileSync(path, bytes)
      assert.throws(() => openSqliteBackup(path), { code: 'store_invalid' }, name)
    }
  })
})
