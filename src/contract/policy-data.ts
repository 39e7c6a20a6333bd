import type { Contract, Grant, Plane } from './contract.ts'

/** One grant as policy sees it, without what the index already says. */
export type GrantData = {
  readonly id: string
  readonly agents: readonly string[]
  readonly planes: readonly Plane[]
  readonly modes: readonly string[]
  /** The patterns of the contract as they stand; one without `*` is compared as it is. */
  readonly resources: readonly string[]
  /** For each pattern with one `*` or `**`: what stands on both sides of it, and whether it covers slashes. */
  readonly spans: readonly Span[]
  /** A regular expression (RE2 and JavaScript alike) for each pattern with more of them. */
  readonly expressions: readonly string[]
  readonly max_duration_seconds: number
}

export type Span = { readonly before: string; readonly after: string; readonly slashes: boolean }

/** What OPA is given as `data`: tenant, service and action lead to the grants, in the order of the contract. */
export type PolicyData = {
  /** The contract's digest. */
  readonly revision: string
  readonly grants: Readonly<
    Record<string, Readonly<Record<string, Readonly<Record<string, readonly GrantData[]>>>>>
  >
}

/** The grants of a contract as data for policy, indexed so that a decision takes no longer with more tenants. */
export function policyData(contract: Contract): PolicyData {
  const index = new Map<string, Map<string, Map<string, GrantData[]>>>()
  for (const grant of contract.grants) {
    const actions = at(at(index, grant.tenant), grant.service)
    for (const action of new Set(grant.actions)) {
      const list = actions.get(action)
      if (list) list.push(grantData(grant))
      else actions.set(action, [grantData(grant)])
    }
  }
  return {
    revision: contract.digest,
    // `Object.fromEntries` defines its keys, so that a tenant named `__proto__` is a tenant and nothing else.
    grants: mapped(index, (services) => mapped(services, (actions) => Object.fromEntries(actions))),
  }
}

function grantData(grant: Grant): GrantData {
  return {
    id: grant.id,
    agents: grant.agents,
    planes: grant.planes,
    modes: grant.modes,
    resources: grant.resources,
    spans: grant.resources.flatMap((pattern) => spanOf(pattern) ?? []),
    expressions: grant.resources
      .filter((pattern) => pattern.includes('*') && !spanOf(pattern))
      .map(patternExpression),
    max_duration_seconds: grant.maxDurationSeconds,
  }
}

function spanOf(pattern: string): Span | undefined {
  const [before = '', star, after = '', ...more] = pattern.split(/(\*\*|\*)/)
  return star === undefined || more.length > 0 ? undefined : { before, after, slashes: star === '**' }
}

/** Not OPA's `glob.match`: that lets `ab**ba` cover `aba`. */
function patternExpression(pattern: string): string {
  const body = pattern.replace(/\*\*|\*|[.+?^${}()|[\]\\]/g, (piece) =>
    piece === '**' ? '.*' : piece === '*' ? '[^/]*' : `\\${piece}`,
  )
  return `^(?s:${body})$`
}

function at<Value>(map: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  const found = map.get(key) ?? new Map<string, Value>()
  map.set(key, found)
  return found
}

function mapped<From, To>(map: ReadonlyMap<string, From>, turn: (value: From) => To): Record<string, To> {
  return Object.fromEntries([...map].map(([key, value]) => [key, turn(value)]))
}
