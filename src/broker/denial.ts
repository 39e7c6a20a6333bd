import type { Grant, Place } from '../contract/index.ts'
import { formatDuration } from '../primitives/index.ts'
import type { OverCeiling } from './ceiling.ts'
import { commandLine, printable, shellWord } from './command-line.ts'
import type { Denied } from './decision.ts'
import { grantById, grantsPlace, heldGrants } from './held-grants.ts'
import { findNearest } from './nearest.ts'
import type { Inquiry, Refused } from './ruling.ts'

/** How many patterns a sentence names. */
const patternsNamedMax = 3

/** Turns a refusal into a denial that can be acted on. It speaks of grants that this agent itself holds, and of no other. */
export async function deny(inquiry: Inquiry, refusal: OverCeiling | Refused): Promise<Denied> {
  const { contract, engine, request } = inquiry
  const { reason, place } = refusal.kind === 'over_ceiling' ? refusal : explain(inquiry, refusal)
  const nearest = await findNearest(inquiry, refusal)
  return {
    kind: 'denied',
    rule: refusal.rule,
    reason,
    file: contract.file,
    place,
    ...(nearest ? { nearest } : {}),
    next: nearest ? commandLine('request', nearest) : commandLine('explain', request),
    policy: refusal.kind === 'over_ceiling' ? 'contract' : engine.revision,
  }
}

type Explanation = { readonly reason: string; readonly place: Place }

function explain(inquiry: Inquiry, { rule, action, longest }: Refused): Explanation {
  const { contract, mode, caller, engine, request } = inquiry
  const held = heldGrants(contract, caller).filter(
    (grant) => grant.service === request.service && grant.actions.includes(request.action),
  )
  const onPlane = held.filter((grant) => grant.planes.includes(caller.plane))
  const inMode = onPlane.filter((grant) => grant.modes.includes(mode.name))
  const [who, what] = [`${caller.agent} of ${caller.tenant}`, `${request.service} ${request.action}`]
  const near = (grant: Grant | undefined) => grant?.place ?? grantsPlace(contract)
  switch (rule) {
    case 'no_grant':
      return { reason: `No grant gives ${what} to ${who}.`, place: grantsPlace(contract) }
    case 'plane':
      return {
        reason: `No grant gives ${what} to ${who} on the ${caller.plane} plane.`,
        place: near(held[0]),
      }
    case 'mode':
      return { reason: `No grant gives ${what} to ${who} in mode ${mode.name}.`, place: near(onPlane[0]) }
    case 'resource': {
      const patterns = named(inMode.flatMap((grant) => grant.resources))
      const reason = `${who} has ${what} on ${patterns}, not on ${shellWord(request.resource)}.`
      return { reason, place: near(inMode[0]) }
    }
    case 'duration': {
      const most = longest
        ? `the ${formatDuration(longest.seconds)} of grant ${longest.grant}`
        : 'any grant allows'
      const asked = formatDuration(request.durationSeconds ?? contract.defaultDurationSeconds)
      const grant = longest ? grantById(contract, longest.grant) : inMode[0]
      return { reason: `${asked} is longer than ${most}.`, place: near(grant) }
    }
    case 'wildcard':
    case 'custom':
      return { reason: `The policy ${engine.revision} refused ${what} to ${who}.`, place: action.place }
  }
}

function named(patterns: readonly string[]): string {
  const distinct = [...new Set(patterns)]
  const more = distinct.length - patternsNamedMax
  const shown = distinct.slice(0, patternsNamedMax).map(printable).join(', ') || 'nothing'
  return more > 0 ? `${shown} and ${more} more` : shown
}
