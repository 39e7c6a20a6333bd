import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/security/advisories.md'), 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| advisory'))
  .map((line) => line.slice(2, -2).split(' | '))

test('every advisory names a test that exists, or says why there is none', () => {
  const wrong = rows.flatMap(([advisory = '', , withUs = '', shownBy = '']) => {
    if (shownBy === '—')
      return /^(not here|\*\*open\*\*)/.test(withUs) ? [] : [`${advisory}: no test, and no reason`]
    const [, path = '', name = ''] = /^`([^`]+)`: (.+)$/.exec(shownBy) ?? []
    if (!existsSync(join(root, path)) || path === '') return [`${advisory}: there is no ${shownBy}`]
    const source = readFileSync(join(root, path), 'utf8')
    return ["'", '`', '"'].some((quote) => source.includes(`(${quote}${name}${quote}`))
      ? []
      : [`${advisory}: ${path} has no test “${name}”`]
  })
  assert.deepEqual(wrong, [])
  const shown = new Set(rows.map((row) => row[3]).filter((one) => one !== '—'))
  console.log(`${rows.length} classes, shown by ${shown.size} tests`)
})

test('each row is whole, and an advisory stands in one', () => {
  for (const row of rows) assert.equal(row.length, 4, row.join(' | '))
  const ids = rows.flatMap(
    ([advisory = '']) => advisory.match(/GHSA(?:-[a-z0-9]{4}){3}|CVE-\d{4}-\d+|HCSEC-\d{4}-\d+/g) ?? [],
  )
  assert.ok(ids.length >= 50, `${ids.length} numbers`)
  assert.deepEqual(
    ids.filter((id, at) => ids.indexOf(id) !== at),
    [],
  )
})
