import { formatDuration } from '../primitives/index.ts'
import { commandLine } from './command-line.ts'
import type { Allowed, Denied } from './decision.ts'
import type { Capabilities } from './ports/index.ts'
import { type Inquiry, rule } from './ruling.ts'

/**
 * Denies what the provider cannot make as short or as long as the contract wants; a request is never rounded up in silence. The
 * duration that the provider could do is named only when policy would allow it.
 */
export async function denyResidual(
  inquiry: Inquiry,
  decision: Allowed,
  capabilities: Capabilities,
): Promise<Denied | undefined> {
  const { contract, mode, request } = inquiry
  const misfit = misfitOf(inquiry, decision, capabilities)
  if (!misfit) return undefined
  const candidate = { ...request, durationSeconds: misfit.durationSeconds }
  const nearest = (await rule({ ...inquiry, request: candidate })).kind === 'allowed' ? candidate : undefined
  return {
    kind: 'denied',
    rule: misfit.rule,
    reason: misfit.reason,
    file: contract.file,
    place: mode.place,
    ...(nearest ? { nearest } : {}),
    next: nearest ? commandLine('request', nearest) : commandLine('explain', request),
    policy: decision.policy,
  }
}

type Misfit = { readonly rule: string; readonly reason: string; readonly durationSeconds: number }

function misfitOf(
  { mode }: Inquiry,
  { durationSeconds: asked, service }: Allowed,
  { providerTtlSecondsMin, ttlSecondsMax }: Capabilities,
): Misfit | undefined {
  if (asked > ttlSecondsMax) {
    const reason = `${service.provider} gives at most ${formatDuration(ttlSecondsMax)}; ${formatDuration(asked)} was asked.`
    return { rule: 'provider_ceiling', reason, durationSeconds: ttlSecondsMax }
  }
  const residual = Math.max(0, providerTtlSecondsMin - asked)
  const bound = mode.maxResidualSeconds ?? Number.POSITIVE_INFINITY
  if (residual <= bound) return undefined
  const reason = `${service.provider} would keep it for ${formatDuration(residual)} after its end; ${mode.name} allows ${formatDuration(bound)}.`
  return { rule: 'residual', reason, durationSeconds: providerTtlSecondsMin - bound }
}
