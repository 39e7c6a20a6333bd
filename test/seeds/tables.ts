import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const folder = join(root, '../shared/seeds')

/** The text of a document by its number; `undefined` where the documents are not beside the checkout. */
export function seedText(number: string): string | undefined {
  if (!existsSync(folder)) return undefined
  const file = readdirSync(folder).find((name) => name.startsWith(`${number}_`))
  return file === undefined ? undefined : readFileSync(join(folder, file), 'utf8')
}

/** The rows of the first table after a heading, without its head, backquotes and bold type. */
export function tableAfter(text: string, heading: string): readonly (readonly string[])[] {
  const lines = sectionAfter(text, heading)
  const start = lines.findIndex((line) => line.startsWith('|'))
  if (start === -1) throw new Error(`There is no table after ${heading}.`)
  const rows = lines.slice(start)
  const end = rows.findIndex((line) => !line.startsWith('|'))
  return rows.slice(2, end === -1 ? rows.length : end).map(cells)
}

/** The list items after a heading, until the next heading. */
export function itemsAfter(text: string, heading: string): readonly string[] {
  const lines = sectionAfter(text, heading)
  const end = lines.findIndex((line) => line.startsWith('#'))
  return lines
    .slice(0, end === -1 ? lines.length : end)
    .flatMap((line) => /^\s*(?:-|[0-9]+\.) (.*)$/.exec(line)?.[1] ?? [])
    .map(plain)
}

/** Every heading of a level that begins in a way. */
export function headings(text: string, start: string): readonly string[] {
  return text.split('\n').filter((line) => line.startsWith(start))
}

/** The names in backquotes. */
export function ticked(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
}

function sectionAfter(text: string, heading: string): readonly string[] {
  const lines = text.split('\n')
  const at = lines.indexOf(heading)
  if (at === -1) throw new Error(`There is no heading ${heading}.`)
  return lines.slice(at + 1)
}

function cells(row: string): readonly string[] {
  return row.split('|').slice(1, -1).map(plain)
}

function plain(text: string): string {
  return text.replace(/`|\*\*/g, '').trim()
}
