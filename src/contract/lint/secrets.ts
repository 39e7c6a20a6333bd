import type { Contract } from '../contract.ts'
import type { Environment, SecretPath, Variable } from '../environment.ts'
import { isSecretName } from '../rules/providers.ts'
import { unspecifiedPath } from '../rules/variables.ts'
import type { Found, LintRule } from './finding.ts'

/** Variables against the places where secrets live. */
export const lintSecrets: LintRule = (environment, contract) => [
  ...[...environment.variables.values()].flatMap((variable) => [
    ...secrecy(variable),
    ...sources(variable),
    ...owners(variable, environment),
  ]),
  ...[...environment.secretPaths.values()].flatMap((path) => keys(path, environment)),
  ...rotations(environment, contract),
]

function secrecy(variable: Variable): readonly Found[] {
  const { name, place, secretPaths, sensitive, owner } = variable
  const located = secretPaths.some((path) => path !== unspecifiedPath)
  if (!sensitive && looksSecret(variable))
    return [
      {
        code: 'secret-unmarked',
        message: `${name} looks like a secret, and is not marked.`,
        place,
        next: 'write `sensitive: true`, or give it a type that no secret has',
      },
    ]
  if (sensitive && !located && !variable.internal)
    return [
      {
        code: 'secret-without-path',
        message: `${name} is sensitive, and no secret path is known.`,
        place,
        next: `have ${owner} name the path where it lives, as \`secretRef\``,
      },
    ]
  if (!sensitive && located)
    return [
      {
        code: 'stored-unmarked',
        message: `${name} lives at ${secretPaths[0]}, and is not marked as sensitive.`,
        place,
        next: 'write `sensitive: true` if no output may show it',
      },
    ]
  return []
}

const stores = /^(postgres(ql)?|mysql|mariadb|mongodb|redis|rediss|amqps?)(\+[a-z0-9]+)?$/

function looksSecret({ name, type, constraints }: Variable): boolean {
  if (type === 'uri') return constraints.schemes?.some((scheme) => stores.test(scheme)) ?? false
  return type === 'string' && constraints.enum === undefined && isSecretName(name)
}

function sources({ name, place, secretPaths }: Variable): readonly Found[] {
  if (secretPaths.length < 2) return []
  return [
    {
      code: 'sources-differ',
      message: `${name} has ${secretPaths.length} sources, ${secretPaths.join(' and ')}; the first wins.`,
      place,
      next: 'remove the others from `secretRef` once nothing reads them',
    },
  ]
}

function owners({ name, owner, place, secretPaths }: Variable, environment: Environment): readonly Found[] {
  return secretPaths.flatMap((written): readonly Found[] => {
    const path = environment.secretPaths.get(written)
    if (!path || path.owners.includes(owner)) return []
    return [
      {
        code: 'owners-differ',
        message: `${name} belongs to ${owner}, and its path ${written} (line ${path.place.line}) to ${path.owners.join(' and ')}.`,
        place,
        next: 'have the two agree on one, and write it in both places',
      },
    ]
  })
}

function keys({ path, keys, owners, place }: SecretPath, { variables }: Environment): readonly Found[] {
  return keys.flatMap((key): readonly Found[] => {
    const variable = variables.get(key)
    if (variable?.secretPaths.includes(path)) return []
    return [
      variable
        ? {
            code: 'path-unclaimed',
            message: `The path ${path} holds ${key}, which does not name it (line ${variable.place.line}).`,
            place,
            next: `add ${path} to the \`secretRef\` of ${key}, or remove the key`,
          }
        : {
            code: 'name-undeclared',
            message: `The path ${path} holds ${key}, which is no variable of the registry.`,
            place,
            next: `add ${key} under \`variables\`, with the owner ${owners.join(' or ')}`,
          },
    ]
  })
}

const namesShownMax = 5

function rotations(environment: Environment, { modes, placeOf }: Contract): readonly Found[] {
  if (![...modes.values()].some((mode) => mode.class === 'production')) return []
  const rotated = new Set([...environment.rotations.values()].flatMap(({ secrets }) => secrets))
  const open = [...environment.variables.values()]
    .filter((one) => one.sensitive && ![one.name, ...one.secretPaths].some((name) => rotated.has(name)))
    .map(({ name }) => name)
  const references =
    environment.references && environment.rotations.size === 0 ? ['credential references'] : []
  const unrotated = [...open, ...references]
  if (unrotated.length === 0) return []
  const rest = unrotated.length - namesShownMax
  const shown = `${unrotated.slice(0, namesShownMax).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
  return [
    {
      code: 'rotation-undocumented',
      message: `No rotation window is documented for ${shown}.`,
      place: placeOf(environment.rotations.size > 0 ? ['rotations'] : ['metadata']),
      next: 'add them under `rotations`, with the window and who rotates them',
    },
  ]
}
