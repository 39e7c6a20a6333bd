import assert from 'node:assert/strict'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { validateAll } from './validate.ts'

const root = join(import.meta.dirname, '..')

test('every contract, request and example file that is shipped is valid, and none is passed over', () => {
  const validated = validateAll()
  assert.deepEqual(
    validated.filter(({ problems }) => problems.length > 0),
    [],
  )
  const told = new Set(validated.map(({ file }) => file))
  const shipped = globSync(['{contracts,examples}/**/*', '{contracts,examples}/**/.*'], { cwd: root })
    .filter((file) => !/node_modules/.test(file) && /\.(ya?ml|json|example)$/.test(file))
    .filter((file) => !/^contracts\/compiled\/[^/]+\/environment\.schema\.json$/.test(file))
    .filter((file) => !/^examples\/.*(\.json|\.ya?ml)$/.test(file) || isContract(file))
  assert.ok(shipped.length >= 11, String(shipped.length))
  assert.deepEqual(
    shipped.filter((file) => !told.has(file)),
    [],
  )
})

function isContract(file: string): boolean {
  return readFileSync(join(root, file), 'utf8').includes('contract: environment/v1')
}

function copy(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-validate-'))
  context.after(() => rmSync(folder, { recursive: true }))
  for (const part of ['contracts', 'examples'])
    cpSync(join(root, part), join(folder, part), {
      recursive: true,
      filter: (source) => !source.endsWith('node_modules'),
    })
  return folder
}

/** How a file of each kind is broken. */
function broken(file: string, text: string): string {
  if (file.endsWith('.json')) return text.replace(/"provider"\s*:\s*"[^"]*"/, '"password": "hunter2"')
  if (file.endsWith('.example')) return text.replace(/^([A-Z_]+)=.*$/m, '$1=hunter2')
  return text.replace(/^discriminators: \[(\w+)/m, 'discriminators: [UNKNOWN')
}

test('a broken copy of each of them is told, and of no other', (context) => {
  const folder = copy(context)
  const all = validateAll(folder).map(({ file }) => file)
  for (const file of all) {
    const text = readFileSync(join(folder, file), 'utf8')
    assert.notEqual(broken(file, text), text, file)
    writeFileSync(join(folder, file), broken(file, text))
    const failed = validateAll(folder).filter(({ problems }) => problems.length > 0)
    assert.ok(
      failed.some((one) => one.file === file),
      file,
    )
    assert.ok(!JSON.stringify(failed).includes('hunter2'), file)
    // What hangs on a contract falls with it.
    if (!file.endsWith('yaml')) assert.equal(failed.length, 1, JSON.stringify(failed))
    writeFileSync(join(folder, file), text)
  }
  console.log(`${all.length} files broken`)
})

test('what belongs to no contract, and what was compiled from another text, is told', (context) => {
  const folder = copy(context)
  writeFileSync(join(folder, 'contracts/broken.yaml'), 'contract: environment/v1\n')
  writeFileSync(join(folder, 'contracts/requests/other.PROD.json'), '{}')
  const compiled = 'contracts/compiled/ficecal/env.example'
  const text = readFileSync(join(folder, compiled), 'utf8')
  writeFileSync(join(folder, compiled), text.replace(/sha256:[0-9a-f]{8}/, 'sha256:00000000'))
  writeFileSync(join(folder, 'examples/fastapi-backend/.env.example'), 'A=\n')
  const failed = validateAll(folder).filter(({ problems }) => problems.length > 0)
  assert.deepEqual(
    failed.map(({ file }) => file),
    [
      'contracts/broken.yaml',
      'contracts/requests/other.PROD.json',
      compiled,
      'examples/fastapi-backend/.env.example',
    ],
  )
})
