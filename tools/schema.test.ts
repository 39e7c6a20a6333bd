import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatProblems, parseContract } from '../src/contract/index.ts'
import { buildSchema, contractKeys, renderSchema } from './schema.ts'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/contract.md'), 'utf8')

test('the committed schema and the table of keys are what the shape gives', () =>
  buildSchema({ check: true }))

test('every key is explained', () => {
  const keys = contractKeys()
  for (const { path, description } of keys) assert.match(description, /^[A-Z`].*\.$/, path)
  assert.ok(keys.length > 60)
  for (const path of ['modes.NAME.ceiling.duration', 'identities.NAME.proofs[].token.claims', 'grants[].id'])
    assert.ok(
      keys.some((key) => key.path === path),
      path,
    )
  console.log(`${keys.length} keys, each with a description`)
})

test('every mapping with known keys is closed', () => {
  const open = closed(JSON.parse(renderSchema()))
  assert.deepEqual(open, { mappings: open.mappings, notClosed: 0 })
  assert.ok(open.mappings > 15)
})

function closed(schema: unknown): { mappings: number; notClosed: number } {
  const counts = { mappings: 0, notClosed: 0 }
  JSON.stringify(schema, (_, value: unknown) => {
    if (typeof value === 'object' && value !== null && 'properties' in value) {
      counts.mappings += 1
      if (!('additionalProperties' in value) || value.additionalProperties !== false) counts.notClosed += 1
    }
    return value
  })
  return counts
}

test('every example of the page is a contract', () => {
  const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  for (const text of examples)
    assert.equal(parseContract({ text, file: 'sallyport.yaml' }).kind, 'contract', text)
  assert.ok(examples.length > 1)
})

test('the example of the page is a contract, and the problem that it shows is what is shown', () => {
  const text = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? assert.fail()
  assert.equal(parseContract({ text, file: 'sallyport.yaml' }).kind, 'contract')
  const wrong = text.replace('provider: tokens', 'provider: token')
  const parsed = parseContract({ text: wrong, file: 'sallyport.yaml' })
  assert.ok(parsed.kind === 'problems')
  const shown = formatProblems(parsed.problems, { file: 'sallyport.yaml', text: wrong })
  const documented = /```text\n([\s\S]*?)```/.exec(page)?.[1] ?? assert.fail()
  assert.equal(shown, `${documented}\n1 problem in sallyport.yaml.\n`)
})

test('the demo names the schema in its first line', () => {
  const demo = readFileSync(join(root, 'contracts/demo.yaml'), 'utf8')
  assert.match(demo, /^# yaml-language-server: \$schema=\.\.\/schemas\/sallyport\.schema\.json\n/)
})
