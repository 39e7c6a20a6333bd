import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upTo } from './up-to.ts'

test('matches every whole number from 1 to the bound and nothing else', () => {
  for (const max of [1, 2, 9, 10, 11, 99, 100, 101, 365, 525, 1000, 8760]) {
    const pattern = new RegExp(`^${upTo(max)}$`)
    for (let number = 0; number <= max + 20; number += 1)
      assert.equal(pattern.test(String(number)), number >= 1 && number <= max, `${number} of ${max}`)
    for (const text of ['', '01', '-1', '+1', '1.0', '1e0', ' 1', '1\n', `${max}0`])
      assert.equal(pattern.test(text), false, JSON.stringify(text))
  }
})
