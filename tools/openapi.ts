/** Writes `schemas/openapi.json`, the description of both listeners, from the operations in `src/protocol`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../package.json' with { type: 'json' }
import { openapi } from '../src/protocol/index.ts'

const file = join(import.meta.dirname, '..', 'schemas', 'openapi.json')

/** Generates the description; with `check` writes nothing and throws an `Error` when the committed one differs. */
export function buildOpenapi(options: { readonly check: boolean }): void {
  const description = `${JSON.stringify(openapi(manifest.version), undefined, 2)}\n`
  if (existsSync(file) && readFileSync(file, 'utf8') === description) return
  if (options.check) throw new Error('schemas/openapi.json is not what src/protocol gives')
  writeFileSync(file, description)
}

if (import.meta.main) buildOpenapi({ check: process.argv.includes('--check') })
