import type { Contract } from '../contract.ts'
import { printable } from '../problem.ts'
import type { Effect, RuleChange, Sides } from './change.ts'

/** Changes for a person, one a line: what it does, where, the sentence, and for a looser rule who answers for it. */
export function formatDiff(changes: readonly RuleChange[], files: Sides<Pick<Contract, 'file'>>): string {
  const lines = changes.map((change) => {
    const owners = change.effect === 'looser' ? ` (${change.owners.join(', ')})` : ''
    return printable(`${change.effect.padEnd(7)}  ${placeOf(change, files)}  ${change.message}${owners}`)
  })
  return `${[...lines, summary(changes)].join('\n')}\n`
}

function placeOf({ before, after, rule }: RuleChange, files: Sides<Pick<Contract, 'file'>>): string {
  if (after) return `${files.after.file}:${after.line}:${after.column}`
  return before ? `${files.before.file}:${before.line}:${before.column}` : rule
}

function summary(changes: readonly RuleChange[]): string {
  if (changes.length === 0) return 'The two permit and demand the same.'
  const count = (effect: Effect) => changes.filter((change) => change.effect === effect).length
  return `${count('looser')} looser, ${count('tighter')} tighter, ${count('other')} neither.`
}
