import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, createLogKey, parseLogKey } from '../../../audit/index.ts'
import { createLogStorage } from './log-storage.ts'
import { openDatabase } from './open.ts'

const [ioErrorOfSync, full] = [1034, 13]

/** A store whose commits fail with this code of SQLite as long as they are told to. */
function openFailing() {
  const database = openDatabase({ path: ':memory:' })
  const disk: { errcode: number | undefined } = { errcode: undefined }
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
  return { database, disk }
}

for (const [what, errcode, resumes] of [
  ['a disk that was full is written again as soon as there is room', full, true],
  ['a disk that failed is not believed again before the next start', ioErrorOfSync, false],
] as const)
  test(what, async () => {
    const { database, disk } = openFailing()
    const signer = parseLogKey(createLogKey('log.example.test'))
    const log = await createLog({ storage: createLogStorage(database), signer })
    assert.equal(await log.probe(), true)
    disk.errcode = errcode
    assert.equal(await log.probe(), false)
    disk.errcode = undefined
    assert.equal(await log.probe(), resumes)
    const again = await createLog({ storage: createLogStorage(database), signer })
    assert.equal(await again.probe(), true)
    database.close()
  })
