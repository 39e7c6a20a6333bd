import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choose } from './choice.ts'

const all = [
  { name: 'kill', title: 'kill -9' },
  { name: 'power', title: 'power cuts' },
]
const offer = { noun: 'faults', all, flags: { long: 'more often', json: 'lines of JSON' } }

test('names choose, each once and in the order of the offer, and `all` chooses every one', () => {
  const chosen = (...words: readonly string[]) => {
    const choice = choose(offer, words)
    return 'said' in choice ? choice : [choice.chosen.map(({ name }) => name), [...choice.flags]]
  }
  assert.deepEqual(chosen('power'), [['power'], []])
  assert.deepEqual(chosen('power', '--long', 'kill', 'power'), [['kill', 'power'], ['long']])
  assert.deepEqual(chosen('all', '--json'), [['kill', 'power'], ['json']])
})

test('without a name, and with --help, it says what there is and runs nothing', () => {
  for (const words of [[], ['--help'], ['kill', '--help'], ['--json']]) {
    const choice = choose(offer, words)
    assert.ok('said' in choice && choice.code === 0, words.join(' '))
    assert.match(choice.said, /^kill {3}kill -9\npower {2}power cuts\n/)
    assert.match(choice.said, /npm run faults -- NAME.*\n {2}--long .*more often/)
  }
})

test('one flag may stand for all of them', () => {
  const choice = choose({ ...offer, allWith: 'long' }, ['--long'])
  assert.ok('chosen' in choice && choice.chosen.length === 2)
})

test('a name or an option that there is not is an error of usage, also beside `all`', () => {
  for (const words of [['disk'], ['kill', 'disk'], ['all', 'disk']])
    assert.deepEqual(choose(offer, words), { said: 'npm run faults has no disk: kill, power.', code: 64 })
  const choice = choose(offer, ['kill', '--short'])
  assert.ok('said' in choice && choice.code === 64)
  assert.equal(choice.said, "Unknown option '--short'. `npm run faults -- --help` says what there is.")
})
