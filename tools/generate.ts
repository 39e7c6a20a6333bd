/** Writes every generated file, or with `--check` says which ones no longer match their source. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

/** Writes its files; with `check` writes nothing and throws an `Error` that names the files that differ. */
type Generator = (options: { check: boolean }) => unknown

const generators = [
  { file: 'policy.ts', name: 'buildPolicy' },
  { file: 'schema.ts', name: 'buildSchema' },
  { file: 'lint-reports.ts', name: 'buildLintReports' },
  { file: 'openapi.ts', name: 'buildOpenapi' },
  { file: 'guards.ts', name: 'buildGuards' },
] as const

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
let failed = 0
for (const { file, name } of generators) {
  const started = performance.now()
  try {
    const generator = await loadGenerator(file, name)
    await generator({ check: values.check })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${name}: ${values.check ? 'matches' : 'written'} (${seconds} s)`)
  } catch (thrown) {
    failed += 1
    console.error(`${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
  }
}
if (failed > 0 && values.check)
  console.error('Mend what differs with `npm run generate` and commit what it wrote.')
console.log(`${generators.length - failed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

async function loadGenerator(file: string, name: string): Promise<Generator> {
  const path = join(import.meta.dirname, file)
  if (!existsSync(path)) throw new Error(`tools/${file} is not there`)
  const exported: Record<string, unknown> = await import(pathToFileURL(path).href)
  const generator = exported[name]
  if (typeof generator !== 'function') throw new Error(`tools/${file} does not export ${name}`)
  return (options) => generator(options)
}
