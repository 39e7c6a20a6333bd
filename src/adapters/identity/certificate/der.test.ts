import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readElements, readInside } from './der.ts'

const read = (hex: string) =>
  readElements(Buffer.from(hex, 'hex')).map(({ tag, content }) => `${tag.toString(16)}:${content.length}`)

test('elements are read with short and long lengths', () => {
  assert.deepEqual(read(''), [])
  assert.deepEqual(read('0500020101'), ['5:0', '2:1'])
  assert.deepEqual(read(`047f${'00'.repeat(127)}`), ['4:127'])
  assert.deepEqual(read(`048180${'00'.repeat(128)}`), ['4:128'])
  assert.deepEqual(read(`04820100${'00'.repeat(256)}`), ['4:256'])
  assert.deepEqual(read(`0483010000${'00'.repeat(65536)}`), ['4:65536'])
})

test('what DER forbids is refused: other spellings of a length, long tags, missing bytes', () => {
  for (const hex of [
    '04',
    '0401',
    '0480', // Indefinite.
    '308005000000', // Indefinite, with an end.
    `04817f${'00'.repeat(127)}`,
    `048200ff${'00'.repeat(255)}`,
    `0483000100${'00'.repeat(256)}`,
    `048400000100${'00'.repeat(256)}`,
    '0481',
    '0482ff',
    '04ff',
    '1f0100', // A long tag.
  ])
    assert.throws(() => read(hex), RangeError, hex)
})

test('what is wanted inside must be alone and of its tag', () => {
  const inside = (hex: string) => readInside(Buffer.from(hex, 'hex'), 0x30).length
  assert.equal(inside('300405000500'), 2)
  for (const hex of ['', '310405000500', '30000500', '3001ff'])
    assert.throws(() => inside(hex), RangeError, hex)
})
