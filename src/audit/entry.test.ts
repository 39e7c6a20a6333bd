import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { EntryDraft } from '../broker/index.ts'
import { entryFixture } from '../testing/ledger.ts'
import { cutMark, encodeEntry, entryBytesMax, parseEntry } from './entry.ts'

const text = fc.string({ unit: 'binary', maxLength: 40 })
const nullable = fc.option(text, { nil: null })
const arbitraryDraft: fc.Arbitrary<EntryDraft> = fc
  .record({
    timestamp: text,
    agent_id: text,
    tenant: text,
    scope: text,
    expiry: nullable,
    rule: nullable,
    lease_id: nullable,
    outcome: text,
    decision: fc.constantFrom('allow', 'deny', null),
    plane: fc.constantFrom('machine', 'human', 'broker'),
    detail: fc.dictionary(text, fc.oneof(text, fc.boolean(), fc.double())),
  })
  .map(entryFixture)

describe('an entry', () => {
  test('has its keys in one order, whatever the order of the draft and its detail', () => {
    const draft = entryFixture({ detail: { b: 1, a: true } })
    const reversed = Object.fromEntries(Object.entries(draft).reverse())
    const bytes = encodeEntry({ ...draft, ...reversed, detail: { a: true, b: 1 } }, 7)
    assert.deepEqual(bytes, encodeEntry(draft, 7))
    assert.match(
      bytes.toString(),
      /^\{"v":1,"index":7,"event":"credential_intended",.*"detail":\{"a":true,"b":1\}\}$/,
    )
  })

  test('is read back as it was written, and is one line', (context) => {
    let cases = 0
    fc.assert(
      fc.property(arbitraryDraft, fc.nat(), (draft, index) => {
        cases += 1
        const bytes = encodeEntry(draft, index)
        const entry = parseEntry(bytes)
        assert.ok(entry && entry.index === index && !bytes.includes(0x0a))
        assert.equal(entry.scope, draft.scope)
        assert.deepEqual(encodeEntry(entry, index), bytes)
      }),
      { numRuns: 500 },
    )
    context.diagnostic(`${cases} random entries`)
  })

  test('that differs in anything from what was written is not an entry', () => {
    const line = encodeEntry(entryFixture({ detail: { a: 1 } }), 7).toString()
    const others = [
      ` ${line}`,
      line.replace('"v":1', '"v":2'),
      line.replace('"index":7', '"index":7.5'),
      line.replace('"index":7', '"index":"7"'),
      line.replace('"event":"credential_intended"', '"event":"toString"'),
      line.replace('"tenant":"acme"', '"tenant":null'),
      line.replace('"tenant":"acme"', '"tenant":"\\u0061cme"'),
      line.replace('"tenant":"acme"', '"tenant":"globex","tenant":"acme"'),
      line.replace('"detail":{"a":1}', '"detail":{"a":[1]}'),
      line.replace('"detail":{"a":1}', '"detail":{"a":1},"more":1'),
      line.replace(/,"outcome":"[a-z]*"/, ''),
      line.slice(0, -1),
      '[]',
      'null',
      '',
    ]
    assert.ok(parseEntry(Buffer.from(line)))
    for (const other of others) {
      assert.notEqual(other, line)
      assert.equal(parseEntry(Buffer.from(other)), undefined, other)
    }
    assert.equal(parseEntry(Buffer.from([...Buffer.from('{"v":1,"index":0,"event":"'), 0xff])), undefined)
  })

  test('of exactly the largest size is kept whole, and one byte more is cut with a mark', () => {
    const empty = encodeEntry(entryFixture({ scope: '' }), 0).length
    const largest = encodeEntry(entryFixture({ scope: 'x'.repeat(entryBytesMax - empty) }), 0)
    assert.equal(largest.length, entryBytesMax)
    assert.ok(!largest.includes(cutMark))
    const cut = encodeEntry(entryFixture({ scope: 'x'.repeat(entryBytesMax - empty + 1) }), 0)
    assert.ok(cut.length < entryBytesMax)
    assert.match(parseEntry(cut)?.scope ?? '', /^x{8000,}…\[cut\]$/)
  })

  test('fits even when every text and a thousand details take as many bytes as they can', () => {
    const worst = '\u0000'.repeat(100_000)
    const detail = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, at) => [`${at}${worst.slice(0, 99)}`, worst]),
    )
    const names = [
      'timestamp',
      'agent_id',
      'tenant',
      'mode',
      'scope',
      'expiry',
      'request_id',
      'rule',
    ] as const
    const more = ['lease_id', 'provider', 'contract', 'outcome'] as const
    const texts = Object.fromEntries([...names, ...more].map((name) => [name, worst]))
    const bytes = encodeEntry(entryFixture({ ...texts, detail }), Number.MAX_SAFE_INTEGER)
    assert.ok(bytes.length <= entryBytesMax)
    assert.equal(parseEntry(bytes)?.detail?.[cutMark], 1_000 - 64)
  })

  test('keeps a text that is cut within a surrogate pair well-formed', () => {
    const entry = parseEntry(encodeEntry(entryFixture({ scope: `x${'😀'.repeat(40_000)}` }), 0))
    assert.ok(entry?.scope.isWellFormed() && entry.scope.endsWith(cutMark))
  })
})
