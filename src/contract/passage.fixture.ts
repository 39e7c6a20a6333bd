import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

/** A contract in which every key of the format stands once. */
export const specimen = readFileSync(new URL('specimen.fixture.yaml', import.meta.url), 'utf8')

/** The text with one passage changed; it must be there exactly once. */
export function changedIn(text: string, from: string, to: string): string {
  assert.equal(text.split(from).length, 2, `${JSON.stringify(from)} must stand exactly once`)
  return text.replace(from, () => to)
}

/** A text in which `▸` marks one place. */
export function marked(text: string): { text: string; line: number; column: number } {
  const before = text.slice(0, text.indexOf('▸')).split('\n')
  return { text: text.replace('▸', ''), line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

/** Puts the line on which a passage begins for `«passage»`, or one some lines below for `«passage»+2`. */
export function withLines(message: string, text: string): string {
  return message.replace(/«([^»]+)»(?:\+(\d))?/g, (_, passage: string, below = '0') => {
    assert.ok(text.includes(passage), passage)
    return String(text.slice(0, text.indexOf(passage)).split('\n').length + Number(below))
  })
}
