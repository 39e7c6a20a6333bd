import type { Contract } from '../contract.ts'
import type { Environment, ModeRules, PlaneRules } from '../environment.ts'
import type { Found, LintRule } from './finding.ts'

/** Modes against database roles, planes and the values of discriminators. */
export const lintModes: LintRule = (environment, contract) => [
  ...modesWithoutRole(environment),
  ...modesAndPlanes(environment),
  ...unusedValues(environment, contract),
]

function modesWithoutRole({ migrations, modeRules }: Environment): readonly Found[] {
  if (!migrations) return []
  return [...modeRules.values()]
    .filter(({ mode }) => !migrations.roleByMode.has(mode))
    .map(({ mode, place }) => ({
      code: 'mode-without-role',
      message: `The mode ${mode} has no database role.`,
      place,
      next: `add \`${mode}: …\` to \`migrations.roleByMode\` (line ${migrations.place.line})`,
    }))
}

function modesAndPlanes({ modeRules, planes, variables }: Environment): readonly Found[] {
  const callers = [...planes.values()].filter(({ scheme }) => scheme.type !== 'connectionString')
  return [...modeRules.values()].flatMap((rules) =>
    callers.flatMap((plane) => {
      const permission = rules.auth.get(plane.name)
      if (permission === undefined) return [unmentioned(rules, plane)]
      const constant = variables.get(plane.enabledBy ?? '')?.constByMode.get(rules.mode)
      const variable = plane.enabledBy
      if (variable === undefined) return []
      if (permission === 'forbidden') return constant === 'false' ? [] : [unlocked(rules, plane, constant)]
      return constant === 'false' && permission !== 'opt-in' ? [shut(rules, plane)] : []
    }),
  )
}

function unmentioned({ mode, place }: ModeRules, { name }: PlaneRules): Found {
  return {
    code: 'mode-without-plane',
    message: `The mode ${mode} does not say whether credentials of the plane ${name} are taken.`,
    place,
    next: `add \`${name}: forbidden\` or another permission to its \`auth\``,
  }
}

function unlocked({ mode, place }: ModeRules, plane: PlaneRules, constant: string | undefined): Found {
  const next = `write \`const: { ${mode}: false }\` for ${plane.enabledBy}`
  return constant === undefined
    ? {
        code: 'plane-unlocked',
        message: `The mode ${mode} forbids the plane ${plane.name}, but ${plane.enabledBy} may be true there.`,
        place,
        next,
      }
    : {
        code: 'plane-contradicted',
        message: `The mode ${mode} forbids the plane ${plane.name}, but ${plane.enabledBy} must be ${constant} there.`,
        place,
        next,
      }
}

function shut({ mode, place }: ModeRules, plane: PlaneRules): Found {
  return {
    code: 'plane-contradicted',
    message: `The mode ${mode} takes credentials of the plane ${plane.name}, but ${plane.enabledBy} must be false there.`,
    place,
    next: `write \`${plane.name}: forbidden\`, or remove the \`const\` of ${plane.enabledBy}`,
  }
}

function unusedValues({ variables }: Environment, { discriminators, modes }: Contract): readonly Found[] {
  return discriminators.flatMap((name) => {
    const variable = variables.get(name)
    const used = new Set([...modes.values()].map(({ match }) => match[name]))
    return (variable?.constraints.enum ?? [])
      .filter((value) => !used.has(value))
      .map(
        (value): Found => ({
          code: 'discriminator-value-unused',
          message: `${name} may be ${value}, but no mode has it.`,
          place: variable?.place ?? { line: 1, column: 1 },
          next: `remove ${value} from its \`enum\`, or add the mode`,
        }),
      )
  })
}
