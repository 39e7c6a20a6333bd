/** Writes `schemas/sallyport.schema.json`, with which an editor completes, explains and checks a contract. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { contractShape } from '../src/contract/index.ts'

const file = join(import.meta.dirname, '..', 'schemas', 'sallyport.schema.json')

/** Generates the JSON Schema; with `check` writes nothing and throws an `Error` when the committed one differs. */
export function buildSchema(options: { readonly check: boolean }): void {
  const schema = renderSchema()
  if (committed() === schema) return
  if (options.check) throw new Error('schemas/sallyport.schema.json is not what src/contract/shape.ts gives')
  writeFileSync(file, schema)
}

/** JSON Schema 2020-12 of what may be written; references between parts of a contract are beyond it. */
export function renderSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(contractShape, { target: 'draft-2020-12', io: 'input' })
  const head = {
    $schema,
    $id: 'urn:sallyport:contract:environment/v1',
    title: 'Sallyport environment contract',
    description: 'One file that states what an environment is and who may do what in it (sallyport.yaml).',
  }
  return `${JSON.stringify({ ...head, ...schema }, undefined, 2)}\n`
}

function committed(): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

if (import.meta.main) buildSchema({ check: process.argv.includes('--check') })
