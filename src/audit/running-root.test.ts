import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { test } from 'node:test'
import { appendLeaf, emptyFrontier, frontierRoot, leafHash } from './merkle.ts'
import { createRunningRoot } from './running-root.ts'

test('the root of what is read through is the root of the tree, after every leaf and before the first', () => {
  const running = createRunningRoot()
  let frontier = emptyFrontier
  for (let leaves = 0; leaves <= 1_100; leaves += 1) {
    assert.equal(running.size(), leaves)
    assert.deepEqual(running.root(), frontierRoot(frontier), `${leaves} leaves`)
    const entry = randomBytes(randomInt(900))
    running.add(Buffer.concat([Buffer.of(0), entry]))
    frontier = appendLeaf(frontier, leafHash(entry))
  }
})

test('asking for the root, or not, changes nothing of the next one', () => {
  const [asked, silent] = [createRunningRoot(), createRunningRoot()]
  for (let leaves = 0; leaves < 300; leaves += 1) {
    const leaf = randomBytes(40)
    asked.add(leaf)
    silent.add(leaf)
    if (randomInt(3) === 0) asked.root()
  }
  assert.deepEqual(asked.root(), silent.root())
})
