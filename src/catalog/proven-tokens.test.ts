import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProvenTokens, provenTokenLimits } from './proven-tokens.ts'

function create() {
  let milliseconds = 1_000_000
  const clock = { now: () => milliseconds, sleep: () => Promise.reject(new Error('not used')) }
  const moveTo = (seconds: number) => {
    milliseconds = 1_000_000 + seconds * 1000
  }
  return { tokens: createProvenTokens<string>(clock), moveTo }
}

test('a token is known until its bound, and not at it', () => {
  const { tokens, moveTo } = create()
  const { seconds } = provenTokenLimits
  tokens.keep('a', 'anna', 1000 + 3600)
  assert.deepEqual([tokens.find('a'), tokens.find('b')], ['anna', undefined])
  moveTo(seconds - 0.001)
  assert.equal(tokens.find('a'), 'anna')
  moveTo(seconds)
  assert.equal(tokens.find('a'), undefined)
})

test('a token that ends sooner is not known beyond its end, nor after the clock went backwards', () => {
  const { tokens, moveTo } = create()
  tokens.keep('a', 'anna', 1000 + 5)
  moveTo(4.999)
  assert.equal(tokens.find('a'), 'anna')
  moveTo(5)
  assert.equal(tokens.find('a'), undefined)
  tokens.keep('b', 'bert', 2000)
  moveTo(4)
  assert.equal(tokens.find('b'), undefined)
})

test('past the greatest number the older half is forgotten, and the younger one known', () => {
  const { tokens } = create()
  const { tokensMax } = provenTokenLimits
  for (let at = 0; at < tokensMax; at += 1) tokens.keep(`token-${at}`, String(at), 9999)
  assert.deepEqual(
    [tokens.find('token-0'), tokens.find(`token-${tokensMax - 1}`)],
    ['0', String(tokensMax - 1)],
  )
  tokens.keep('one more', 'more', 9999)
  const found = ['token-0', `token-${tokensMax / 2}`, 'one more'].map((token) => tokens.find(token))
  assert.deepEqual(found, [undefined, String(tokensMax / 2), 'more'])
})
