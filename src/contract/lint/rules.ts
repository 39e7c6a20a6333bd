import type { Contract } from '../contract.ts'
import type { Environment } from '../environment.ts'
import type { Found, LintRule } from './finding.ts'

/** Gates, prohibitions, database roles and references. */
export const lintRules: LintRule = (environment, contract) => [
  ...gates(environment, contract),
  ...prohibitions(environment),
  ...roles(environment),
  ...references(environment, contract),
]

function gates({ gates }: Environment, { modes }: Contract): readonly Found[] {
  return [...gates.values()].flatMap(({ id, place, reference, modes: open }): readonly Found[] => [
    ...(reference === undefined
      ? [
          {
            code: 'gate-undocumented' as const,
            message: `The gate ${id} does not say where it is implemented or written down.`,
            place,
            next: 'add `reference`, the path of that file',
          },
        ]
      : []),
    ...(open.length === modes.size
      ? [
          {
            code: 'gate-everywhere' as const,
            message: `The gate ${id} is open in every mode.`,
            place,
            next: 'remove a mode, or the gate',
          },
        ]
      : []),
  ])
}

function prohibitions({ prohibitions }: Environment): readonly Found[] {
  return [...prohibitions.values()]
    .filter(({ detectors }) => detectors.length === 0)
    .map(({ id, place }) => ({
      code: 'prohibition-undetected',
      message: `Nothing detects ${id}.`,
      place,
      next: 'add `detect`',
    }))
}

function roles({ migrations, variables }: Environment): readonly Found[] {
  if (!migrations) return []
  const { roles, roleVariable } = migrations
  const variable = variables.get(roleVariable)
  const values = variable?.constraints.enum
  if (!variable || !values) return []
  const differing = [...new Set([...values, ...roles.keys()])].filter(
    (name) => !values.includes(name) || !roles.has(name),
  )
  const found: Found[] = differing.map((name) => ({
    code: 'role-unknown',
    message: roles.has(name)
      ? `${name} is a database role, but ${roleVariable} cannot be it.`
      : `${roleVariable} may be ${name}, which is no database role.`,
    place: variable.place,
    next: 'make its `enum` the names of `migrations.roles`',
  }))
  return [...found, ...confirmations({ roles, variables })]
}

function confirmations({
  roles,
  variables,
}: {
  roles: NonNullable<Environment['migrations']>['roles']
  variables: Environment['variables']
}): readonly Found[] {
  return [...roles.values()].flatMap(({ name, confirm, place }): readonly Found[] => {
    const variable = variables.get(confirm?.variable ?? '')
    if (!confirm || !variable) return []
    const boolean = variable.type === 'boolean' && confirm.value !== 'true' && confirm.value !== 'false'
    const listed = variable.constraints.enum?.includes(confirm.value) ?? true
    if (!boolean && listed) return []
    return [
      {
        code: 'confirmation-impossible',
        message: `The role ${name} is confirmed by ${confirm.variable}=${confirm.value}, which it can never be.`,
        place,
        next: `write a value that ${confirm.variable} (line ${variable.place.line}) may have`,
      },
    ]
  })
}

function references({ references, requestAdapters }: Environment, { modes }: Contract): readonly Found[] {
  if (!references)
    return [...requestAdapters.values()].map(({ name, place }) => ({
      code: 'adapter-without-reference',
      message: `The adapter ${name} takes requests, and nothing says what a credential reference is.`,
      place,
      next: 'add `references`',
    }))
  const { pattern, place, requiredModes } = references
  const grave = [...modes.values()].filter(
    (mode) => (mode.class === 'staging' || mode.class === 'production') && !requiredModes.includes(mode.name),
  )
  return [
    ...(pattern.startsWith('^') && pattern.endsWith('$')
      ? []
      : [
          {
            code: 'reference-pattern-open' as const,
            message:
              'The pattern of references is not bound to the whole text, so more than a reference could stand there.',
            place,
            next: `write \`^${pattern.replace(/^\^|\$$/g, '')}$\``,
          },
        ]),
    ...grave.map(
      ({ name }): Found => ({
        code: 'reference-not-required',
        message: `Requests in ${name} need no credential reference.`,
        place,
        next: `add ${name} to \`requiredModes\``,
      }),
    ),
  ]
}
