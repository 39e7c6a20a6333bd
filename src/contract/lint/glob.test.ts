import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchResource, patternCovers } from '../resource.ts'
import { canProduce, coversAll, patternContains } from './glob.ts'

test('a pattern fits a template where some text is of both', () => {
  for (const [template, pattern, expected] of [
    ['{order}', 'order-*', true],
    ['{order}', 'a/b*', false],
    ['{order}', '**', true],
    ['{schema}.{table}', 'public.*', true],
    ['{schema}.{table}', '*', true],
    ['{schema}.{table}', 'public*x/y', false],
    ['{bucket}/{key+}', 'logs/**', true],
    ['{bucket}/{key+}', 'logs', false],
    ['{bucket}/{key+}', '*', false],
    ['tenants/{tenant}', 'tenant/*', false],
    ['{a}:{b}', '*:x:*', true],
    ['{a}.fixed', '*.other', false],
  ] as const)
    assert.equal(canProduce(template, pattern), expected, `${template} ${pattern}`)
  assert.ok(coversAll('{order}', '*') && coversAll('{bucket}/{key+}', '*/**') && coversAll('a/{b}', '**'))
  assert.ok(!coversAll('{bucket}/{key+}', '*/*') && !coversAll('{order}', 'order-*'))
})

const piece = fc.constantFrom('a', 'b', '/', '.', '*', '**')
const pattern = fc
  .array(piece, { minLength: 1, maxLength: 4 })
  .map((pieces) => pieces.join(''))
  .filter((text) => !text.includes('***'))
const resource = fc.stringMatching(/^[ab][ab./]{0,3}$/)
const template = fc.constantFrom('{x}', '{x}.{y}', '{x}/{y+}', 'a/{x}', '{x}.b', 'a.{x}/b')

test('what is covered by one pattern and not by the other shows that it does not contain it', () => {
  const runs = 3000
  let contained = 0
  fc.assert(
    fc.property(pattern, pattern, resource, (outer, inner, text) => {
      if (!patternContains(outer, inner)) return
      contained += 1
      assert.ok(!patternCovers(inner, text) || patternCovers(outer, text), `${outer} ${inner} ${text}`)
    }),
    { numRuns: runs },
  )
  assert.ok(contained > 50)
  console.log(`${runs} pairs, ${contained} contained`)
})

test('a text that is of the pattern and of the template shows that they fit', () => {
  const runs = 3000
  let both = 0
  fc.assert(
    fc.property(template, pattern, resource, (written, wanted, text) => {
      if (matchResource(written, text) === undefined || !patternCovers(wanted, text)) return
      both += 1
      assert.ok(canProduce(written, wanted), `${written} ${wanted} ${text}`)
    }),
    { numRuns: runs },
  )
  assert.ok(both > 20)
  console.log(`${runs} texts, ${both} of both`)
})
