import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { namedLimits } from './named-limits.ts'

const root = join(import.meta.dirname, '../..')
/** `path` and `name`, value, what happens past it, and the test of its edge. */
const rows = readFileSync(join(root, 'docs/limits.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.slice(2, -2).split(' | '))

describe('docs/limits.md', () => {
  test('has every bound of the broker once, with the value that it has', () => {
    const told = rows.map(([bound = '', value = '']) => `${bound} ${value.replaceAll(' ', '')}`)
    const held = namedLimits(root).map(({ path, name, value }) => `\`${path}\` \`${name}\` ${value}`)
    assert.deepEqual(
      held.filter((one) => !told.includes(one)),
      [],
      'a bound that docs/limits.md does not have: say what is past it, and which test tries its edge',
    )
    assert.deepEqual(
      told.filter((one, at) => !held.includes(one) || told.indexOf(one) !== at),
      [],
      'a line of docs/limits.md about no bound',
    )
    assert.ok(held.length > 80, `${held.length} bounds`)
  })

  test('names tests that exist, or says why there is none', () => {
    const wrong = rows.flatMap(([bound = '', , past = '', shown = '']) => {
      if (shown === '—') return past.length > 10 ? [] : [`${bound}: no test, and no reason`]
      const [, path = '', name = ''] = /^`([^`]+)`: (.+)$/.exec(shown) ?? []
      const source = path !== '' && existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : ''
      return ["'", '`', '"'].some((quote) => source.includes(`${quote}${name}${quote}`))
        ? []
        : [`${bound}: there is no ${shown}`]
    })
    assert.deepEqual(wrong, [])
    console.log(`${rows.length} bounds`)
  })

  test('leaves no bound without a test but the one that nothing reaches', () => {
    const without = rows.filter(([, , , shown]) => shown === '—').map(([bound = '']) => bound)
    assert.deepEqual(without, ['`src/adapters/policy/opa-wasm/opa-wasm.ts` `memoryPagesMax`'])
  })
})
