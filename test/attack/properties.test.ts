import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const files = globSync(
  ['src/**/*.test.ts', 'client/src/**/*.test.ts', 'test/**/*.test.ts', 'faults/**/*.test.ts'],
  { cwd: root },
).sort()

/** The tests of a file, each from its `test(` to the next. */
function testsOf(path: string): readonly string[] {
  return readFileSync(join(root, path), 'utf8').split(/\n(?=\s*test\()/)
}

test('every property test says how many cases it ran', () => {
  const properties = files.flatMap((path) =>
    testsOf(path)
      .filter((text) => /\bfc\.assert\(/.test(text))
      .map((text) => ({ path, text })),
  )
  const silent = properties
    .filter(({ text }) => !/console\.log\(|\.diagnostic\(|^\s*test\(`[^`]*\$\{cases\}/.test(text))
    .map(({ path, text }) => `${path}: ${text.split('\n')[0]?.trim()}`)
  assert.deepEqual(silent, [])
  assert.ok(properties.length > 30, `${properties.length} property tests`)
  console.log(
    `${properties.length} property tests in ${new Set(properties.map(({ path }) => path)).size} files`,
  )
})
