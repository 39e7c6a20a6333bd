import {
  type Action,
  type Contract,
  isPlainResource,
  type Mode,
  matchResource,
  type Place,
  type ResourceParts,
  type Service,
} from '../contract/index.ts'
import { formatDuration } from '../primitives/index.ts'
import { shellWord } from './command-line.ts'
import type { CredentialRequest } from './request.ts'

/** What the contract itself says no to, before any policy is asked. */
export type CeilingRule =
  | 'wildcard'
  | 'service_unknown'
  | 'action_unknown'
  | 'resource_malformed'
  | 'duration'
  | 'mode_ceiling'

export type OverCeiling = {
  readonly kind: 'over_ceiling'
  readonly rule: CeilingRule
  readonly reason: string
  readonly place: Place
}

/** A request in the words of the contract. */
export type UnderCeiling = {
  readonly kind: 'under_ceiling'
  readonly service: Service
  readonly action: Action
  readonly parts: ResourceParts
}

/** Holds a request, all of it attacker-controlled, against the catalogue and the ceiling of the mode. */
export function holdUnderCeiling(
  { contract, mode }: { readonly contract: Contract; readonly mode: Mode },
  request: CredentialRequest,
): UnderCeiling | OverCeiling {
  const service = contract.services.get(request.service)
  const action = service?.actions.get(request.action)
  const place = action?.place ?? service?.place ?? contract.placeOf(['services'])

  const many = [request.service, request.action, request.resource].find((word) => /[*?[\]{}]/.test(word))
  if (many !== undefined)
    return over('wildcard', place, `${shellWord(many)} asks for more than one thing, which is never issued.`)
  if (!service)
    return over('service_unknown', place, `The contract has no service ${shellWord(request.service)}.`)
  if (!action) {
    const [serviceWord, actionWord] = [shellWord(request.service), shellWord(request.action)]
    return over('action_unknown', place, `The service ${serviceWord} has no action ${actionWord}.`)
  }

  const parts = isPlainResource(request.resource)
    ? matchResource(action.resource, request.resource)
    : undefined
  if (!parts) {
    const [serviceWord, actionWord, resource] = [request.service, request.action, request.resource].map(
      shellWord,
    )
    return over(
      'resource_malformed',
      place,
      `${resource} is not a resource of ${serviceWord} ${actionWord}, which is written ${action.resource}.`,
    )
  }
  return overDuration(mode, request.durationSeconds) ?? { kind: 'under_ceiling', service, action, parts }
}

function overDuration(mode: Mode, seconds: number | undefined): OverCeiling | undefined {
  if (seconds === undefined) return undefined
  if (!Number.isInteger(seconds) || seconds < 1)
    return over('duration', mode.place, 'A duration is a whole number of seconds, one at least.')
  if (seconds <= mode.maxDurationSeconds) return undefined
  const [asked, most] = [formatDuration(seconds), formatDuration(mode.maxDurationSeconds)]
  return over(
    'mode_ceiling',
    mode.place,
    `${asked} is longer than the ${most} that mode ${mode.name} allows.`,
  )
}

function over(rule: CeilingRule, place: Place, reason: string): OverCeiling {
  return { kind: 'over_ceiling', rule, place, reason }
}
