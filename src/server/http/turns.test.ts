import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createTurns, type TurnLimits, turnLimits, unproven } from './turns.ts'

test('so many begin in a turn and so many wait; one more is full', () => {
  const { ask, turn, begun } = opened({ startsPerTurn: 2, waitingEachMax: 3 })
  assert.deepEqual(
    ['a0', 'a1', 'a2', 'a3'].map((name) => ask('acme', name)),
    ['taken', 'taken', 'taken', 'full of its own'],
  )
  turn()
  assert.deepEqual(begun, ['a0', 'a1'])
  assert.deepEqual(
    ['a4', 'a5', 'a6'].map((name) => ask('acme', name)),
    ['taken', 'taken', 'full of its own'],
    'two of three places are free again',
  )
  turn()
  assert.deepEqual(begun.slice(2), ['a2', 'a4'])
})

test('one who is alone has the whole turn', () => {
  const { ask, turn, begun } = opened({})
  for (let nth = 0; nth <= turnLimits.startsPerTurn; nth += 1) ask('acme', `a${nth}`)
  turn()
  assert.equal(begun.length, turnLimits.startsPerTurn)
})

test('groups take turns, whoever came first and however many they sent', () => {
  const { ask, turn, begun } = opened({ startsPerTurn: 3 })
  for (let nth = 0; nth < 9; nth += 1) ask('acme', `a${nth}`)
  for (const name of ['g0', 'g1']) ask('globex', name)
  turn()
  assert.deepEqual(begun, ['a0', 'g0', 'a1'])
  turn()
  assert.deepEqual(begun.slice(3), ['g1', 'a2', 'a3'])
})

test('turns are short while somebody asks seldom beside others who wait, and whole again later', () => {
  const { ask, turn, begun } = opened({
    startsPerTurn: 8,
    startsPerShortTurn: 4,
    startsPerShortTurnEach: 2,
    shortTurns: 2,
  })
  for (let nth = 0; nth < 40; nth += 1) ask('acme', `a${nth}`)
  turn()
  assert.equal(begun.length, 8)
  ask('globex', 'g0')
  turn()
  assert.deepEqual(begun.slice(8), ['a8', 'g0', 'a9'], 'two of acme and the one of globex')
  turn()
  assert.deepEqual(begun.slice(11), ['a10', 'a11'])
  turn()
  assert.equal(begun.length, 21, 'nobody else came for two turns')
})

test('a short turn has an end also when many ask seldom', () => {
  const { ask, turn, begun } = opened({ startsPerShortTurn: 4, startsPerShortTurnEach: 2, shortTurns: 9 })
  for (let nth = 0; nth < 100; nth += 1) ask('acme', `a${nth}`)
  for (const tenant of ['b', 'c', 'd', 'e', 'f', 'g']) ask(tenant, tenant)
  turn()
  assert.deepEqual(begun, ['a0', 'b', 'c', 'd'])
})

test('a short turn lets in fewer who proved nothing, also when it is short because of them', () => {
  const { ask, turn, begun } = opened({
    startsPerShortTurnEach: 1,
    startsPerTurnUnproven: 5,
    startsPerShortTurnUnproven: 3,
    shortTurns: 9,
  })
  for (let nth = 0; nth < 40; nth += 1) ask(unproven, `u${nth}`)
  turn()
  assert.equal(begun.length, 5, 'newcomers make no turn short for each other')
  ask('acme', 'a0')
  ask('acme', 'a1')
  turn()
  assert.deepEqual(begun.slice(5), ['u5', 'a0', 'u6', 'u7'])
})

test('turns are not short for somebody who asks as often as the others', () => {
  const { ask, turn, begun } = opened({ startsPerTurn: 8, startsPerShortTurnEach: 1, shortTurns: 50 })
  for (let nth = 0; nth < 20; nth += 1) {
    ask('acme', `a${nth}`)
    ask('globex', `g${nth}`)
  }
  turn()
  assert.equal(begun.length, 8)
})

test('those who proved nothing begin with few in a turn, however many addresses they have', () => {
  const { ask, turn, begun } = opened({ startsPerTurn: 8, startsPerTurnUnproven: 2 })
  for (let nth = 0; nth < 40; nth += 1) ask(unproven, `u${nth}`, `address ${nth}`)
  for (let nth = 0; nth < 40; nth += 1) ask('acme', `a${nth}`)
  turn()
  assert.deepEqual(begun, ['u0', 'a0', 'u1', 'a1', 'a2', 'a3', 'a4', 'a5'])
})

test('as many connections are let in before a turn begins as may begin with what they bring', () => {
  const { ask, turn, accepted, begun } = opened({ startsPerTurnUnproven: 2 })
  ask('acme', 'a0')
  for (let nth = 0; nth < 2; nth += 1) {
    accepted()
    turn()
    assert.deepEqual(begun, [], 'one more may come')
  }
  accepted()
  turn()
  assert.deepEqual(begun, ['a0'], 'whoever goes on connecting keeps nobody waiting for longer')
  ask('acme', 'a1')
  turn()
  assert.deepEqual(begun, ['a0', 'a1'], 'nobody connects')
})

test('addresses that proved nothing take turns with each other', () => {
  const { ask, turn, begun } = opened({ startsPerTurnUnproven: 2 })
  for (let nth = 0; nth < 10; nth += 1) ask(unproven, `flood${nth}`, 'one')
  ask(unproven, 'other', 'another')
  turn()
  assert.deepEqual(begun, ['flood0', 'other'])
})

test('what waits is bounded over all together, and who has less than an equal part may wait all the same', () => {
  const { ask } = opened({ startsPerTurn: 0, waitingMax: 4, waitingEachMax: 4 })
  for (let nth = 0; nth < 4; nth += 1) assert.equal(ask('acme', `a${nth}`), 'taken')
  assert.equal(ask('acme', 'a4'), 'full of its own')
  assert.deepEqual(
    ['g0', 'g1', 'g2'].map((name) => ask('globex', name)),
    ['taken', 'taken', 'full'],
    'half of four',
  )
  assert.deepEqual(
    ['i0', 'i1', 'i2'].map((name) => ask('initech', name)),
    ['taken', 'taken', 'full'],
    'a third of four is less than two',
  )
})

test('what waits and proved nothing is bounded by itself, and takes no place of those who did', () => {
  const { ask } = opened({
    startsPerTurn: 0,
    waitingUnprovenEachMax: 2,
    waitingUnprovenMax: 3,
    waitingMax: 1,
  })
  assert.deepEqual(
    [0, 1, 2].map((nth) => ask(unproven, `o${nth}`, 'one')),
    ['taken', 'taken', 'full of its own'],
  )
  assert.deepEqual(
    [0, 1].map((nth) => ask(unproven, `p${nth}`, 'another')),
    ['taken', 'full'],
  )
  assert.equal(ask('acme', 'a0'), 'taken')
})

test('who went away while waiting takes nobody’s turn', () => {
  const { ask, turn, begun, gone } = opened({ startsPerTurn: 1 })
  for (const name of ['a0', 'a1', 'a2']) ask('acme', name)
  gone.add('a0')
  turn()
  assert.deepEqual(begun, ['a1'])
})

test('nothing is turned when nothing is there', () => {
  const { ask, turn, pending } = opened({})
  assert.equal(pending(), 0)
  ask('acme', 'a0')
  turn()
  assert.equal(pending(), 0)
})

test('whatever is taken begins once, in the order of its source, and no bound is passed on the way', () => {
  const source = fc.record({
    group: fc.constantFrom('acme', 'globex', unproven),
    name: fc.constantFrom('one', 'another'),
  })
  const step = fc.oneof(
    { weight: 4, arbitrary: source },
    { weight: 1, arbitrary: fc.constantFrom('turn' as const, 'connection' as const) },
  )
  const cases = 500
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const limits = {
        startsPerTurn: 3,
        startsPerTurnUnproven: 2,
        waitingEachMax: 3,
        waitingMax: 4,
        waitingUnprovenEachMax: 2,
        waitingUnprovenMax: 3,
      }
      const { ask, turn, accepted, begun, pending } = opened({
        ...limits,
        shortTurns: 3,
        startsPerShortTurn: 2,
        startsPerShortTurnEach: 1,
      })
      const taken: string[] = []
      let [nth, since] = [0, 0]
      const turned = () => {
        since = begun.length
        turn()
        assert.ok(begun.length - since <= limits.startsPerTurn)
      }
      for (const one of steps) {
        if (one === 'turn') turned()
        else if (one === 'connection') accepted()
        else {
          const label = `${one.group} ${one.name} ${String(nth++).padStart(3, '0')}`
          if (ask(one.group, label, one.name) === 'taken') taken.push(label)
          assert.ok(taken.length - begun.length <= 2 * limits.waitingMax + limits.waitingUnprovenMax)
        }
      }
      while (pending() > 0) turned()
      assert.deepEqual(begun.toSorted(), taken.toSorted())
      const sources = Map.groupBy(begun, (label) => label.slice(0, -4))
      for (const labels of sources.values()) assert.deepEqual(labels, labels.toSorted())
    }),
    { numRuns: cases },
  )
  console.log(`${cases} cases`)
})

/** Turns that the test makes; none is short unless the test wants some. */
function opened(limits: Partial<TurnLimits>) {
  const callbacks: (() => void)[] = []
  const turns = createTurns({ ...turnLimits, shortTurns: 0, ...limits }, (callback) =>
    callbacks.push(callback),
  )
  const begun: string[] = []
  const gone = new Set<string>()
  return {
    begun,
    gone,
    ask: (group: string, label: string, name = group) =>
      turns.enter({ group, name }, () => {
        if (gone.has(label)) return false
        begun.push(label)
        return true
      }),
    accepted: turns.accepted,
    turn: () => {
      for (const callback of callbacks.splice(0)) callback()
    },
    pending: () => callbacks.length,
  }
}
