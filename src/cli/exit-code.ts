import type { FailureCode } from '../primitives/index.ts'

/** What a script can tell from the exit code. `sallyport help exit-codes` prints this table. */
export const exitCodes = {
  ok: [0, 'it worked'],
  failed: [1, 'it failed'],
  usage: [2, 'the words of the command are off'],
  denied: [3, 'denied by the contract or policy'],
  unidentified: [4, 'the broker did not accept who calls'],
  contract: [6, 'the contract is not valid'],
  upstream: [7, 'something that is needed is down; failed closed'],
  over: [8, 'the lease is over or unknown'],
  tampered: [10, 'audit verify: the log was tampered with'],
  truncated: [11, 'audit verify: the log was truncated'],
  unverifiable: [12, 'audit verify: it cannot be told'],
  environment: [78, 'the environment matches no mode of the contract'],
} as const satisfies Readonly<Record<string, readonly [number, string]>>

export type ExitName = keyof typeof exitCodes

/** The exit code for a failure, by its code. */
export function exitCodeOf(code: FailureCode): number {
  return exitCodes[exitNameOf(code)][0]
}

function exitNameOf(code: FailureCode): ExitName {
  if (code === 'denied' || code === 'not_permitted') return 'denied'
  if (code === 'mode_unmatched') return 'environment'
  if (code === 'contract_invalid' || code === 'contract_unreadable') return 'contract'
  if (code === 'option_invalid') return 'usage'
  if (code === 'lease_unknown' || code === 'lease_revoked' || code === 'idempotency_replayed') return 'over'
  if (/^(token|certificate|identity|machine_key|plane|tenant)_/.test(code)) return 'unidentified'
  if (
    /^(provider|policy|credential|log|issuer)_/.test(code) ||
    code === 'overloaded' ||
    code === 'shutting_down'
  ) {
    return 'upstream'
  }
  return 'failed'
}
