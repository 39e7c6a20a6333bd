import type { Contract, Mode } from '../contract/index.ts'
import { formatDuration } from '../primitives/index.ts'
import { commandLine } from './command-line.ts'
import type { Allowed, Denied } from './decision.ts'
import type { Capabilities } from './ports/index.ts'
import type { CredentialRequest } from './request.ts'

type Question = {
  readonly contract: Contract
  readonly mode: Mode
  readonly request: CredentialRequest
  readonly decision: Allowed
  readonly capabilities: Capabilities
}

/** Denies what the provider cannot make as short or as long as the contract wants; a request is never rounded up in silence. */
export function denyResidual({
  contract,
  mode,
  request,
  decision,
  capabilities,
}: Question): Denied | undefined {
  const asked = decision.durationSeconds
  const residual = Math.max(0, capabilities.providerTtlSecondsMin - asked)
  const deny = (rule: string, reason: string, durationSeconds: number): Denied => ({
    kind: 'denied',
    rule,
    reason,
    file: contract.file,
    place: mode.place,
    nearest: { ...request, durationSeconds },
    next: commandLine('request', { ...request, durationSeconds }),
    policy: decision.policy,
  })
  if (asked > capabilities.ttlSecondsMax) {
    return deny(
      'provider_ceiling',
      `${decision.service.provider} gives at most ${formatDuration(capabilities.ttlSecondsMax)}; ${formatDuration(asked)} was asked.`,
      capabilities.ttlSecondsMax,
    )
  }
  if (mode.maxResidualSeconds !== undefined && residual > mode.maxResidualSeconds) {
    return deny(
      'residual',
      `${decision.service.provider} would keep it for ${formatDuration(residual)} after its end; ${mode.name} allows ${formatDuration(mode.maxResidualSeconds)}.`,
      capabilities.providerTtlSecondsMin - mode.maxResidualSeconds,
    )
  }
  return undefined
}
