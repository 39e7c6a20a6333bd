import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Client } from '../../client/src/index.ts'
import { Failure } from '../primitives/index.ts'
import { childEnvironment } from './child-environment.ts'
import { connect } from './connection.ts'
import { type RequestOptions, tellDenial, wanted } from './request.ts'
import type { Terminal } from './terminal.ts'

export type RunCommandOptions = RequestOptions & {
  readonly service: string
  readonly action: string
  readonly resource: string
  /** Further variables of the parent that the child may see. */
  readonly keep?: readonly string[]
}

/** `sallyport run … -- COMMAND`: the child gets the credential and no ambient one; the lease ends with it. Its exit code is returned. */
export async function run(
  io: Terminal,
  command: readonly string[],
  options: RunCommandOptions,
): Promise<number> {
  const [program, ...words] = command
  if (program === undefined) throw new Failure('option_invalid', 'Say what to run, after --.')
  const { client } = connect(options)
  try {
    const answer = await client.request(wanted([options.service, options.action, options.resource], options))
    if (answer.kind === 'denied') return tellDenial(io, answer)
    try {
      return await runChild(
        program,
        words,
        childEnvironment(process.env, answer.credential, options.keep ?? []),
      )
    } finally {
      await end(io, client, answer.lease_id)
    }
  } finally {
    client.close()
  }
}

async function end(io: Terminal, client: Client, leaseId: string): Promise<void> {
  try {
    const { proof } = await client.revoke(leaseId)
    if (proof === 'pending') io.say(`The lease ${leaseId} could not be ended yet; the broker goes on trying.`)
  } catch {
    io.say(
      `The lease ${leaseId} could not be ended from here; it ends by itself. Next: sallyport lease revoke ${leaseId}`,
    )
  }
}

function runChild(program: string, words: readonly string[], env: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { env, stdio: 'inherit' })
    const forward = (signal: NodeJS.Signals) => void child.kill(signal)
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, forward)
    child.once('error', (cause) =>
      reject(
        new Failure('option_invalid', `${program} cannot be run.`, {
          cause,
          next: 'is it installed, and on the PATH?',
        }),
      ),
    )
    child.once('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, forward)
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0))
    })
  })
}
