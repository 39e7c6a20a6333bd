import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveThrough } from './life.fixture.ts'

// `npm run faults -- lease --long` lives through a hundred thousand.
const lives = 700

test('whatever happens in whatever order, no credential lives without its lease and no answer leaves without its entry', {
  timeout: 120_000,
}, async (context) => {
  const lived = await liveThrough(lives)
  const { commands, issued, replayed, deaths } = lived
  context.diagnostic(
    `${lived.lives} lives of ${commands} commands, ${issued} credentials issued, ${replayed} answers repeated, ${deaths} deaths; unexplained: none`,
  )
  assert.equal(lived.lives, lives)
  assert.ok(issued > lives / 4 && replayed > 0 && deaths > lives / 20)
})
