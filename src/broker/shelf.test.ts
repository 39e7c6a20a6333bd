import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createShelf } from './shelf.ts'

/** Puts things on a shelf for six, each named and made `tenant/agent:nth`; gives what is left. */
function left(...puts: readonly string[]): readonly string[] {
  const shelf = createShelf<string>(6)
  for (const put of puts) {
    const [tenant = '', agent = ''] = put.split(':')[0]?.split('/') ?? []
    shelf.put(put, { tenant, agent }, put)
  }
  return [...shelf.entries()].map(([name]) => name)
}

test('has room for so many, and one more pushes out the oldest of the agent that has most, in the tenant that has most', () => {
  const six = ['b/y:1', 'a/x:1', 'a/x:2', 'a/w:1', 'a/x:3', 'b/z:1']
  assert.deepEqual(left(...six), six)
  assert.deepEqual(left(...six, 'b/y:2'), ['b/y:1', 'a/x:2', 'a/w:1', 'a/x:3', 'b/z:1', 'b/y:2'])
  assert.deepEqual(left(...six, 'a/x:4', 'a/x:5'), ['b/y:1', 'a/w:1', 'a/x:3', 'b/z:1', 'a/x:4', 'a/x:5'])
})

test('a tenant of many agents pushes out nothing of a tenant of one', () => {
  const others = Array.from({ length: 20 }, (_, nth) => `a/agent-${nth}:1`)
  assert.deepEqual(left('b/y:1', 'b/y:2', ...others).slice(0, 2), ['b/y:1', 'b/y:2'])
})

test('what is put again under its name is the newest, and what was taken away leaves room', () => {
  assert.deepEqual(left('a/x:1', 'a/x:2', 'a/x:1'), ['a/x:2', 'a/x:1'])
  const shelf = createShelf<number>(1)
  shelf.put('one', { tenant: 'a', agent: 'x' }, 1)
  shelf.delete('one')
  shelf.delete('one')
  assert.equal(shelf.get('one'), undefined)
  shelf.put('two', { tenant: 'b', agent: 'y' }, 2)
  assert.equal(shelf.get('two'), 2)
})
