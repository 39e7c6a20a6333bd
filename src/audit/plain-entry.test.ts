import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { EntryDraft } from '../broker/index.ts'
import { entryFixture } from '../testing/ledger.ts'
import { encodeEntry, entryEvents, parseEntry } from './entry.ts'
import { readPlainEntry } from './plain-entry.ts'

const plainText = fc.string({ unit: fc.constantFrom(...' !#[]~{}:,09azAZ/') })
const ascii = fc.oneof(
  { weight: 20, arbitrary: plainText },
  fc.string({ unit: fc.constantFrom(...'a:"\\\u007f\té') }),
)
const fact = fc.oneof(
  plainText,
  fc.nat(),
  fc.boolean(),
  fc.constantFrom('"', 1e15, -1, 0.5, Number.MAX_SAFE_INTEGER),
)
const detailName = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('by', 'attempts', 'mint_ms', 'handle', 'a', 'b') },
  fc.constantFrom('10', '9', '', '__proto__', 'A', 'é'),
)
const draft: fc.Arbitrary<EntryDraft> = fc
  .record({
    scope: ascii,
    tenant: ascii,
    rule: fc.option(ascii),
    decision: fc.constantFrom('allow', 'deny', null),
    detail: fc.option(fc.dictionary(detailName, fact), { nil: undefined }),
  })
  .map(({ detail, ...rest }) => entryFixture({ ...rest, ...(detail ? { detail } : {}) }))
const anyIndex = fc.oneof(fc.nat(), fc.maxSafeInteger().map(Math.abs))

test('what is read without parsing is what parsing reads, whatever was encoded', () => {
  let plain = 0
  let cases = 0
  fc.assert(
    fc.property(draft, anyIndex, (one, index) => {
      cases += 1
      const bytes = encodeEntry(one, index)
      const read = readPlainEntry(bytes.toString('latin1'))
      if (!read) return
      plain += 1
      assert.deepEqual(read, { index, event: one.event })
      assert.ok(parseEntry(bytes))
    }),
    { numRuns: 3_000 },
  )
  console.log(`${cases} entries, ${plain} of them without parsing`)
  assert.ok(plain > 0 && plain < cases)
})

test('what was changed anywhere is read without parsing only when parsing reads the same', () => {
  let cases = 0
  let read = 0
  const detail = { attempts: 1, handle: 'role_7', released: true }
  const original = encodeEntry(entryFixture({ detail }), 1234)
  const change = fc.oneof(
    fc.nat(255),
    fc.constantFrom(...'"\\,:{}[]0123456789aeu '.split('').map((character) => character.charCodeAt(0))),
  )
  fc.assert(
    fc.property(
      fc.nat(original.length - 1),
      fc.nat(2),
      fc.array(change, { maxLength: 3 }),
      (at, removed, added) => {
        cases += 1
        const bytes = Buffer.concat([
          original.subarray(0, at),
          Buffer.from(added),
          original.subarray(at + removed),
        ])
        const plain = readPlainEntry(bytes.toString('latin1'))
        if (!plain) return
        read += 1
        assert.equal(parseEntry(bytes)?.index, plain.index, bytes.toString('latin1'))
        assert.equal(parseEntry(bytes)?.event, plain.event)
      },
    ),
    { numRuns: 20_000 },
  )
  console.log(`${cases} changes, ${read} of them leave an entry`)
})

test('every event there is can be read without parsing, and no other', () => {
  const bytes = encodeEntry(entryFixture(), 7).toString()
  for (const event of entryEvents)
    assert.equal(readPlainEntry(bytes.replace('credential_intended', event))?.event, event)
  assert.equal(readPlainEntry(bytes.replace('credential_intended', 'credential_lost')), undefined)
})

test('details that are not sorted, or stand twice, are not read', () => {
  const bytes = encodeEntry(entryFixture({ detail: { a: 1, b: 2 } }), 7).toString()
  assert.ok(readPlainEntry(bytes))
  for (const other of ['"b":2,"a":1', '"a":1,"a":2', '"a":01,"b":2', '"a":-0,"b":2'])
    assert.equal(readPlainEntry(bytes.replace('"a":1,"b":2', other)), undefined, other)
})
