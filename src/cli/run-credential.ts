import type { Credential } from '../../client/src/index.ts'
import { type CheckedEnvironment, checkEnvironment, tellRefusal } from './check.ts'
import { catchSignals, runChild } from './child.ts'
import { childEnvironment } from './child-environment.ts'
import { withBroker } from './connection.ts'
import { endLease } from './lease.ts'
import { redactedOutput } from './redaction.ts'
import { tellDenial, wanted } from './request.ts'
import type { RunCommandOptions } from './run.ts'
import { signalExitCode, type Terminal } from './terminal.ts'

/**
 * `sallyport run --service … -- COMMAND`: the child gets the credential and no ambient one; the lease ends with it. Where a contract is
 * named, nothing is asked for in an environment that it refuses, and nothing is started in one that it refuses with the credential.
 */
export async function runWithCredential(
  io: Terminal,
  command: readonly string[],
  options: RunCommandOptions,
): Promise<number> {
  const body = wanted([options.service, options.action, options.resource], options)
  const named = options.contract !== undefined || options.compiled !== undefined
  const checked = named ? await checkEnvironment(command, options) : undefined
  const early = checked && tellRefusal(io, beforeCredential(checked))
  if (early !== undefined) return early
  return withBroker(options, async (client) => {
    const signals = catchSignals()
    try {
      const answer = await client.request(body)
      if (answer.kind === 'denied') return tellDenial(io, answer)
      try {
        if (signals.early !== undefined) return signalExitCode(signals.early)
        const env = environmentOfChild(answer.credential, options.keep ?? [], checked)
        const refused = checked && tellRefusal(io, withCredential(checked, env))
        if (refused !== undefined) return refused
        return await runChild(io, command, {
          env,
          signals,
          ...(options.redact && redactedOutput(secretsOf(answer.credential, env, checked))),
        })
      } finally {
        await endLease(io, client, answer.lease_id)
      }
    } finally {
      signals.release()
    }
  })
}

/** A secret that is not there yet may be the one that is asked for. */
function beforeCredential({ guard, checked, ...rest }: CheckedEnvironment): CheckedEnvironment {
  const { sensitive } = guard.contract
  const findings = checked.findings.filter(
    ({ code, variable = '' }) => code !== 'E201' || !sensitive.includes(variable),
  )
  return { guard, checked: { ...checked, findings }, ...rest }
}

function withCredential(
  { guard, checked, report }: CheckedEnvironment,
  env: Readonly<Record<string, string>>,
): CheckedEnvironment {
  return { guard, checked: guard.check(env, { scope: checked.scope, seenBy: 'program' }), report, env }
}

/** Beside the credential it gets what the contract declares and does not call secret. */
function environmentOfChild(
  credential: Credential,
  keep: readonly string[],
  checked: CheckedEnvironment | undefined,
): Record<string, string> {
  if (!checked) return childEnvironment(process.env, credential, keep)
  const { variables, sensitive, internal } = checked.guard.contract
  const declared = variables.filter((name) => !sensitive.includes(name) && !internal.includes(name))
  return childEnvironment(checked.env, credential, [...keep, ...declared])
}

function secretsOf(
  credential: Credential,
  env: Readonly<Record<string, string>>,
  checked: CheckedEnvironment | undefined,
): ReadonlyMap<string, string> {
  const parts = Object.entries(credential).flatMap(([name, value]) =>
    typeof value === 'string' && secretParts.test(name) ? [[name, value] as const] : [],
  )
  const sensitive = checked?.guard.contract.sensitive ?? []
  return new Map([...parts, ...sensitive.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []))])
}

/** Fields of credentials that are secret; a host or a user name is none. */
const secretParts = /(?:secret|token|password|value|url|key)$/
