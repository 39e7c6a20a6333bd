import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unlessAny, verdictOf } from './harness.ts'

const row = { fault: 'kill', what: 'a point', injected: 1, lost: [], told: '' }

test('a fault passes when it was put in and nothing was lost', () => {
  assert.equal(verdictOf(row), 'passed')
  assert.equal(verdictOf({ ...row, lost: ['an entry'] }), 'failed')
})

test('one that was never put in has not passed, and neither has one that cannot be put in here', () => {
  assert.equal(verdictOf({ ...row, injected: 0 }), 'failed')
  assert.equal(verdictOf({ fault: 'power', skipped: 'this machine cannot mount' }), 'skipped')
})

test('where nothing was acknowledged, nothing could be lost, and that is said', () => {
  assert.deepEqual(unlessAny(0, 'issuance was acknowledged'), [
    'no issuance was acknowledged, so that nothing is shown',
  ])
  assert.deepEqual(unlessAny(1, 'issuance was acknowledged'), [])
})
