import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { examineDisk } from './examine.ts'

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
