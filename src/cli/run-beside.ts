import type { CheckedEnvironment } from './check.ts'
import { catchSignals, runChild } from './child.ts'
import { redactedOutput } from './redaction.ts'
import { signalExitCode, type Terminal } from './terminal.ts'

/** Runs a command as a child that this process stays beside: to redact its output, or where it cannot become the command. */
export async function runBeside(
  io: Terminal,
  command: readonly string[],
  how: {
    readonly env: Record<string, string>
    readonly checked: CheckedEnvironment
    readonly redact: boolean
  },
): Promise<number> {
  const { env, checked, redact } = how
  const secrets = checked.guard.contract.sensitive.flatMap((name) =>
    env[name] === undefined ? [] : [[name, env[name]] as const],
  )
  const signals = catchSignals()
  try {
    if (signals.early !== undefined) return signalExitCode(signals.early)
    return await runChild(io, command, { env, signals, ...(redact && redactedOutput(new Map(secrets))) })
  } finally {
    signals.release()
  }
}
