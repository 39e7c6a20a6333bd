import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formatBundle, formatLogPath, parseBundle, parseLogPath } from './tiles.ts'

describe('a path of the log', () => {
  test('is spelled as tlog-tiles says', () => {
    const tile = { kind: 'tile', level: 0, index: 1_234_067, width: 256 } as const
    assert.equal(formatLogPath(tile), 'tile/0/x001/x234/067')
    assert.equal(formatLogPath({ ...tile, level: 3, index: 0, width: 8 }), 'tile/3/000.p/8')
    assert.equal(formatLogPath({ kind: 'entries', index: 1_000, width: 256 }), 'tile/entries/x001/000')
    assert.equal(formatLogPath({ kind: 'checkpoint' }), 'checkpoint')
  })

  test('is read back as it was written', (context) => {
    let cases = 0
    const place = { index: fc.maxSafeNat(), width: fc.integer({ min: 1, max: 256 }) }
    const resource = fc.oneof(
      fc.record(
        { kind: fc.constant('tile'), level: fc.integer({ min: 0, max: 63 }), ...place },
        { noNullPrototype: true },
      ),
      fc.record({ kind: fc.constant('entries'), ...place }, { noNullPrototype: true }),
    )
    fc.assert(
      fc.property(resource, (one) => {
        cases += 1
        assert.deepEqual(parseLogPath(formatLogPath(one)), one)
      }),
    )
    context.diagnostic(`${cases} random paths`)
  })

  test('that is spelled in any other way names nothing', () => {
    const paths = [
      '',
      '/checkpoint',
      'tile/0/0',
      'tile/0/x000/001',
      'tile/00/001',
      'tile/100/001',
      'tile/-1/001',
      'tile/0/x001',
      'tile/0/001/002',
      'tile/0/001.p/0',
      'tile/0/001.p/256',
      'tile/0/001.p/01',
      'tile/0/001.p/',
      'tile/entries/../checkpoint',
      'tile/0/x999/x999/x999/x999/x999/999',
      `tile/0/${'x001/'.repeat(100_000)}001`,
    ]
    for (const path of paths) assert.equal(parseLogPath(path), undefined, path.slice(0, 50))
  })
})

describe('an entry bundle', () => {
  test('is each entry after its length in two bytes', () => {
    const bundle = formatBundle([Buffer.from('abc'), Buffer.alloc(0), Buffer.alloc(0x0102, 1)])
    assert.equal(bundle.toString('hex', 0, 9), `0003${Buffer.from('abc').toString('hex')}00000102`)
    assert.equal(formatBundle([Buffer.alloc(65_535)]).length, 65_537)
  })

  test('is read back as it was written, and refused when it is cut', (context) => {
    let cases = 0
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 9 }), (entries) => {
        cases += 1
        const bundle = formatBundle(entries)
        assert.deepEqual(
          parseBundle(bundle)?.map((entry) => [...entry]),
          entries.map((entry) => [...entry]),
        )
        assert.notEqual(parseBundle(bundle.subarray(0, -1))?.length, entries.length)
      }),
    )
    context.diagnostic(`${cases} random bundles`)
  })
})
