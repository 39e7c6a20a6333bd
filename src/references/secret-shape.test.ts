import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createDraw,
  harmlessNames,
  harmlessTexts,
  secretKinds,
  secretNames,
  writtenName,
} from './corpus.fixture.ts'
import { findRawSecrets, isSecretName, secretKindOf } from './index.ts'

const told = (field: string, value: unknown) => findRawSecrets({ [field]: value }).length > 0

const each = 1000

for (const { name, make, toldMin } of secretKinds)
  test(`${name} is told, ${toldMin} times of a hundred at the least`, () => {
    const draw = createDraw(1)
    const tolds = Array.from({ length: each }, () => told('note', make(draw))).filter((one) => one).length
    assert.ok(tolds * 100 >= toldMin * each, `told ${tolds} times of ${each}`)
  })

test('of what is random or shaped as a secret 99 of a hundred are told', () => {
  const draw = createDraw(2)
  const all = secretKinds.flatMap(({ make }) => Array.from({ length: 100 }, () => told('note', make(draw))))
  const tolds = all.filter((one) => one).length
  console.log(`${tolds} of ${all.length} secrets of ${secretKinds.length} kinds`)
  assert.ok(tolds >= all.length * 0.99)
})

test('a name that is kept for secrets holds nothing, whatever stands behind its word and whatever its letters look like', () => {
  assert.deepEqual(
    secretNames.filter((name) => !told(name, 'short')),
    [],
  )
  assert.deepEqual(
    secretNames.filter((name) => !told('options', [{ [name]: { value: 'short' } }])),
    [],
  )
})

test('a name that says something about a secret, or only has its letters, holds anything', () => {
  assert.deepEqual(
    harmlessNames.filter((name) => isSecretName(name) || told(name, 'short')),
    [],
  )
})

test('tokens may be counted, and nothing else that is kept for secrets', () => {
  assert.deepEqual([told('tokens', 1200), told('usage_tokens', { read: 5, write: 7 })], [false, false])
  assert.deepEqual([told('tokens', '1200'), told('token', 1234), told('password', 1234)], [true, true, true])
})

test('what only looks a little like a secret passes', () => {
  assert.deepEqual(
    harmlessTexts.filter((text) => told('note', text)).map((text) => [text, secretKindOf(text)]),
    [],
  )
})

test('names as people put them together pass', () => {
  const draw = createDraw(3)
  const names = Array.from({ length: 5000 }, () => writtenName(draw))
  const refused = names.filter((name) => secretKindOf(name) !== undefined)
  console.log(`${refused.length} of ${names.length} written names are taken for secrets`)
  assert.ok(refused.length <= names.length / 1000, refused.join(' '))
})

test('digests pass under a name that says so, in any of their forms', () => {
  const hex = '4bf92f3577b34da6a3ce929d0e0e4736'
  const pass: readonly (readonly [string, string])[] = [
    ['traceparent', `00-${hex}-00f067aa0ba902b7-01`],
    ['trace_id', hex],
    ['traceId', `1-5759e988-bd862e3fe1be46a994272793`],
    ['commitId', `${hex}01234567`],
    ['digests', `sha256:${hex}${hex}`],
    ['sha256', `${hex}${hex}`],
    ['etag', `"${hex}-12"`],
    ['fingerprint', (hex.match(/../g) ?? []).join(':')],
    ['integrity', `sha512-${'A9cB'.repeat(21)}Ag==`],
  ]
  assert.deepEqual(
    pass.filter(([name, value]) => told(name, value)),
    [],
  )
  for (const [, value] of pass.filter(([name]) => /trace|commit|etag|fingerprint/.test(name)))
    assert.ok(told('note', value), value)
})
