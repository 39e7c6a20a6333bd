import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Contract } from '../contract/index.ts'
import { isScanned, type SourceFile, sourceCharactersMax } from '../hygiene/index.ts'
import { Failure } from '../primitives/index.ts'

/** Folders of what others wrote or what was made. */
const passedOver = new Set([
  '.git',
  '.hg',
  'node_modules',
  '.venv',
  'venv',
  '__pycache__',
  'dist',
  'build',
  'vendor',
  '.tox',
  '.next',
])
/** More files are no repository of sources. */
const filesMax = 200_000

/** A file whose name says that it is a source, and which was not read. */
export type UnreadFile = { readonly path: string; readonly unread: string }

/** The sources below a folder, in the order of their names; links are not followed. */
export function* readSources(contract: Contract, folder: string): Iterable<SourceFile | UnreadFile> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Failure('option_invalid', `${folder} is no folder.`, { next: 'name a folder of sources' })
  let files = 0
  for (const path of pathsBelow(folder, '')) {
    files += 1
    if (files > filesMax) throw new Failure('option_invalid', `${folder} has more than ${filesMax} files.`)
    if (!isScanned(contract, path)) continue
    const bytes = readFileSync(join(folder, path))
    if (bytes.length > sourceCharactersMax) yield { path, unread: 'it is larger than 1 MiB' }
    else if (bytes.subarray(0, 8192).includes(0)) yield { path, unread: 'it is no text in UTF-8' }
    else yield { path, text: bytes.toString() }
  }
}

function* pathsBelow(folder: string, path: string): Iterable<string> {
  const entries = readdirSync(join(folder, path), { withFileTypes: true }).sort((left, right) =>
    left.name < right.name ? -1 : 1,
  )
  for (const entry of entries) {
    const inner = path === '' ? entry.name : `${path}/${entry.name}`
    if (entry.isDirectory() && !passedOver.has(entry.name)) yield* pathsBelow(folder, inner)
    else if (entry.isFile()) yield inner
  }
}
