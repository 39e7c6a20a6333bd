import type { Contract } from '../contract.ts'
import { compareBroker } from './broker.ts'
import type { RuleChange, Sides } from './change.ts'
import { compareMigrations } from './migrations.ts'
import { compareModes } from './modes.ts'
import { environmentOf } from './nothing.ts'
import { comparePlanes } from './planes.ts'
import { compareProhibitions } from './prohibitions.ts'
import { compareVariables } from './variables.ts'
import { compareWords } from './words.ts'

const comparisons = [
  compareModes,
  comparePlanes,
  compareVariables,
  compareMigrations,
  compareProhibitions,
  compareWords,
  compareBroker,
]

/** What another contract permits and demands that this one did not; the looser ones first. Words for people alone are no change. */
export function diffContracts(sides: Sides<Contract>): readonly RuleChange[] {
  const order = ['looser', 'tighter', 'other']
  return comparisons
    .flatMap((compare) => compare(sides))
    .map((draft) => ({ ...draft, owners: draft.owners ?? contractOwners(sides.before) }))
    .sort((left, right) => order.indexOf(left.effect) - order.indexOf(right.effect))
}

/** Owners of looser rules that are not among those who approved. */
export function unapproved(changes: readonly RuleChange[], approvedBy: readonly string[]): readonly string[] {
  const approved = new Set(approvedBy.map((owner) => owner.trim().toLowerCase()))
  const concerned = changes.filter(({ effect }) => effect === 'looser').flatMap(({ owners }) => owners)
  return [...new Set(concerned)].filter((owner) => !approved.has(owner.toLowerCase()))
}

/** Who answers for the whole: those who answer for the discriminators where nobody is named, and the contract's name where nobody does. */
function contractOwners(contract: Contract): readonly string[] {
  const { about, variables } = environmentOf(contract)
  if (about.owner !== undefined) return [about.owner]
  const owners = contract.discriminators.flatMap((name) => variables.get(name)?.owner ?? [])
  return owners.length > 0 ? [...new Set(owners)] : [contract.name]
}
