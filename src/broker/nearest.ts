import type { Grant } from '../contract/index.ts'
import type { OverCeiling } from './ceiling.ts'
import { heldGrants } from './held-grants.ts'
import type { CredentialRequest } from './request.ts'
import { type Inquiry, type Refused, rule } from './ruling.ts'

/** How many other requests are tried before a denial goes out without a nearest one. */
export const nearestTriesMax = 8

/**
 * The closest request that really would be allowed: each candidate is decided like any other. Candidates are the same thing for
 * less time, the same action on another resource, then another action of the service; never another service.
 */
export async function findNearest(
  inquiry: Inquiry,
  refusal: OverCeiling | Refused,
): Promise<CredentialRequest | undefined> {
  for (const request of candidates(inquiry, refusal).slice(0, nearestTriesMax)) {
    const ruling = await rule({ ...inquiry, request })
    if (ruling.kind === 'allowed') return request
    if (ruling.kind === 'refused' && ruling.longest)
      return { ...request, durationSeconds: ruling.longest.seconds }
  }
  return undefined
}

function candidates(inquiry: Inquiry, refusal: OverCeiling | Refused): readonly CredentialRequest[] {
  const { contract, caller, mode, request } = inquiry
  const { service, action, resource } = request
  const life = shorter(inquiry)
  const isTooLong = refusal.rule === 'duration' || refusal.rule === 'mode_ceiling'
  const sameForLess = isTooLong ? [{ service, action, resource, ...life }] : []
  const others = heldGrants(contract, caller)
    .filter((grant) => grant.service === service)
    .filter((grant) => grant.planes.includes(caller.plane) && grant.modes.includes(mode.name))
    .flatMap((grant) => concreteRequests(grant, request))
    .sort((left, right) => closeness(right, request) - closeness(left, request))
  return [...sameForLess, ...others.map((other) => ({ ...other, ...life }))]
}

/** The duration that was asked, within the ceiling of the mode; none when it was no duration at all. */
function shorter({ mode, request }: Inquiry): Pick<CredentialRequest, 'durationSeconds'> {
  const seconds = request.durationSeconds
  if (seconds === undefined || !Number.isInteger(seconds) || seconds < 1) return {}
  return { durationSeconds: Math.min(seconds, mode.maxDurationSeconds) }
}

/** What a grant could allow, as far as it can be named: its resources without a wildcard, and the one that was asked. */
function concreteRequests(
  grant: Grant,
  { service, action, resource }: CredentialRequest,
): CredentialRequest[] {
  const named = grant.resources.filter((pattern) => !pattern.includes('*'))
  return grant.actions.flatMap((other) =>
    [...named, ...(other === action ? [] : [resource])].map((one) => ({
      service,
      action: other,
      resource: one,
    })),
  )
}

/** Larger is closer: the same action above all, then the same resource, then as many equal characters at the start. */
function closeness(candidate: CredentialRequest, asked: CredentialRequest): number {
  const sameAction = candidate.action === asked.action ? 1e6 : 0
  const sameResource = candidate.resource === asked.resource ? 1e5 : 0
  let equal = 0
  while (equal < asked.resource.length && candidate.resource[equal] === asked.resource[equal]) equal += 1
  return sameAction + sameResource + equal
}
