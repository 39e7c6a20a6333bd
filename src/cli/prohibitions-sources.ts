import { join, relative } from 'node:path'
import type { Contract } from '../contract/index.ts'
import { findInSource, type HygieneFinding, lineCharactersMax } from '../hygiene/index.ts'
import { type PassedOver, readSources } from './source-files.ts'

/** What was found in sources, and what was not looked at: one by one with the reason, and by rule. */
export type Searched = {
  readonly findings: readonly HygieneFinding[]
  readonly unread: readonly string[]
  readonly passedOver: readonly PassedOver[]
}

/** Files are told as seen from here, as the contract is; the ids of their findings stay those of the folder. */
export function searchSources(contract: Contract, source: string | undefined): Searched {
  const findings: HygieneFinding[] = []
  const unread: string[] = []
  const passedOver: PassedOver[] = []
  if (source === undefined) return { findings, unread, passedOver }
  const fromHere = (path: string) => relative('', join(source, path))
  for (const file of readSources(contract, source))
    if ('unread' in file) unread.push(`${fromHere(file.path)}: ${file.unread}`)
    else if ('passedOver' in file) passedOver.push({ ...file, path: fromHere(file.path) })
    else
      for (const found of findInSource(contract, file))
        findings.push({ ...found, file: fromHere(found.file) })
  return { findings, unread, passedOver }
}

/** As data: the paths by rule, all of them. */
export function passedOverData(all: readonly PassedOver[]) {
  const pathsOf = (rule: PassedOver['passedOver']) =>
    all.flatMap(({ path, passedOver }) => (passedOver === rule ? [path] : []))
  return { folders: pathsOf('folder'), links: pathsOf('link'), long_lines: pathsOf('long line') }
}

const namesToldMax = 10

/** A line for each rule that left something out, with the number and the first names. */
export function passedOverLines(all: readonly PassedOver[]): readonly string[] {
  const { folders, links, long_lines: files } = passedOverData(all)
  return [
    ...told('folders that are passed over by their names', folders),
    ...told('links, which are not followed', links),
    ...told(`files with lines of more than ${lineCharactersMax} characters, which are left out`, files),
  ]
}

function told(what: string, paths: readonly string[]): readonly string[] {
  if (paths.length === 0) return []
  const more = paths.length - namesToldMax
  const names = paths.slice(0, namesToldMax).join(', ')
  return [`${what} (${paths.length}): ${names}${more > 0 ? ` and ${more} more` : ''}`]
}
