import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sumUp } from './sum.ts'

const sum = { passed: 2, failed: 0, skipped: 0 }

test('a run succeeds when something passed and nothing failed', () => {
  assert.deepEqual(sumUp(sum, false), { line: '2 passed, 0 failed', code: 0 })
  assert.deepEqual(sumUp({ ...sum, failed: 1 }, false), { line: '2 passed, 1 failed', code: 1 })
})

test('what was skipped has not passed, and fails on CI', () => {
  assert.deepEqual(sumUp({ ...sum, skipped: 1 }, false), { line: '2 passed, 0 failed, 1 skipped', code: 0 })
  assert.deepEqual(sumUp({ ...sum, skipped: 1 }, true), { line: '2 passed, 1 failed', code: 1 })
  assert.equal(sumUp({ passed: 0, failed: 0, skipped: 3 }, false).code, 1)
})
