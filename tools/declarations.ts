import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'

/**
 * Copies the declarations that one of them reaches, from one folder to another. What a file takes through the door of a room it takes from
 * where it is declared instead: a door names everything of its room, also what is made of packages that are inside of the bundle, and
 * whoever compiles against the declarations has none of these. Throws where one of them is reached all the same.
 */
export function copyDeclarations(options: {
  readonly from: string
  readonly to: string
  /** Relative to `from`. */
  readonly first: string
}): void {
  const read = (file: string) => readFileSync(join(options.from, file), 'utf8')
  const copied = new Set<string>()
  const waiting = [options.first]
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (copied.has(file)) continue
    copied.add(file)
    const text = straight(file, read)
    refusePackages(file, text)
    waiting.push(...filesIn(file, text))
    mkdirSync(dirname(join(options.to, file)), { recursive: true })
    writeFileSync(join(options.to, file), text)
  }
}

type Read = (file: string) => string

/** As the compiler writes them: `import type { A, type B as C } from './file.ts';`. */
const statement = /^(import|export)( type)? \{([^}]*)\} from '(\.[^']*)';$/gm

/** The text of a file in which each name comes from the file that declares it. */
function straight(file: string, read: Read): string {
  return read(file).replace(statement, (_, verb: string, type = '', names: string, path: string) => {
    const taken = partsOf(names).map((part) => {
      const source = declared({ file: reached(file, path), name: part.name }, read)
      return { file: source.file, words: wordsOf({ ...part, name: source.name }) }
    })
    return [...Map.groupBy(taken, (one) => one.file)]
      .map(([target, ones]) => {
        const list = ones.map(({ words }) => words).join(', ')
        return `${verb}${type} { ${list} } from '${pathBetween({ from: file, to: target })}';`
      })
      .join('\n')
  })
}

type Part = { readonly type: string; readonly name: string; readonly as: string }

function partsOf(names: string): readonly Part[] {
  return names.split(',').flatMap((text) => {
    const [, type = '', name, as] = /^\s*(type )?([\w$]+)(?: as ([\w$]+))?\s*$/.exec(text) ?? []
    return name === undefined ? [] : [{ type, name, as: as ?? name }]
  })
}

function wordsOf({ type, name, as }: Part): string {
  return `${type}${name === as ? name : `${name} as ${as}`}`
}

type Name = { readonly file: string; readonly name: string }

/** Where a name is declared that a file may only pass on. */
function declared({ file, name }: Name, read: Read): Name {
  for (const [, verb, , names = '', path = ''] of read(file).matchAll(statement)) {
    const passed = verb === 'export' ? partsOf(names).find(({ as }) => as === name) : undefined
    if (passed) return declared({ file: reached(file, path), name: passed.name }, read)
  }
  return { file, name }
}

/** All that a text takes from elsewhere, in whatever form. */
function modulesIn(text: string): readonly string[] {
  const taken = /(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+|<reference types=)["']([^"']+)["']/gm
  return [...text.matchAll(taken)].map(([, path = '']) => path)
}

function filesIn(file: string, text: string): readonly string[] {
  return modulesIn(text)
    .filter((path) => path.startsWith('.'))
    .map((path) => reached(file, path))
}

function refusePackages(file: string, text: string): void {
  const name = modulesIn(text).find((path) => !path.startsWith('.') && !isBuiltin(path))
  if (name !== undefined)
    throw new Error(`${file} takes types of ${name}, which nobody has who installs what is published`)
}

function reached(file: string, path: string): string {
  return join(dirname(file), path.replace(/\.[jt]s$/, '.d.ts'))
}

function pathBetween({ from, to }: { readonly from: string; readonly to: string }): string {
  const path = relative(dirname(from), to).replace(/\.d\.ts$/, '.ts')
  return path.startsWith('.') ? path : `./${path}`
}
