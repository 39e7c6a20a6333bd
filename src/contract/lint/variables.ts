import type { Contract } from '../contract.ts'
import type { Environment, Variable } from '../environment.ts'
import type { Found, LintRule, LintWorld } from './finding.ts'

/** Variables against discriminators, prohibitions and owners. */
export const lintVariables: LintRule = (environment, contract) => [
  ...discriminators(environment, contract),
  ...bypasses(environment),
  ...withoutOwner(environment, contract),
]

function discriminators({ variables }: Environment, contract: Contract): readonly Found[] {
  return contract.discriminators.flatMap((name) => {
    const variable = variables.get(name)
    return variable ? [...defaults(variable), ...absences(variable)] : []
  })
}

function defaults({ name, example, place }: Variable): readonly Found[] {
  if (example === undefined) return []
  return [
    {
      code: 'discriminator-default',
      message: `${name} tells modes apart, and its example makes ${example} the mode of whoever copies the example file.`,
      place,
      next: 'remove `example`: there is no default mode',
    },
  ]
}

/** Whoever is to write a placeholder may paste what stands in their own environment. */
export function lintExamples(
  { variables }: Environment,
  secretKindOf: LintWorld['secretKindOf'],
): readonly Found[] {
  return [...variables.values()].flatMap(({ name, example, place }): readonly Found[] => {
    const kind = example === undefined ? undefined : secretKindOf(example)
    if (kind === undefined) return []
    return [
      {
        code: 'example-secret',
        message: `The example of ${name} looks like a secret (${kind}).`,
        place,
        next: 'write a placeholder that is nothing of anybody, and rotate what stood there if it was real',
      },
    ]
  })
}

function absences({ name, required, place }: Variable): readonly Found[] {
  if (required.kind === 'always') return []
  return [
    {
      code: 'discriminator-optional',
      message: `${name} tells modes apart, and may be absent.`,
      place,
      next: 'write `required: always`',
    },
  ]
}

function bypasses({ prohibitions, variables }: Environment): readonly Found[] {
  const found = new Map<string, Found>()
  for (const { id, detectors, place } of prohibitions.values())
    for (const detector of detectors)
      for (const name of detector.kind === 'environment' ? detector.variables : []) {
        const variable = variables.get(name)
        if (!variable || found.has(name)) continue
        const what = detector.kind === 'environment' && detector.when === 'present' ? 'set' : 'true'
        found.set(name, {
          code: 'bypass-registered',
          message: `${name} is registered, and the prohibition ${id} (line ${place.line}) forbids that it is ever ${what}.`,
          place: variable.place,
          next: `have ${variable.owner} remove it from the code, and then from here`,
        })
      }
  return [...found.values()]
}

/** Words that stand where an owner should. */
const nobody = /^(unspecified|unknown|none|nobody|tbd|todo|\?+|-+)$/i

function withoutOwner({ variables }: Environment, { placeOf }: Contract): readonly Found[] {
  const groups = Map.groupBy(
    [...variables.values()].filter(({ owner }) => nobody.test(owner)),
    ({ group }) => group,
  )
  return [...groups].map(([group, members]) => ({
    code: 'owner-unspecified',
    message: `Nobody answers for ${members.map(({ name }) => name).join(', ')} (${group}).`,
    place: members[0]?.place ?? placeOf(['variables']),
    next: 'write who does as `owner`',
  }))
}
