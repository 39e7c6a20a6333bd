import type { Action, Contract, Grant } from '../contract.ts'
import { patternCovers } from '../resource.ts'
import type { Found } from './finding.ts'
import { canProduce, coversAll, patternContains } from './glob.ts'

/**
 * Grants that nobody can use, that say what another says, or that leave nothing out; and references that no grant lets anyone use. That
 * a grant names only what is declared, and stays below the ceilings of its modes, is a rule of the format and no finding.
 */
export function lintGrants(contract: Contract): readonly Found[] {
  return [
    ...contract.grants.flatMap((grant, at) => [
      ...unusable(contract, grant),
      ...resources(contract, grant, at),
      ...everyAgent(contract, grant, at),
      ...inside(contract, grant, at),
    ]),
    ...wideMeanings(contract),
    ...references(contract),
  ]
}

function unusable({ identities }: Contract, grant: Grant): readonly Found[] {
  const { id, tenant, agents, planes, place } = grant
  // Agents by name are declared, and of this tenant and plane, or the contract is not valid.
  if (!agents.includes('*')) return []
  const isSomeone = [...identities.values()].some(
    (identity) => identity.tenant === tenant && planes.includes(identity.plane),
  )
  if (isSomeone) return []
  return [
    {
      code: 'grant-unusable',
      message: `No identity can use the grant ${id}: ${tenant} has none on the ${planes.join(' or ')} plane.`,
      place,
      next: `add an identity of ${tenant} under \`identities\`, or remove the grant`,
    },
  ]
}

function resources(contract: Contract, grant: Grant, at: number): readonly Found[] {
  const actions = actionsOf(contract, grant)
  const found = grant.resources.flatMap((pattern, index): readonly Found[] => {
    const place = contract.placeOf(['grants', at, 'resources', index])
    const fitting = actions.filter(({ resource }) => canProduce(resource, pattern))
    if (fitting.length === 0)
      return [
        {
          code: 'grant-resource-impossible',
          message: `No resource of ${names(actions)} can ever be of ${pattern}.`,
          place,
          next: `write it as the resource is written: ${actions.map(({ resource }) => resource).join(' or ')}`,
        },
      ]
    const all = fitting.filter(({ resource }) => coversAll(resource, pattern))
    const grave = graveModes(contract, grant)
    if (all.length === 0 || grave.length === 0) return []
    return [
      {
        code: 'grant-wide',
        message: `${pattern} leaves out no resource of ${names(all)}, also in ${grave.join(', ')}.`,
        place,
        next: 'name the resources, or a prefix of them',
      },
    ]
  })
  const idle = actions.filter(({ resource }) => !grant.resources.some((one) => canProduce(resource, one)))
  // Where nothing fits at all, that is already told at the resources.
  if (idle.length === 0 || idle.length === actions.length) return found
  return [
    ...found,
    {
      code: 'grant-action-idle',
      message: `No resource of the grant ${grant.id} is one of ${names(idle)}, so it is never allowed.`,
      place: contract.placeOf(['grants', at, 'actions', grant.actions.indexOf(idle[0]?.name ?? '')]),
      next: 'add a resource of that action, or remove the action',
    },
  ]
}

function actionsOf({ services }: Contract, { service, actions }: Grant): readonly Action[] {
  return actions.flatMap((name) => services.get(service)?.actions.get(name) ?? [])
}

function names(actions: readonly Action[]): string {
  return actions.map(({ name }) => name).join(' and ')
}

function graveModes({ modes }: Contract, grant: Grant): readonly string[] {
  return grant.modes.filter((name) => /^(staging|production)$/.test(modes.get(name)?.class ?? ''))
}

function everyAgent(contract: Contract, grant: Grant, at: number): readonly Found[] {
  const grave = graveModes(contract, grant)
  if (!grant.agents.includes('*') || grave.length === 0) return []
  return [
    {
      code: 'grant-every-agent',
      message: `The grant ${grant.id} is for every agent of ${grant.tenant}, those to come as well, also in ${grave.join(', ')}.`,
      place: contract.placeOf(['grants', at, 'agents', grant.agents.indexOf('*')]),
      next: 'name the agents, unless every one of them is meant',
    },
  ]
}

/** A grant that says nothing that another does not say; of two alike it is the second. */
function inside(contract: Contract, grant: Grant, at: number): readonly Found[] {
  const outer = contract.grants.find(
    (other, index) => index !== at && contains(other, grant) && (index < at || !contains(grant, other)),
  )
  if (!outer) return []
  return [
    {
      code: 'grant-inside',
      message: `The grant ${grant.id} allows nothing that ${outer.id} (line ${outer.place.line}) does not allow.`,
      place: grant.place,
      next: `remove it, or make ${outer.id} narrower`,
    },
  ]
}

function contains(outer: Grant, inner: Grant): boolean {
  const holds = (wide: readonly string[], narrow: readonly string[]) =>
    narrow.every((one) => wide.includes(one))
  return (
    outer.tenant === inner.tenant &&
    outer.service === inner.service &&
    outer.maxDurationSeconds >= inner.maxDurationSeconds &&
    (outer.agents.includes('*') || holds(outer.agents, inner.agents)) &&
    holds(outer.actions, inner.actions) &&
    holds(outer.modes, inner.modes) &&
    holds(outer.planes, inner.planes) &&
    inner.resources.every((one) => outer.resources.some((pattern) => patternContains(pattern, one)))
  )
}

function wideMeanings({ services, placeOf }: Contract): readonly Found[] {
  return [...services.values()].flatMap(({ name: service, actions }) =>
    [...actions.values()].flatMap(({ name, means }) =>
      wideWords(means, ['services', service, 'actions', name, 'means']).map(
        ({ path, text }): Found => ({
          code: 'action-wide',
          message: `The action ${name} of ${service} means ${text}, which is everything of its kind.`,
          place: placeOf(path),
          next: 'name what this one action needs',
        }),
      ),
    ),
  )
}

type Path = readonly (string | number)[]

/** `*`, `s3:*` and PostgreSQL's `ALL`. */
function wideWords(value: unknown, path: Path): readonly { readonly path: Path; readonly text: string }[] {
  if (typeof value === 'string')
    return /^(?:[a-z][a-z0-9-]*:)?\*$|^all( privileges)?$/i.test(value.trim()) ? [{ path, text: value }] : []
  if (Array.isArray(value)) return value.flatMap((item, at) => wideWords(item, [...path, at]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => wideWords(item, [...path, key]))
}

function references({ environment, grants, placeOf }: Contract): readonly Found[] {
  return [...(environment?.references?.resolves ?? [])].flatMap(([reference, target]): readonly Found[] => {
    const { service, action, resource } = target
    const isGranted = grants.some(
      (grant) =>
        grant.service === service &&
        grant.actions.includes(action) &&
        grant.resources.some((pattern) => patternCovers(pattern, resource)),
    )
    if (isGranted) return []
    return [
      {
        code: 'reference-ungranted',
        message: `${reference} stands for ${service} ${action} ${resource}, which no grant allows anyone.`,
        place: placeOf(['references', 'resolves', reference]),
        next: 'add a grant for it, or remove the reference',
      },
    ]
  })
}
