import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { validateAll } from './validate.ts'

test('every contract and every request that is shipped is valid', () => {
  const validated = validateAll()
  assert.deepEqual(
    validated.filter(({ problems }) => problems.length > 0),
    [],
  )
  assert.ok(validated.some(({ file }) => file === 'contracts/ficecal.yaml'))
  assert.equal(validated.filter(({ file }) => file.startsWith('contracts/requests/')).length, 3)
})

test('a contract or request that is not valid is told', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-validate-'))
  context.after(() => rmSync(folder, { recursive: true }))
  cpSync(join(import.meta.dirname, '../contracts'), join(folder, 'contracts'), { recursive: true })
  writeFileSync(join(folder, 'contracts/broken.yaml'), 'contract: environment/v1\n')
  writeFileSync(join(folder, 'contracts/requests/billing-ingest.PROD.json'), '{}')
  writeFileSync(join(folder, 'contracts/requests/other.PROD.json'), '{}')
  const failed = validateAll(folder).filter(({ problems }) => problems.length > 0)
  assert.deepEqual(
    failed.map(({ file }) => file),
    [
      'contracts/broken.yaml',
      'contracts/requests/billing-ingest.PROD.json',
      'contracts/requests/other.PROD.json',
    ],
  )
})
