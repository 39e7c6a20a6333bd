import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { unprivileged } from '../testing/unprivileged.ts'
import { openDataFolder } from './data-folder.ts'
import { examineDisk, examineLog, hasDataFolder, openToOthers } from './examine.ts'
import { openRecords } from './records.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-disk-'))
after(() => rmSync(folder, { recursive: true }))
const ext4 = 0xef53
const bsize = 4096

test('a disk with so much room is well, and with a block less is worth a look', () => {
  const examined = (bavail: number) => examineDisk(folder, () => ({ type: ext4, bavail, bsize }))
  const enough = (256 * 1024 * 1024) / bsize
  assert.equal(examined(enough).state, 'ok')
  assert.deepEqual(examined(enough - 1), {
    state: 'warn',
    detail: 'writable and durable (WAL, fdatasync), 255 MB free',
    next: 'make room: a full disk stops issuing',
  })
})

test('what is gone with the machine or the container is worth a look, however much room there is', () => {
  for (const [type, name] of [
    [0x01021994, /but on tmpfs/],
    [0x794c7630, /but on overlay/],
  ] as const) {
    const { state, detail } = examineDisk(folder, () => ({ type, bavail: 1e9, bsize }))
    assert.equal(state, 'warn')
    assert.match(detail, name)
  }
})

test('a folder that is not there yet is told from one that may not be seen', async () => {
  mkdirSync(join(folder, 'closed/data'), { recursive: true })
  symlinkSync('nowhere', join(folder, 'link'))
  assert.equal(hasDataFolder(join(folder, 'closed/data')), true)
  assert.equal(hasDataFolder(join(folder, 'absent')), false)
  const refused = (message: RegExp) => ({ code: 'option_invalid', message })
  assert.throws(() => hasDataFolder(join(folder, 'link')), refused(/ENOENT/))
  chmodSync(folder, 0o711)
  chmodSync(join(folder, 'closed'), 0o000)
  await unprivileged(() =>
    assert.throws(() => hasDataFolder(join(folder, 'closed/data')), refused(/EACCES: permission denied/)),
  )
})

test('a whole log that this user may not read is not to be restored', async () => {
  mkdirSync(join(folder, 'of-nobody'))
  chmodSync(join(folder, 'of-nobody'), 0o777)
  const data = join(folder, 'of-nobody/data')
  await unprivileged(async () => {
    const { store, log } = await openRecords(openDataFolder(data, 'log.example.test'))
    await log.close()
    store.close()
    assert.equal((await examineLog(data)).state, 'ok')
    for (const closed of ['keys/high-water', 'sallyport.db', 'keys/log.key', 'keys']) {
      chmodSync(join(data, closed), 0o000)
      const { state, detail, next = '' } = await examineLog(data)
      assert.equal(state, 'bad')
      assert.match(detail, /refuses .*\((EACCES: |unable to open database file\))/)
      assert.match(next, /nothing says that it is damaged/)
      chmodSync(join(data, closed), closed === 'keys' ? 0o700 : 0o600)
    }
    chmodSync(join(data, 'keys'), 0o000)
    assert.throws(() => openToOthers(data), { code: 'option_invalid' })
    chmodSync(join(data, 'keys'), 0o700)
    chmodSync(data, 0o500)
    assert.equal(examineDisk(data).state, 'bad')
    chmodSync(data, 0o700)
  })
})
