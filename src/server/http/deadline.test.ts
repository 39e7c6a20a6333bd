import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeadlines } from './deadline.ts'

test('who asks at the same time shares one signal, which aborts after its time and not before', async () => {
  const deadline = createDeadlines(1)
  const signal = deadline()
  assert.equal(deadline(), signal)
  assert.equal(signal.aborted, false)
  // The timer of a signal holds no process.
  const waiting = setInterval(() => undefined, 1_000)
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  clearInterval(waiting)
  const next = deadline()
  assert.notEqual(next, signal)
  assert.equal(next.aborted, false)
})
