import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')

test('every claim of SECURITY.md names tests that are there', () => {
  const rows = readFileSync(join(root, 'SECURITY.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| [A-Z]/.test(line))
  assert.ok(rows.length > 20)
  assert.deepEqual(rows.flatMap(missing), [])
})

/** What a row refers to and nobody finds; a row that refers to nothing is missing itself. */
function missing(row: string): readonly string[] {
  const found = [...row.matchAll(/`((?:src|test)\/[^`]+)`|“([^”]+)”/g)]
  let path = ''
  const absent = found.flatMap(([, file, name]) => {
    if (file !== undefined) {
      path = file
      return existsSync(join(root, file)) ? [] : [file]
    }
    return existsSync(join(root, path)) && readFileSync(join(root, path), 'utf8').includes(name ?? '')
      ? []
      : [`${path}: ${name}`]
  })
  return found.some(([, , name]) => name !== undefined) ? absent : [row]
}
