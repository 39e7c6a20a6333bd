import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { buildSchema, renderSchema } from './schema.ts'

test('the committed schema is what the shape gives', () => buildSchema({ check: true }))

test('every key of the schema is explained, and no mapping is open by accident', () => {
  const keys: string[] = []
  walk(JSON.parse(renderSchema()), '', (path, property) => {
    keys.push(path)
    assert.ok(typeof property['description'] === 'string' && property['description'].endsWith('.'), path)
  })
  assert.ok(keys.length > 60, `${keys.length} keys`)
  console.log(`${keys.length} keys, each with a description`)
})

test('the demo names the schema in its first line', () => {
  const demo = readFileSync(new URL('../contracts/demo.yaml', import.meta.url), 'utf8')
  assert.match(demo, /^# yaml-language-server: \$schema=\.\.\/schemas\/sallyport\.schema\.json\n/)
})

type Json = Readonly<Record<string, unknown>>

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function walk(schema: unknown, path: string, visit: (path: string, property: Json) => void): void {
  if (!isJson(schema)) return
  const { properties, items, additionalProperties } = schema
  if (isJson(properties)) {
    assert.equal(additionalProperties, false, `${path} must be closed`)
    for (const [key, property] of Object.entries(properties)) {
      assert.ok(isJson(property))
      visit(`${path}.${key}`, property)
      walk(property, `${path}.${key}`, visit)
    }
  }
  walk(items, `${path}[]`, visit)
  walk(additionalProperties, `${path}.*`, visit)
}
