/** Writes what explains the contract's format: the JSON Schema for editors, and the tables in `docs/contract.md`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { contractShape, lintCodes } from '../src/contract/index.ts'

const root = join(import.meta.dirname, '..')

/** Generates both from `src/contract/shape.ts`; with `check` writes nothing and throws an `Error` that names what differs. */
export function buildSchema(options: { readonly check: boolean }): void {
  const wanted = { 'schemas/sallyport.schema.json': renderSchema(), 'docs/contract.md': renderPage() }
  const stale = Object.entries(wanted).filter(([file, text]) => committed(file) !== text)
  if (options.check && stale.length > 0)
    throw new Error(`${stale.map(([file]) => file).join(' and ')} is not what src/contract/shape.ts gives`)
  for (const [file, text] of stale) if (!options.check) writeFileSync(join(root, file), text)
}

/** JSON Schema 2020-12 of what may be written; references between parts of a contract are beyond it. */
export function renderSchema(): string {
  const { $schema, ...schema } = contractSchema()
  const head = {
    $schema,
    $id: 'urn:sallyport:contract:environment/v1',
    title: 'Sallyport environment contract',
    description: 'One file that states what an environment is and who may do what in it (sallyport.yaml).',
  }
  return `${JSON.stringify({ ...head, ...schema }, undefined, 2)}\n`
}

export type Key = {
  readonly path: string
  readonly required: boolean
  readonly description: string
}

/** Every key of the format, such as `modes.NAME.ceiling.duration`, in the order of the format. */
export function contractKeys(): readonly Key[] {
  return keysOf(contractSchema(), '')
}

function contractSchema(): Json {
  return { ...z.toJSONSchema(contractShape, { target: 'draft-2020-12', io: 'input' }) }
}

type Json = Readonly<Record<string, unknown>>

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function keysOf(schema: Json, path: string): readonly Key[] {
  const { properties, items, additionalProperties, required } = schema
  const own = Object.entries(isJson(properties) ? properties : {}).flatMap(([key, property]) => {
    const child = path === '' ? key : `${path}.${key}`
    if (!isJson(property)) return []
    const description = typeof property['description'] === 'string' ? property['description'] : ''
    const needed = Array.isArray(required) && required.includes(key)
    return [{ path: child, required: needed, description }, ...keysOf(property, child)]
  })
  const inItems = isJson(items) ? keysOf(items, `${path}[]`) : []
  const inEntries = isJson(additionalProperties) ? keysOf(additionalProperties, `${path}.NAME`) : []
  return [...own, ...inItems, ...inEntries, ...keysOfChoices(schema, path)]
}

/** Where a value may be of several kinds: each key once, with what every kind says of it, and required where all need it. */
function keysOfChoices({ anyOf, oneOf }: Json, path: string): readonly Key[] {
  const choices = [anyOf, oneOf]
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .map((choice) => (isJson(choice) ? keysOf(choice, path) : []))
    .filter((keys) => keys.length > 0)
  return [...Map.groupBy(choices.flat(), (key) => key.path)].map(([key, found]) => ({
    path: key,
    required: found.length === choices.length && found.every(({ required }) => required),
    description: [...new Set(found.map(({ description }) => description))].join(' '),
  }))
}

function renderPage(): string {
  const rows = contractKeys().map(
    ({ path, required, description }) => `| \`${path}\` | ${required ? 'yes' : ''} | ${description} |`,
  )
  const table = ['| key | required | what it says |', '|---|---|---|', ...rows].join('\n')
  const findings = [
    '| finding | level | what it says |',
    '|---|---|---|',
    ...Object.entries(lintCodes).map(([code, [level, words]]) => `| \`${code}\` | ${level} | ${words} |`),
  ].join('\n')
  return Object.entries({ keys: table, findings }).reduce(
    (page, [name, rows]) =>
      page.replace(
        new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(\n?<!-- /${name} -->)`),
        (_, before: string) => `${before}${rows}\n<!-- /${name} -->`,
      ),
    committed('docs/contract.md') ?? '',
  )
}

function committed(file: string): string | undefined {
  return existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined
}

if (import.meta.main) buildSchema({ check: process.argv.includes('--check') })
