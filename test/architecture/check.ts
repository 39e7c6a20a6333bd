import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkArrows } from './arrows.ts'
import { checkAdapters, checkDoors, checkErrors, checkNames } from './house.ts'
import { type Finding, readRooms, sourcePaths, type Tree } from './map.ts'
import { readSource } from './source.ts'
import { checkPurity, checkReveal, checkWords } from './words.ts'

/** Everything that the tree has against `ARCHITECTURE.md`. */
export function checkArchitecture(tree: Tree): readonly Finding[] {
  const rooms = readRooms(tree.get('ARCHITECTURE.md') ?? '')
  const inRooms = [...sourcePaths(tree)].flatMap((path) => {
    const source = readSource(path, tree.get(path) ?? '')
    return [...checkArrows(rooms, source), ...checkPurity(rooms, source), ...checkReveal(rooms, source)]
  })
  const everywhere = [...tree].flatMap(([path, text]) => {
    if (!path.endsWith('.ts')) return []
    return [...checkNames(path), ...checkDoors(path, text), ...checkWords(readSource(path, text), text)]
  })
  return [...inRooms, ...everywhere, ...checkAdapters(tree), ...checkErrors(tree)]
}

/** The files that the checks look at, read from the repository. */
export function readTree(root: string): Tree {
  const code = ['src', 'client/src', 'bench', 'test', 'tools'].flatMap((folder) =>
    filesUnder(root, folder, '.ts'),
  )
  const documents = ['ARCHITECTURE.md', ...filesUnder(root, 'docs', '.md')]
  return new Map([...code, ...documents].map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}

function filesUnder(root: string, folder: string, ending: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.includes('node_modules/') && !path.includes('dist/'))
}
