import type { Contract, Gate, Permission, PlaneRules } from '../contract/index.ts'
import { requireEnvironment } from '../contract/index.ts'
import { readPath } from './path.ts'
import { compileSpellings } from './spelling.ts'

/** Where a request is to go. */
export type Route =
  /** To an endpoint of this plane, which takes credentials of these planes and no other. */
  | { readonly kind: 'plane'; readonly plane: string; readonly accepts: ReadonlySet<string> }
  /** To a gated feature that is there in this mode and belongs to no plane. */
  | { readonly kind: 'open-gate'; readonly gate: string }
  /** To a gated feature that this mode lacks. */
  | { readonly kind: 'gated'; readonly gate: Gate }
  | { readonly kind: 'unknown' }
  /** More than one reading is possible, of the path or of its plane. */
  | { readonly kind: 'unsafe' }

/** The planes of a contract in one mode. */
export type PlaneMap = {
  readonly mode: string
  /** The planes with a credential in a header that have an endpoint here, or stand in for one that has; by name. */
  readonly open: ReadonlyMap<string, PlaneRules>
  /** Lower-case header to the planes whose credentials it carries, open or not. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** `method` and `target` as the client sent them: both are attacker-controlled. */
  route(method: string, target: string): Route
}

/** `variables` are those of the process: a plane with `enabledBy` is there only where that one is exactly `true`. Throws `contract_invalid`. */
export function createPlaneMap(options: {
  readonly contract: Contract
  readonly mode: string
  readonly variables: Readonly<Record<string, string | undefined>>
}): PlaneMap {
  const environment = requireEnvironment(options.contract)
  const auth = environment.modeRules.get(options.mode)?.auth ?? new Map<string, Permission>()
  const planes = [...environment.planes.values()].filter(({ scheme }) => scheme.type !== 'connectionString')
  const open = planes.filter((plane) => isOpen(plane, auth.get(plane.name), options.variables))
  const endpoints = planes.flatMap((plane) =>
    plane.endpoints.map((glob) => ({ ...compileGlob(glob), route: routeTo(plane.name, open, auth) })),
  )
  const isOfPlane = compileSpellings(planes.flatMap((plane) => plane.endpoints))
  const gates = [...environment.gates.values()]
  const closedGates = gates.filter(({ modes }) => !modes.includes(options.mode)).map(closeGate)
  const isClosed = compileSpellings(closedGates.flatMap(({ globs }) => globs))
  const openGates = gates
    .filter(({ modes }) => modes.includes(options.mode))
    .flatMap(({ id, endpoints }) => [...endpoints.keys()].map((glob) => ({ ...compileGlob(glob), id })))
  return {
    mode: options.mode,
    open: new Map(open.map((plane) => [plane.name, plane])),
    headers: headersOf(planes),
    route(method, target) {
      const path = readPath(target)
      if (path === undefined || !methods.has(method)) return { kind: 'unsafe' }
      const closed = isClosed(path) && closedGates.find(({ has }) => has(path))
      if (closed) return { kind: 'gated', gate: closed.gate }
      const parts = path.split('/')
      const found = endpoints.filter((glob) => matches(glob, parts))
      const [first] = found
      if (first)
        return found.every(({ route }) => route.plane === first.route.plane)
          ? first.route
          : { kind: 'unsafe' }
      const gate = openGates.find((glob) => matches(glob, parts))
      if (!gate) return { kind: 'unknown' }
      // An open gate asks for no credential, so another spelling of an endpoint that does must not pass by it.
      return isOfPlane(path) ? { kind: 'unsafe' } : { kind: 'open-gate', gate: gate.id }
    },
  }
}

/** `CONNECT` and `TRACE` are for proxies, and no endpoint has them. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** A mode that says nothing of a plane forbids it. */
function isOpen(
  { enabledBy }: PlaneRules,
  permission: Permission | undefined,
  variables: Readonly<Record<string, string | undefined>>,
): boolean {
  const enabled = enabledBy !== undefined && variables[enabledBy] === 'true'
  switch (permission) {
    case undefined:
    case 'forbidden':
      return false
    case 'opt-in':
      return enabled
    case 'allowed':
    case 'optional':
    case 'required':
      return enabledBy === undefined || enabled
  }
}

/** Where a plane's own credential is `required`, nothing stands in for it. */
function routeTo(
  plane: string,
  open: readonly PlaneRules[],
  auth: ReadonlyMap<string, Permission>,
): Route & { readonly kind: 'plane' } {
  const takesOthers = auth.get(plane) !== 'required'
  const accepts = open.filter(
    ({ name, standsInFor }) => name === plane || (takesOthers && standsInFor.includes(plane)),
  )
  return { kind: 'plane', plane, accepts: new Set(accepts.map(({ name }) => name)) }
}

function closeGate(gate: Gate) {
  const globs = [...gate.endpoints.keys()]
  return { gate, globs, has: compileSpellings(globs) }
}

function headersOf(planes: readonly PlaneRules[]): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, readonly string[]>()
  for (const plane of planes) {
    const header = headerOf(plane)
    if (header !== undefined) headers.set(header, [...(headers.get(header) ?? []), plane.name])
  }
  return headers
}

/** The header, in lower case, that carries a plane's credential; `undefined` for a plane that is not reached by HTTP. */
export function headerOf({ scheme }: PlaneRules): string | undefined {
  switch (scheme.type) {
    case 'http':
      return 'authorization'
    case 'apiKey':
      return scheme.name.toLowerCase()
    case 'connectionString':
      return undefined
  }
}

type Glob = { readonly parts: readonly string[]; readonly isOpen: boolean }

function compileGlob(glob: string): Glob {
  const parts = glob.split('/')
  return { parts, isOpen: parts.at(-1) === '*' }
}

/** `endpointMatches` of the contract, with the glob taken apart once; a property test holds the two together. */
function matches({ parts, isOpen }: Glob, given: readonly string[]): boolean {
  if (isOpen ? given.length < parts.length : given.length !== parts.length) return false
  return parts.every((part, at) => (part === '*' ? given[at] !== '' : part === given[at]))
}
