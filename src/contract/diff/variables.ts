import type { Contract } from '../contract.ts'
import { isRequired, type SecretPath, type Variable } from '../environment.ts'
import {
  both,
  compareDemand,
  compareEntries,
  compareFlag,
  compareItems,
  compareLower,
  compareUpper,
  compareValue,
  type Draft,
  demands,
  type Effect,
  informs,
  type Judged,
  type Sides,
} from './change.ts'
import { environmentOf } from './nothing.ts'

/** Variables and the places where secrets live. */
export function compareVariables(sides: Sides<Contract>): readonly Draft[] {
  const cells = commonCells(sides)
  return [
    ...compareEntries(
      'variables',
      both(sides, (contract) => environmentOf(contract).variables),
      {
        noun: 'The variable',
        judged: weight,
        owners: ({ owner }) => [owner],
        within: (rule, variables, name) => [
          ...compareOwner(rule, variables, name),
          ...compareRequirement(rule, variables, { name, cells }),
          ...compareConstraints(rule, variables, name),
          ...compareConstants(rule, variables, name),
          ...compareSecrecy(rule, variables, name),
        ],
      },
    ),
    ...compareEntries(
      'secretStores',
      both(sides, (contract) => environmentOf(contract).secretPaths),
      {
        noun: 'The secret path',
        judged: informs,
        owners: ({ owners }) => owners,
        within: comparePath,
      },
    ),
  ]
}

/** A variable of which nothing is asked may come and go. */
function weight({ required, sensitive, constByMode, constraints, internal }: Variable): Judged {
  const asked =
    required.kind !== 'optional' ||
    sensitive ||
    internal ||
    constByMode.size > 0 ||
    Object.keys(constraints).length > 0
  return asked ? demands : informs
}

function compareOwner(
  rule: string,
  sides: Sides<{ readonly owner: string }>,
  name: string,
): readonly Draft[] {
  return compareValue(
    `${rule}.owner`,
    both(sides, ({ owner }) => owner),
    'looser',
    `The owner of ${name}`,
  )
}

type Cell = { readonly mode: string; readonly scope: string }

/** Every mode with every scope that both contracts have. */
function commonCells({ before, after }: Sides<Contract>): readonly Cell[] {
  const scopes = [...environmentOf(before).scopes.keys()].filter((scope) =>
    environmentOf(after).scopes.has(scope),
  )
  return [...before.modes.keys()]
    .filter((mode) => after.modes.has(mode))
    .flatMap((mode) => scopes.map((scope) => ({ mode, scope })))
}

function compareRequirement(
  rule: string,
  { before, after }: Sides<Variable>,
  { name, cells }: { name: string; cells: readonly Cell[] },
): readonly Draft[] {
  const where = (variable: Variable, other: Variable) =>
    cells.filter((cell) => isRequired(variable.required, cell) && !isRequired(other.required, cell))
  const dropped = where(before, after)
  const added = where(after, before)
  return [
    ...requirement({ effect: 'looser', rule, cells: dropped, says: `${name} is no longer required` }),
    ...requirement({ effect: 'tighter', rule, cells: added, says: `${name} is required` }),
  ]
}

function requirement({
  effect,
  rule,
  cells,
  says,
}: {
  effect: Effect
  rule: string
  cells: readonly Cell[]
  says: string
}): readonly Draft[] {
  if (cells.length === 0) return []
  const scopesByMode = Map.groupBy(cells, ({ mode }) => mode)
  const words = [...scopesByMode].map(
    ([mode, list]) => `${mode} (${list.map(({ scope }) => scope).join(', ')})`,
  )
  return [{ effect, rule: `${rule}.required`, message: `${says} in ${words.join(', ')}.` }]
}

function compareConstraints(rule: string, sides: Sides<Variable>, name: string): readonly Draft[] {
  const constraints = both(sides, (variable) => variable.constraints)
  return [
    ...compareValue(
      `${rule}.type`,
      both(sides, ({ type }) => type),
      ({ before }) => (before === 'string' ? 'tighter' : 'looser'),
      `The type of ${name}`,
    ),
    ...compareChoice(
      `${rule}.enum`,
      both(constraints, (one) => one.enum),
      `a value of ${name}`,
    ),
    ...compareChoice(
      `${rule}.schemes`,
      both(constraints, (one) => one.schemes),
      `a scheme of ${name}`,
    ),
    ...compareDemand(
      `${rule}.pattern`,
      both(constraints, ({ pattern }) => pattern),
      `The pattern of ${name}`,
    ),
    ...compareLower(
      `${rule}.minimum`,
      both(constraints, ({ minimum }) => minimum),
      `The minimum of ${name}`,
    ),
    ...compareUpper(
      `${rule}.maximum`,
      both(constraints, ({ maximum }) => maximum),
      `The maximum of ${name}`,
    ),
  ]
}

/** A closed list of values: none at all is looser than any. */
function compareChoice(
  rule: string,
  { before, after }: Sides<readonly string[] | undefined>,
  what: string,
): readonly Draft[] {
  if (before === undefined || after === undefined)
    return compareDemand(rule, { before, after }, `The list of what may be ${what}`)
  return compareItems(rule, { before, after }, { added: 'looser', removed: 'tighter' }, (value, now) =>
    now === 'added' ? `${value} may be ${what}.` : `${value} may no longer be ${what}.`,
  )
}

function compareConstants(rule: string, sides: Sides<Variable>, name: string): readonly Draft[] {
  const modes = new Set([...sides.before.constByMode.keys(), ...sides.after.constByMode.keys()])
  return [...modes].flatMap((mode) =>
    compareDemand(
      `${rule}.const`,
      both(sides, ({ constByMode }) => constByMode.get(mode)),
      `The one value of ${name} in ${mode}`,
    ),
  )
}

function compareSecrecy(rule: string, sides: Sides<Variable>, name: string): readonly Draft[] {
  return [
    ...compareFlag(
      `${rule}.sensitive`,
      both(sides, ({ sensitive }) => sensitive),
      demands,
      {
        holds: `${name} is sensitive.`,
        ended: `${name} is no longer sensitive.`,
      },
    ),
    ...compareFlag(
      `${rule}.internal`,
      both(sides, ({ internal }) => internal),
      demands,
      {
        holds: `The launcher keeps ${name} to itself.`,
        ended: `The launcher passes ${name} on.`,
      },
    ),
    ...compareDemand(
      `${rule}.secretRef`,
      both(sides, ({ secretPaths }) => secretPaths[0]),
      `The place where ${name} lives`,
    ),
    ...compareItems(
      `${rule}.secretRef`,
      both(sides, ({ secretPaths }) => secretPaths.slice(1)),
      informs,
      (path, now) =>
        now === 'added' ? `${name} lives at ${path} too.` : `${name} no longer lives at ${path} too.`,
    ),
  ]
}

function comparePath(rule: string, sides: Sides<SecretPath>, path: string): readonly Draft[] {
  return [
    ...compareValue(
      `${rule}.owner`,
      both(sides, ({ owners }) => owners),
      'looser',
      `The owner of ${path}`,
    ),
    ...compareItems(
      `${rule}.keys`,
      both(sides, ({ keys }) => keys),
      informs,
      (key, now) => (now === 'added' ? `${path} holds ${key}.` : `${path} no longer holds ${key}.`),
    ),
  ]
}
