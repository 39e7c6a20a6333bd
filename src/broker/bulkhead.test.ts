import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fails } from './broker.fixture.ts'
import { createBulkhead } from './bulkhead.ts'

const never = new AbortController().signal
const limits = { mints: 2, waiting: 3, waitingEach: 2 }

/** Enters as each of these tenants; `inside` names those that came in, in their order, and `leave` gives one place back. */
async function enterAll(tenants: readonly string[]) {
  const bulkhead = createBulkhead(limits)
  const inside: string[] = []
  const places: (() => void)[] = []
  const entering = tenants.map(async (tenant) => {
    const leave = await bulkhead.enter(tenant, never)
    inside.push(tenant)
    places.push(leave)
  })
  await turn()
  return {
    bulkhead,
    inside,
    entering,
    async leave() {
      places.shift()?.()
      await turn()
    },
  }
}

test('so many are inside at once, and each that leaves lets one in', async () => {
  const { inside, leave } = await enterAll(['a', 'a', 'a', 'a'])
  assert.equal(inside.length, 2)
  await leave()
  assert.equal(inside.length, 3)
  await leave()
  await leave()
  assert.equal(inside.length, 4)
})

test('tenants that wait take turns, whoever came first', async () => {
  const { inside, leave } = await enterAll(['a', 'a', 'a', 'a', 'b'])
  for (let nth = 0; nth < 3; nth += 1) await leave()
  assert.deepEqual(inside, ['a', 'a', 'a', 'b', 'a'])
})

test('as many wait as may, in all and of one tenant; one more is refused', async () => {
  const { bulkhead, entering } = await enterAll(['a', 'a', 'a', 'a'])
  await assert.rejects(bulkhead.enter('a', never), fails('overloaded'))
  const last = bulkhead.enter('b', never)
  await assert.rejects(bulkhead.enter('c', never), fails('overloaded'))
  assert.equal(await Promise.race([Promise.all([...entering, last]), turn('all wait')]), 'all wait')
})

test('who goes away while waiting leaves room, and never comes in', async () => {
  const { bulkhead, inside, leave, entering } = await enterAll(['a', 'a', 'b'])
  const gone = new AbortController()
  const waiting = bulkhead.enter('a', gone.signal)
  gone.abort(new Error('gone'))
  await assert.rejects(waiting, /gone/)
  await assert.rejects(bulkhead.enter('a', gone.signal), /gone/)
  await leave()
  assert.deepEqual(inside, ['a', 'a', 'b'])
  await Promise.all(entering)
})

test('a place that is given back twice is one place', async () => {
  const bulkhead = createBulkhead(limits)
  const [first] = [await bulkhead.enter('a', never), await bulkhead.enter('a', never)]
  first()
  first()
  await bulkhead.enter('a', never)
  assert.equal(await Promise.race([bulkhead.enter('a', never), turn('it waits')]), 'it waits')
})
