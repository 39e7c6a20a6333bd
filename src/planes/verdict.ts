import type { FailureCode } from '../primitives/index.ts'
import { type Checked, type CredentialCheck, credentialsIn, identityPrefix } from './credential.ts'
import type { PlaneMap, Route } from './map.ts'

/** A request as the client sent it. All of it is attacker-controlled. */
export type ShownRequest = {
  readonly method: string
  /** Path and query, not decoded. */
  readonly target: string
  /** Names and values in turn, as `rawHeaders` of Node: a repeated header stands twice. */
  readonly rawHeaders: readonly string[]
}

export type Admitted = {
  readonly kind: 'admitted'
  /** The plane of the credential, or `none` for an open gate. */
  readonly plane: string
  readonly subject: string
}

export type Refused = {
  readonly kind: 'refused'
  readonly code: FailureCode
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  /** The plane of the endpoint, where it has one. */
  readonly plane?: string
}

export type Verdict = Admitted | Refused

export interface Gatekeeper {
  /** Whether a request may pass, and as whom. Never rejects: what cannot be told is refused. A promise only where a token is verified. */
  judge(request: ShownRequest): Verdict | Promise<Verdict>
}

/** Seed 003 §3, §4, §10, §11: an endpoint takes its own plane's credential alone; what is unknown is refused. */
export function createGatekeeper(options: {
  readonly map: PlaneMap
  readonly check: CredentialCheck
}): Gatekeeper {
  const { map, check } = options
  return {
    judge({ method, target, rawHeaders }) {
      const route = map.route(method, target)
      if (route.kind !== 'plane') return withoutPlane(route)
      if (route.accepts.size === 0) return refused('not_permitted', route)
      const shown = credentialsIn(rawHeaders, map.headers)
      if ('code' in shown) return refused(shown.code, route)
      // Refused unread: whether it is valid is none of this endpoint's business.
      if (shown.some(({ header }) => !couldProve(header, route, map))) return refused('plane_crossed', route)
      const [credential, ...others] = shown
      if (!credential) return refused('identity_missing', route)
      if (others.length > 0) return refused('identity_ambiguous', route)
      try {
        const checked = check.check(credential)
        if (!(checked instanceof Promise)) return verdictOn(checked, route)
        return checked.then(
          (known) => verdictOn(known, route),
          () => refused('internal', route),
        )
      } catch {
        return refused('internal', route)
      }
    },
  }
}

type PlaneRoute = Route & { readonly kind: 'plane' }

function couldProve(header: string, { accepts }: PlaneRoute, { headers }: PlaneMap): boolean {
  return headers.get(header)?.some((plane) => accepts.has(plane)) ?? false
}

/** One header may carry credentials of two planes, so the plane that was proven counts. */
function verdictOn(checked: Checked, route: PlaneRoute): Verdict {
  if (checked.kind === 'refused') return refused(checked.code, route)
  if (!route.accepts.has(checked.plane)) return refused('plane_crossed', route)
  return { kind: 'admitted', plane: checked.plane, subject: checked.subject }
}

function withoutPlane(route: Exclude<Route, PlaneRoute>): Verdict {
  switch (route.kind) {
    case 'open-gate':
      return { kind: 'admitted', plane: nobody, subject: nobody }
    case 'gated': {
      const { status, body } = route.gate.otherwise
      return { kind: 'refused', code: 'not_found', status, body }
    }
    case 'unknown':
      return refused('not_found')
    case 'unsafe':
      return refused('request_invalid')
  }
}

function refused(code: FailureCode, route?: PlaneRoute): Refused {
  return {
    kind: 'refused',
    code,
    status: statusOfRefusal(code),
    body: { error: code },
    ...(route && { plane: route.plane }),
  }
}

/** Word for word the statuses of the broker's own listeners, for the few codes that there are here; a test compares them. */
export function statusOfRefusal(code: FailureCode): number {
  if (code === 'identity_missing' || code === 'machine_key_invalid' || code.startsWith('token_')) return 401
  return statuses.get(code) ?? 500
}

const statuses: ReadonlyMap<FailureCode, number> = new Map([
  ['identity_ambiguous', 400],
  ['issuer_unavailable', 503],
  ['not_found', 404],
  ['not_permitted', 403],
  ['plane_crossed', 403],
  ['request_invalid', 400],
])

const nobody = 'none'

/** What the back end is told, in place of whatever the client wrote there. Never empty: some proxies pass the client's own on then. */
export function identityHeaders(verdict: Verdict): Readonly<Record<string, string>> {
  const { plane, subject } = verdict.kind === 'admitted' ? verdict : { plane: nobody, subject: nobody }
  return { [`${identityPrefix}plane`]: plane, [`${identityPrefix}subject`]: subject }
}
