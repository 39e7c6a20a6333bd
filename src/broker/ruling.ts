import type { Action, Contract, Mode } from '../contract/index.ts'
import { holdUnderCeiling, type OverCeiling, type UnderCeiling } from './ceiling.ts'
import type { Allowed } from './decision.ts'
import { grantById, heldGrants } from './held-grants.ts'
import { policyUnavailable } from './policy-answer.ts'
import type { Caller, PolicyAnswer, PolicyEngine, PolicyReason } from './ports/index.ts'
import type { CredentialRequest } from './request.ts'

/** One request of one caller, and what decides it. */
export type Inquiry = {
  readonly contract: Contract
  readonly mode: Mode
  readonly engine: PolicyEngine
  readonly caller: Caller
  /** Attacker-controlled. */
  readonly request: CredentialRequest
  readonly signal: AbortSignal
}

/** A life that policy allows, and the grant that allows it. */
type Life = { readonly seconds: number; readonly grant: string }

export type Refused = {
  readonly kind: 'refused'
  readonly rule: PolicyReason
  readonly action: Action
  /** With `duration`: the longest life that would have been allowed. */
  readonly longest?: Life
}

/** Whether the request is allowed, without the remedy when it is not. */
export async function rule(inquiry: Inquiry): Promise<Allowed | OverCeiling | Refused> {
  const { contract, mode, request } = inquiry
  const held = holdUnderCeiling(inquiry, request)
  if (held.kind === 'over_ceiling') return held
  const usualSeconds = Math.min(contract.defaultDurationSeconds, mode.maxDurationSeconds)
  const seconds = request.durationSeconds ?? usualSeconds
  const answer = await ask(inquiry, seconds)
  if (answer.allow) return allowed(inquiry, held, { seconds, grant: answer.grant })
  const longest = answer.reason === 'duration' ? await longestLife(inquiry, seconds) : undefined
  // Nobody asked for the default, so a shorter life is no cut.
  if (longest && request.durationSeconds === undefined) return allowed(inquiry, held, longest)
  return { kind: 'refused', rule: answer.reason, action: held.action, ...(longest ? { longest } : {}) }
}

function ask({ engine, caller, mode, request, signal }: Inquiry, seconds: number): Promise<PolicyAnswer> {
  const { tenant, agent, plane } = caller
  const { service, action, resource } = request
  const question = { tenant, agent, plane, mode: mode.name, service, action, resource }
  return engine.decide({ ...question, duration_seconds: seconds }, signal)
}

/** Searches the maxima of the caller's own grants; what is allowed for some seconds is allowed for fewer, so by halves. */
async function longestLife(inquiry: Inquiry, belowSeconds: number): Promise<Life | undefined> {
  const { contract, caller, mode, request } = inquiry
  const maxima = heldGrants(contract, caller)
    .filter((grant) => grant.service === request.service && grant.actions.includes(request.action))
    .filter((grant) => grant.planes.includes(caller.plane) && grant.modes.includes(mode.name))
    .map((grant) => grant.maxDurationSeconds)
  const ladder = [...new Set(maxima)].filter((seconds) => seconds < belowSeconds).sort((a, b) => a - b)
  let longest: Life | undefined
  for (let [low, high] = [0, ladder.length]; low < high; ) {
    const middle = Math.floor((low + high) / 2)
    const seconds = ladder[middle] ?? 0
    const answer = await ask(inquiry, seconds)
    if (answer.allow) {
      longest = { seconds, grant: answer.grant }
      low = middle + 1
    } else high = middle
  }
  return longest
}

function allowed({ contract, caller, engine }: Inquiry, held: UnderCeiling, life: Life): Allowed {
  const { service, action, parts } = held
  const grant = grantById(contract, life.grant)
  // Policy that confuses tenants decides nothing.
  if (grant && grant.tenant !== caller.tenant) throw policyUnavailable('it named a grant of another tenant')
  return {
    kind: 'allowed',
    rule: life.grant,
    place: grant?.place ?? action.place,
    service,
    action,
    parts,
    durationSeconds: life.seconds,
    policy: engine.revision,
  }
}
