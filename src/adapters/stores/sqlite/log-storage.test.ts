import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, createLogKey, parseLogKey } from '../../../audit/index.ts'
import { createLogStorage } from './log-storage.ts'
import { openDatabase } from './open.ts'

const [ioErrorOfSync, full] = [1034, 13]

/** A store whose commits fail with this code of SQLite, or whose flushes fail, as long as they are told to. */
function openFailing() {
  const { database } = openDatabase({ path: ':memory:' })
  const disk: { errcode: number | undefined; flushes: boolean } = { errcode: undefined, flushes: true }
  const prepare = database.prepare.bind(database)
  database.prepare = (sql) => {
    const statement = prepare(sql)
    if (sql !== 'COMMIT') return statement
    const run = statement.run.bind(statement)
    statement.run = () => {
      if (disk.errcode === undefined) return run()
      throw Object.assign(new Error('disk I/O error'), { errcode: disk.errcode })
    }
    return statement
  }
  const flush = async () => {
    if (!disk.flushes) throw new Error('EIO: i/o error, fdatasync')
  }
  return { database, disk, storage: createLogStorage(database, { flush }) }
}

for (const [what, failing, resumes] of [
  ['a disk that was full is written again as soon as there is room', { errcode: full }, true],
  ['a disk that failed is not believed again before the next start', { errcode: ioErrorOfSync }, false],
  [
    'a disk that failed to flush is not believed again, whatever its next flush says',
    { flushes: false },
    false,
  ],
] as const)
  test(what, async () => {
    const { database, disk, storage } = openFailing()
    const signer = parseLogKey(createLogKey('log.example.test'))
    const log = await createLog({ storage, signer })
    assert.equal(await log.probe(), true)
    Object.assign(disk, failing)
    assert.equal(await log.probe(), false)
    Object.assign(disk, { errcode: undefined, flushes: true })
    assert.equal(await log.probe(), resumes)
    const again = await createLog({
      storage: createLogStorage(database, { flush: async () => undefined }),
      signer,
    })
    assert.equal(await again.probe(), true)
    database.close()
  })
