import type { Contract, Mode, ModeClass } from '../contract.ts'
import type { ModeRules, Permission } from '../environment.ts'
import {
  both,
  byRank,
  compareEntries,
  compareFlag,
  compareItems,
  compareLongest,
  compareValue,
  type Draft,
  demands,
  permits,
  type Sides,
} from './change.ts'
import { environmentOf } from './nothing.ts'

/** Discriminators and modes: a further mode is a further environment in which programs start. */
export function compareModes(sides: Sides<Contract>): readonly Draft[] {
  return [
    ...compareItems(
      'discriminators',
      both(sides, (contract) => contract.discriminators),
      demands,
      (name, now) =>
        now === 'removed' ? `${name} no longer tells modes apart.` : `${name} tells modes apart.`,
    ),
    ...compareEntries(
      'modes',
      both(sides, (contract) => contract.modes),
      {
        noun: 'The mode',
        judged: permits,
        within: compareMode,
      },
    ),
    ...compareEntries('modes', commonRules(sides), {
      noun: 'The mode',
      judged: permits,
      within: compareRules,
    }),
  ]
}

/** A mode of one side alone is a change already, and so is an environment. */
function commonRules(sides: Sides<Contract>): Sides<ReadonlyMap<string, ModeRules>> {
  const { before, after } = both(sides, (contract) => environmentOf(contract).modeRules)
  const common = (rules: ReadonlyMap<string, ModeRules>) =>
    new Map([...rules].filter(([mode]) => before.has(mode) && after.has(mode)))
  return both({ before, after }, common)
}

const classes: readonly ModeClass[] = ['development', 'test', 'staging', 'production']

function compareMode(rule: string, sides: Sides<Mode>, name: string): readonly Draft[] {
  return [
    ...compareValue(
      `${rule}.match`,
      both(sides, (mode) => mode.match),
      'looser',
      `The tuple of ${name}`,
    ),
    ...compareValue(
      `${rule}.class`,
      both(sides, (mode) => mode.class),
      byRank(classes),
      `The class of ${name}`,
    ),
    ...compareLongest(
      `${rule}.ceiling`,
      both(sides, (mode) => mode.maxDurationSeconds),
      `The ceiling of ${name}`,
    ),
    ...compareLongest(
      `${rule}.ceiling`,
      both(sides, (mode) => mode.maxResidualSeconds),
      `The residual that ${name} bears`,
    ),
  ]
}

/** From the loosest. Not to say anything of a plane is to take nothing from it. */
const permissions: readonly Permission[] = ['optional', 'allowed', 'opt-in', 'required', 'forbidden']

function compareRules(rule: string, sides: Sides<ModeRules>, name: string): readonly Draft[] {
  const planes = new Set([...sides.before.auth.keys(), ...sides.after.auth.keys()])
  return [
    ...[...planes].flatMap((plane) =>
      compareValue(
        `${rule}.auth`,
        both(sides, ({ auth }) => auth.get(plane) ?? 'forbidden'),
        byRank(permissions),
        `In ${name}, the plane ${plane}`,
      ),
    ),
    ...(['logged', 'audited'] as const).flatMap((effect) =>
      compareFlag(
        `${rule}.effects`,
        both(sides, ({ effects }) => effects[effect] ?? false),
        demands,
        { holds: `In ${name} actions are ${effect}.`, ended: `In ${name} actions are no longer ${effect}.` },
      ),
    ),
    ...compareValue(
      `${rule}.effects`,
      both(sides, ({ effects }) => effects.billable),
      ({ before }) => (before === false ? 'looser' : 'other'),
      `In ${name}, \`billable\``,
    ),
    ...compareValue(
      `${rule}.data`,
      both(sides, ({ productionData }) => productionData),
      byRank(['allowed', 'forbidden']),
      `Production data in ${name}`,
    ),
    ...compareValue(
      `${rule}.data`,
      both(sides, ({ dataClass }) => dataClass),
      'other',
      `The data of ${name}`,
    ),
    ...compareFlag(
      `${rule}.strict`,
      both(sides, ({ strict }) => strict),
      demands,
      {
        holds: `${name} is strict.`,
        ended: `${name} is no longer strict.`,
      },
    ),
    ...compareItems(
      `${rule}.notes`,
      both(sides, ({ notes }) => notes),
      demands,
      (note, now) => (now === 'removed' ? `${name} no longer says: ${note}` : `${name} says: ${note}`),
    ),
  ]
}
