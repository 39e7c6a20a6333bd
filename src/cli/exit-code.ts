/** What a script can tell from the exit code; `sallyport --help` prints this table. `run` gives the code of its command instead. */
export const exitCodes = {
  ok: [0, 'it worked'],
  failed: [1, 'it failed'],
  usage: [2, 'the words of the command are off'],
  denied: [3, 'denied by the contract or policy'],
  unidentified: [4, 'the broker did not accept who calls'],
  contract: [6, 'the contract is not valid'],
  upstream: [7, 'something that is needed is down; failed closed'],
  over: [8, 'the lease is over or unknown'],
  tampered: [10, 'audit: the log was tampered with'],
  truncated: [11, 'audit: the log was truncated'],
  unverifiable: [12, 'it cannot be told: a log, or what a probe was answered'],
  busy: [75, 'migrate: another migration holds the database'],
  environment: [78, 'the environment is not as the contract says'],
  notExecutable: [126, 'run: the command cannot be executed'],
  notFound: [127, 'run: there is no such command'],
} as const satisfies Readonly<Record<string, readonly [number, string]>>

export type ExitName = keyof typeof exitCodes

/** The exit code for a failure, by its code: one of `docs/errors.md`, or of the client's own. */
export function exitCodeOf(code: string): number {
  return exitCodes[exitNameOf(code)][0]
}

function exitNameOf(code: string): ExitName {
  if (code === 'denied' || code === 'not_permitted') return 'denied'
  if (code === 'mode_unmatched' || code === 'migration_refused') return 'environment'
  if (code === 'migration_busy') return 'busy'
  if (/^contract_/.test(code)) return 'contract'
  if (/^(option_invalid|request_(invalid|too_large)|idempotency_key_invalid)$/.test(code)) return 'usage'
  if (/^(lease_|idempotency_replayed$)/.test(code)) return 'over'
  if (/^(token|certificate|identity|machine_key|plane|tenant)_/.test(code)) return 'unidentified'
  if (code === 'migration_lost') return 'upstream'
  if (
    /^(provider|policy|credential|log|issuer|database)_|^(overloaded|rate_limited|shutting_down)$/.test(code)
  )
    return 'upstream'
  if (/^(unreachable|untrusted|timeout|aborted|answer_invalid)$/.test(code)) return 'upstream'
  return 'failed'
}
