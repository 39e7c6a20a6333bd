import type { Contract } from '../contract.ts'
import type { PlaneRules } from '../environment.ts'
import {
  both,
  compareDemand,
  compareEntries,
  compareItems,
  compareValue,
  type Draft,
  demands,
  permits,
  type Sides,
} from './change.ts'
import { environmentOf } from './nothing.ts'
import { compareScopes } from './scopes.ts'

/** Planes and scopes: what credentials are taken where, and what a process may do. */
export function comparePlanes(sides: Sides<Contract>): readonly Draft[] {
  return [
    ...compareEntries('planes', planesOf(sides), {
      noun: 'The plane',
      judged: permits,
      within: comparePlane,
    }),
    ...compareScopes(both(sides, (contract) => environmentOf(contract).scopes)),
  ]
}

/** A contract for a broker alone keeps the header of its machine plane and nothing else; what it does not say is no change. */
function planesOf({ before, after }: Sides<Contract>): Sides<ReadonlyMap<string, PlaneRules>> {
  const known = ({ environment, machineKeyHeader }: Contract, other: Contract) => {
    if (environment) return environment.planes
    const planes = new Map(environmentOf(other).planes)
    const machine = planes.get('machine')
    if (machine)
      planes.set('machine', { ...machine, scheme: { type: 'apiKey', in: 'header', name: machineKeyHeader } })
    return new Map([...planes].filter(([name]) => name === 'machine' || name === 'human'))
  }
  return { before: known(before, after), after: known(after, before) }
}

function comparePlane(rule: string, sides: Sides<PlaneRules>, name: string): readonly Draft[] {
  return [
    ...compareValue(
      `${rule}.scheme`,
      both(sides, (plane) => plane.scheme),
      'looser',
      `The credential of ${name}`,
    ),
    ...compareItems(
      `${rule}.endpoints`,
      both(sides, (plane) => plane.endpoints),
      permits,
      (path, now) =>
        now === 'added'
          ? `${path} belongs to the plane ${name}.`
          : `${path} no longer belongs to the plane ${name}.`,
    ),
    ...compareItems(
      `${rule}.rejects`,
      both(sides, (plane) => plane.rejects),
      demands,
      (other, now) => (now === 'added' ? `${name} rejects ${other}.` : `${name} no longer rejects ${other}.`),
    ),
    ...compareItems(
      `${rule}.standsInFor`,
      both(sides, (plane) => plane.standsInFor),
      permits,
      (other, now) =>
        now === 'added' ? `${name} stands in for ${other}.` : `${name} no longer stands in for ${other}.`,
    ),
    ...compareItems(
      `${rule}.forbids`,
      both(sides, (plane) => plane.forbids),
      demands,
      (thing, now) => (now === 'added' ? `${name} forbids ${thing}.` : `${name} no longer forbids ${thing}.`),
    ),
    ...compareItems(
      `${rule}.scopes`,
      both(sides, (plane) => plane.scopes),
      permits,
      (scope, now) =>
        now === 'added'
          ? `${name} is for the scope ${scope}.`
          : `${name} is no longer for the scope ${scope}.`,
    ),
    ...compareDemand(
      `${rule}.enabledBy`,
      both(sides, (plane) => plane.enabledBy),
      `What enables ${name}`,
    ),
    ...compareItems(
      `${rule}.testing`,
      both(sides, ({ testing }) => testing.never),
      demands,
      (never, now) =>
        now === 'added'
          ? `Never in tests of ${name}: ${never}.`
          : `No longer forbidden in tests of ${name}: ${never}.`,
    ),
    ...compareItems(`${rule}.clients`, both(sides, clientSentences), demands, (sentence, now) =>
      now === 'added' ? `For ${sentence}.` : `No longer for ${sentence}.`,
    ),
  ]
}

function clientSentences({ clients }: PlaneRules): readonly string[] {
  return [...clients].flatMap(([client, sentences]) => sentences.map((sentence) => `${client}: ${sentence}`))
}
