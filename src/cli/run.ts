import { becomeCommand, findCommand, withoutInternal } from './become.ts'
import { type CheckCommandOptions, type CheckedEnvironment, checkEnvironment, tellRefusal } from './check.ts'
import { harmless } from './child-environment.ts'
import type { ConnectionOptions } from './connection.ts'
import type { Terminal } from './terminal.ts'

export type RunCommandOptions = ConnectionOptions &
  CheckCommandOptions & {
    readonly service?: string
    readonly action?: string
    readonly resource?: string
    /** A reference of the contract, in place of these three. */
    readonly credentialRef?: string
    readonly duration?: string
    readonly purpose?: string
    /** Further variables of the parent that the child may see. */
    readonly keep?: readonly string[]
    /** Only what the contract declares, and what is harmless, reaches the command. */
    readonly pristine?: boolean
    /** Values of sensitive variables are taken out of what the command writes. */
    readonly redact?: boolean
  }

/**
 * `sallyport run … -- COMMAND`: with a service, action and resource, or a reference of them, the command gets that credential; without, its environment is checked
 * and this process becomes the command. Gives the command's exit code, 128 and the number of the signal that ended it, or as a shell does
 * 127 and 126 when it cannot be started; 78 when the contract refuses, and nothing was started.
 */
export async function run(
  io: Terminal,
  command: readonly string[],
  options: RunCommandOptions,
): Promise<number> {
  const { service, action, resource, credentialRef } = options
  if ([service, action, resource, credentialRef].every((word) => word === undefined))
    return runChecked(io, command, options)
  return (await import('./run-credential.ts')).runWithCredential(io, command, options)
}

async function runChecked(
  io: Terminal,
  command: readonly string[],
  options: RunCommandOptions,
): Promise<number> {
  const checked = await checkEnvironment(command, options)
  const refused = tellRefusal(io, checked)
  if (refused !== undefined) return refused
  const env = environmentOf(checked, options)
  const [program = ''] = command
  const lookup = findCommand(program, env['PATH'])
  if (lookup.kind !== 'found')
    return (await import('./child.ts')).tellUnstarted(io, program, lookup.kind === 'missing')
  if (!options.redact) becomeCommand(lookup.path, command, env)
  return (await import('./run-beside.ts')).runBeside(io, command, {
    env,
    checked,
    redact: options.redact ?? false,
  })
}

/** Where it is asked for, only what the contract declares, what is harmless and what is kept by name. */
function environmentOf(
  { guard, env }: CheckedEnvironment,
  { pristine, keep = [] }: Pick<RunCommandOptions, 'pristine' | 'keep'>,
): Record<string, string> {
  const { internal, variables } = guard.contract
  const passed = withoutInternal(env, internal)
  if (!pristine) return passed
  const passes = (name: string) => variables.includes(name) || keep.includes(name) || harmless.test(name)
  return Object.fromEntries(Object.entries(passed).filter(([name]) => passes(name)))
}
