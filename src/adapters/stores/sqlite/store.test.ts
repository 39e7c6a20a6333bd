import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { createLog, createLogKey, parseLogKey, verifyExport } from '../../../audit/index.ts'
import { Failure } from '../../../primitives/index.ts'
import { entryFixture, type LedgerSubject, ledgerConformance } from '../../../testing/ledger.ts'
import { createFaultyStorage } from '../../../testing/log-storage.ts'
import { leaseFixture, leaseStoreConformance, putLease } from '../../../testing/store.ts'
import { unprivileged } from '../../../testing/unprivileged.ts'
import { openSqliteStore, storeFailure } from './index.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-sqlite-'))
  chmodSync(folder, 0o711)
})
after(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function newPath(): string {
  files += 1
  return join(folder, `${files}.db`)
}

const signer = parseLogKey(createLogKey('log.example.test/sqlite'))

async function openLedger(path: string): Promise<LedgerSubject> {
  const store = openSqliteStore({ path })
  const storage = createFaultyStorage(store.storage)
  const log = await createLog({ storage, signer })
  return {
    ledger: log,
    leases: store.leases,
    vkey: log.vkey,
    entry: (index) => log.entry(index),
    breakDisk: () => storage.failAfter(0),
    healDisk: () => storage.heal(),
    async reopen() {
      store.close()
      return openLedger(path)
    },
    async close() {
      await log.close()
      store.close()
    },
  }
}

ledgerConformance('the log over SQLite', () => openLedger(newPath()))
leaseStoreConformance('SQLite', () => openLedger(':memory:'))

describe('the SQLite store', () => {
  test('is locked for one process at a time, and free again when that one closes', () => {
    const path = newPath()
    const first = openSqliteStore({ path })
    for (let attempt = 0; attempt < 2; attempt += 1) {
      assert.throws(() => openSqliteStore({ path }), { code: 'store_locked' })
    }
    first.close()
    openSqliteStore({ path }).close()
  })

  test('is readable for its owner alone', () => {
    const path = newPath()
    const store = openSqliteStore({ path })
    for (const file of [path, `${path}-wal`]) assert.equal(statSync(file).mode & 0o777, 0o600)
    store.close()
  })

  test('of a newer version, of another program, or of no database at all is refused', () => {
    const newer = newPath()
    openSqliteStore({ path: newer }).close()
    alter(newer, 'PRAGMA user_version = 99')
    assert.throws(() => openSqliteStore({ path: newer }), { code: 'store_invalid', message: /version 99/ })

    const foreign = newPath()
    alter(foreign, 'CREATE TABLE theirs (id)')
    assert.throws(() => openSqliteStore({ path: foreign }), {
      code: 'store_invalid',
      message: /another program/,
    })

    const garbage = newPath()
    writeFileSync(garbage, 'not a database, but long enough to be looked at '.repeat(100))
    assert.throws(() => openSqliteStore({ path: garbage }), {
      code: 'store_invalid',
      next: 'restore it from a backup',
    })
  })

  test('that is whole and cannot be opened is told with path and reason, and nobody is told to restore it', async () => {
    const whole = newPath()
    openSqliteStore({ path: whole }).close()
    const nowhere = join(folder, 'no', 'such', 'folder')
    const [full, occupied] = [newPath(), newPath()]
    mkdirSync(occupied)
    assert.throws(() => openSqliteStore({ path: full, databaseBytesMax: 8192 }), {
      code: 'log_unwritable',
      message: /no room for the store .*\.db \(database or disk is full/,
      next: /make room.*nothing says that it is damaged/,
    })
    for (const path of [nowhere, occupied]) {
      const message = new RegExp(`refuses the store ${path} \\(`)
      assert.throws(() => openSqliteStore({ path }), {
        code: 'option_invalid',
        message,
        next: /folder|owner/,
      })
    }
    for (const mode of [0o444, 0o000]) {
      chmodSync(whole, mode)
      await unprivileged(() =>
        assert.throws(() => openSqliteStore({ path: whole }), {
          code: 'option_invalid',
          message: /refuses the store/,
          next: /nothing says that it is damaged/,
        }),
      )
    }
    chmodSync(whole, 0o600)
    openSqliteStore({ path: whole }).close()
  })

  test('is to be restored for what SQLite calls damage alone', () => {
    const codes = [1, 3, 5, 7, 8, 10, 11, 13, 14, 15, 23, 26, 264, 267, 517, 522, 778, 1034, 1544, 3850, 4874]
    const restored = codes.filter((errcode) => {
      const told = storeFailure(Object.assign(new Error('as SQLite says'), { errcode }), '/data/sallyport.db')
      assert.ok(told instanceof Failure && told.next !== undefined, String(errcode))
      assert.equal(told.code === 'store_locked', errcode === 5 || errcode === 517)
      return told.next === 'restore it from a backup'
    })
    assert.deepEqual(restored, [11, 26, 267])
  })

  test('never lets an entry be changed or deleted', async () => {
    const path = newPath()
    const subject = await openLedger(path)
    await subject.ledger.record({ entry: entryFixture() })
    await subject.close()
    for (const sql of ["UPDATE entry SET body = x'00'", 'DELETE FROM entry']) {
      assert.throws(() => alter(path, sql), /never/)
    }
  })

  test('keeps the owner and request of a lease, whatever a later write says', async () => {
    const subject = await openLedger(':memory:')
    const lease = leaseFixture({ idempotencyKeyDigest: 'a'.repeat(64) })
    await putLease(subject.ledger, lease)
    const other = { ...lease, state: 'live', tenant: 'globex', agent: 'mallory', requestDigest: '' } as const
    await subject.ledger.record({ entry: entryFixture(), lease: other })
    assert.deepEqual(await subject.leases.find(lease.id), { ...lease, state: 'live' })
    await subject.close()
  })

  test('that is full makes the log unwritable and loses nothing', async (context) => {
    const path = newPath()
    const store = openSqliteStore({ path, databaseBytesMax: 256 * 1024 })
    const log = await createLog({ storage: store.storage, signer })
    const big = { entry: entryFixture({ scope: 'x'.repeat(8_000) }) }
    const settled = await Promise.allSettled(Array.from({ length: 10 }, () => log.record(big)))
    assert.ok(settled.every(({ status }) => status === 'fulfilled'))
    let acknowledged = 10
    await assert.rejects(
      async () => {
        for (;;) acknowledged = (await log.record(big)).index + 1
      },
      { code: 'log_unwritable' },
    )
    assert.equal(log.writable(), false)
    assert.equal(await log.probe(), true)
    store.close()
    const reopened = openSqliteStore({ path })
    const verdict = await verifyExport((await createLog({ storage: reopened.storage, signer })).export(), {
      vkeys: [signer.vkey],
    })
    assert.ok(verdict.kind === 'verified' && verdict.size === acknowledged)
    reopened.close()
    context.diagnostic(`the disk was full after ${acknowledged} entries; lost: nothing`)
  })

  test('whose contents were changed behind its back is not opened again', async () => {
    const damages = [
      "DROP TRIGGER entry_stays; UPDATE entry SET body = CAST(replace(body, 'agent-7', 'agent-8') AS BLOB) WHERE position = 299",
      'DROP TRIGGER entry_is_kept; DELETE FROM entry WHERE position = 299',
      'INSERT INTO entry SELECT 300, body FROM entry WHERE position = 299',
      'UPDATE head SET size = 299',
      'DELETE FROM tile',
      'DELETE FROM head',
    ]
    for (const damage of damages) {
      const path = newPath()
      const subject = await openLedger(path)
      await Promise.all(Array.from({ length: 300 }, () => subject.ledger.record({ entry: entryFixture() })))
      await subject.close()
      alter(path, damage)
      const store = openSqliteStore({ path })
      await assert.rejects(createLog({ storage: store.storage, signer }), { code: 'store_invalid' }, damage)
      store.close()
    }
  })
})

function alter(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}
