import type { ProcessScope } from '../environment.ts'
import {
  both,
  compareDemand,
  compareEntries,
  compareFlag,
  compareItems,
  type Draft,
  demands,
  type Judged,
  permits,
  type Sides,
} from './change.ts'

type Scopes = ReadonlyMap<string, ProcessScope>

export function compareScopes(sides: Sides<Scopes>): readonly Draft[] {
  return [
    ...compareEntries('scopes', sides, { noun: 'The scope', judged: judgeScope, within: compareScope }),
    ...compareTurns(sides),
  ]
}

/** What is required in some scopes is not required in a further one, nor of the commands of one that is gone. */
function judgeScope({ commands }: ProcessScope): Judged {
  return commands.length > 0 ? { added: 'looser', removed: 'looser' } : permits
}

function compareScope(rule: string, sides: Sides<ProcessScope>, name: string): readonly Draft[] {
  return [
    ...compareDemand(
      `${rule}.plane`,
      both(sides, (scope) => scope.plane),
      `The plane of ${name}`,
    ),
    // A process that names no scope is then of one whose demands are others.
    ...compareFlag(
      `${rule}.default`,
      both(sides, (scope) => scope.isDefault),
      permits,
      {
        holds: `${name} is the scope of a process that names none.`,
        ended: `${name} is no longer the scope of a process that names none.`,
      },
    ),
    ...compareItems(
      `${rule}.commands`,
      both(sides, (scope) => scope.commands),
      demands,
      (command, now) =>
        now === 'added'
          ? `\`${command}\` is of the scope ${name}.`
          : `\`${command}\` is no longer of the scope ${name}.`,
    ),
  ]
}

/**
 * A command is of the first scope that has a pattern for it, so the order counts: of two patterns that can fit the same command the one
 * that lost may be the one that wins now.
 */
function compareTurns({ before, after }: Sides<Scopes>): readonly Draft[] {
  const rows = { before: rowOf(before), after: rowOf(after) }
  const turnBefore = ({ scope, pattern }: Turn) =>
    rows.before.findIndex((one) => one.scope === scope && one.pattern === pattern)
  return rows.after.flatMap((winner, index) =>
    rows.after.slice(index + 1).flatMap((loser): readonly Draft[] => {
      if (winner.scope === loser.scope || !overlap(winner.pattern.split(' '), loser.pattern.split(' ')))
        return []
      const [won, lost] = [turnBefore(winner), turnBefore(loser)]
      if (lost < 0 || (won >= 0 && won < lost)) return []
      const message = `A command of \`${winner.pattern}\` and \`${loser.pattern}\` is of the scope ${winner.scope} (was ${loser.scope}).`
      return [{ effect: 'looser', rule: 'scopes', message, before: loser.place, after: winner.place }]
    }),
  )
}

type Turn = { readonly scope: string; readonly pattern: string; readonly place: ProcessScope['place'] }

function rowOf(scopes: Scopes): readonly Turn[] {
  return [...scopes.values()].flatMap(({ name, commands, place }) =>
    commands.map((pattern) => ({ scope: name, pattern, place })),
  )
}

/** Whether a command can be of both: `*` is one word, and any that follow when it stands last. */
function overlap([one, ...ones]: readonly string[], [other, ...others]: readonly string[]): boolean {
  if ((one === '*' && ones.length === 0) || (other === '*' && others.length === 0)) return true
  if (one === undefined || other === undefined) return one === other
  return (one === '*' || other === '*' || one === other) && overlap(ones, others)
}
