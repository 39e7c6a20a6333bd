import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Contract } from '../contract/index.ts'
import { isScanned, lineCharactersMax, type SourceFile, sourceCharactersMax } from '../hygiene/index.ts'
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

/** What is left out by rule and not by its content; a file with long lines is read but for these. */
export type PassedOver = { readonly path: string; readonly passedOver: 'folder' | 'link' | 'long line' }

/** The sources below a folder, in the order of their names; links are not followed. */
export function* readSources(
  contract: Contract,
  folder: string,
): Iterable<SourceFile | UnreadFile | PassedOver> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Failure('option_invalid', `${folder} is no folder.`, { next: 'name a folder of sources' })
  let files = 0
  for (const found of entriesBelow(folder, '')) {
    if ('unread' in found) {
      yield found
      continue
    }
    const { path, entry } = found
    files += 1
    if (files > filesMax) throw new Failure('option_invalid', `${folder} has more than ${filesMax} files.`)
    if (entry.isDirectory()) yield { path, passedOver: 'folder' }
    else if (entry.isSymbolicLink()) yield { path, passedOver: 'link' }
    else if (isScanned(contract, path)) yield* readSource(folder, path, entry)
  }
}

function* readSource(
  folder: string,
  path: string,
  entry: Dirent,
): Iterable<SourceFile | UnreadFile | PassedOver> {
  if (!entry.isFile()) return yield { path, unread: 'it is no regular file' }
  const bytes = attempt(() => readFileSync(join(folder, path)))
  if (typeof bytes === 'string') return yield { path, unread: bytes }
  if (bytes.length > sourceCharactersMax) return yield { path, unread: 'it is larger than 1 MiB' }
  if (bytes.subarray(0, 8192).includes(0)) return yield { path, unread: 'it is no text in UTF-8' }
  const text = bytes.toString()
  if (text.split('\n').some((line) => line.length > lineCharactersMax))
    yield { path, passedOver: 'long line' }
  yield { path, text }
}

/** All but the folders that are gone into. */
function* entriesBelow(folder: string, path: string): Iterable<{ path: string; entry: Dirent } | UnreadFile> {
  const entries = attempt(() => readdirSync(join(folder, path), { withFileTypes: true }))
  if (typeof entries === 'string') return yield { path: path || '.', unread: entries }
  for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const inner = path === '' ? entry.name : `${path}/${entry.name}`
    if (entry.isDirectory() && !passedOver.has(entry.name)) yield* entriesBelow(folder, inner)
    else yield { path: inner, entry }
  }
}

/** What it gives, or why it cannot be read: one file or folder of another user's, or whose name is no text, hides no finding in the others. */
function attempt<Result>(read: () => Result): Result | string {
  try {
    return read()
  } catch (thrown) {
    return `it cannot be read (${thrown instanceof Error && 'code' in thrown ? thrown.code : 'unknown'})`
  }
}
