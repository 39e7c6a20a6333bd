import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestClock } from '../testing/clock.ts'
import { fails } from './broker.fixture.ts'
import { createPatience } from './patience.ts'

const hanging = () => new Promise<never>(() => undefined)

test('work that is done is given as it is, value or failure, and then nobody watches', async () => {
  const clock = createTestClock()
  const patience = createPatience(clock, 100)
  assert.equal(await patience(Promise.resolve(7)), 7)
  await assert.rejects(patience(Promise.reject(new Error('no'))), /no/)
  assert.equal(clock.sleeping, 1, 'all share one timer')
  await clock.advance(100)
  assert.equal(clock.sleeping, 0)
})

test('work that hangs is given up between once and twice the time, and what began later goes on', async () => {
  const clock = createTestClock()
  const patience = createPatience(clock, 100)
  const ends: string[] = []
  const note = (name: string) => (thrown: unknown) => {
    assert.ok(fails('provider_timeout')(thrown))
    ends.push(`${name} ${clock.now() - began}`)
  }
  const began = clock.now()
  const first = patience(hanging()).catch(note('first'))
  await clock.advance(1)
  const second = patience(hanging()).catch(note('second'))
  await clock.advance(99)
  assert.deepEqual(ends, ['first 100'])
  await clock.advance(100)
  await Promise.all([first, second])
  assert.deepEqual(ends, ['first 100', 'second 200'])
})
