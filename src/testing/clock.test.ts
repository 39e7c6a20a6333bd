import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestClock } from './clock.ts'

test('sleeps end in the order of their time, each at its own moment', async () => {
  const clock = createTestClock(0)
  const { signal } = new AbortController()
  const seen: string[] = []
  const sleeper = async (name: string, ...naps: number[]) => {
    for (const nap of naps) {
      await clock.sleep(nap, signal)
      seen.push(`${name}@${clock.now()}`)
    }
  }
  const all = [sleeper('late', 300), sleeper('again', 100, 100), sleeper('early', 50), sleeper('never', 999)]
  await clock.advance(300)
  assert.deepEqual(seen, ['early@50', 'again@100', 'again@200', 'late@300'])
  assert.equal(clock.now(), 300)
  assert.equal(clock.sleeping, 1)
  await clock.advance(699)
  await Promise.all(all)
})

test('an aborted sleep rejects with the reason and no longer waits', async () => {
  const clock = createTestClock(0)
  const abort = new AbortController()
  const sleeping = clock.sleep(1000, abort.signal)
  abort.abort(new Error('stop'))
  await assert.rejects(sleeping, /stop/)
  assert.equal(clock.sleeping, 0)
  await assert.rejects(clock.sleep(1, abort.signal), /stop/)
})

test('no sleep at all resolves without the clock moving', async () => {
  await createTestClock(0).sleep(0, new AbortController().signal)
})
