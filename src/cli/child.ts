import { type ChildProcess, spawn } from 'node:child_process'
import { isatty } from 'node:tty'
import { exitCodes } from './exit-code.ts'
import { signalExitCode, type Terminal, tell } from './terminal.ts'

/** The signals of this process, which are the child's as soon as there is one. */
export type Signals = {
  /** The first that came before there was a child: nothing is started any more. */
  readonly early: NodeJS.Signals | undefined
  child: ChildProcess | undefined
  release(): void
}

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const

/** From here on a signal does not end this process: it is the child's, and there may be a lease to end. */
export function catchSignals(): Signals {
  const signals: { early: NodeJS.Signals | undefined; child: ChildProcess | undefined; release(): void } = {
    early: undefined,
    child: undefined,
    release: () => {
      for (const name of forwarded) process.off(name, heard)
    },
  }
  const heard = (name: NodeJS.Signals) => {
    if (signals.child) {
      // A terminal gives these to the child itself; twice would be "stop now" to many tools.
      const fromTerminal = isatty(0) && (name === 'SIGINT' || name === 'SIGQUIT' || name === 'SIGWINCH')
      if (!fromTerminal) signals.child.kill(name)
    } else if (!/^SIG(USR.|WINCH)$/.test(name)) signals.early ??= name
  }
  for (const name of forwarded) process.on(name, heard)
  return signals
}

export type ChildOptions = {
  readonly env: Readonly<Record<string, string>>
  readonly signals: Signals
  /** Takes what the child writes, in place of the streams of this process. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', output: NodeJS.ReadableStream) => Promise<void>
}

/** Runs a command and gives its exit code, 128 and the number of the signal that ended it, or as a shell does 127 and 126. */
export async function runChild(
  io: Terminal,
  [program = '', ...words]: readonly string[],
  { env, signals, onOutput }: ChildOptions,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const child = spawn(program, words, { env, stdio: onOutput ? ['inherit', 'pipe', 'pipe'] : 'inherit' })
  signals.child = child
  child.once('error', (thrown) =>
    resolve(tellUnstarted(io, program, 'code' in thrown && thrown.code === 'ENOENT')),
  )
  child.once('exit', (code, signal) => resolve(code ?? (signal ? signalExitCode(signal) : 1)))
  if (onOutput && child.stdout && child.stderr)
    await Promise.all([onOutput('stdout', child.stdout), onOutput('stderr', child.stderr)])
  return promise
}

/** Says that a command was not started, and gives the exit code of a shell. */
export function tellUnstarted(io: Terminal, program: string, missing: boolean): number {
  const message = missing ? `There is no command ${program}.` : `${program} cannot be executed.`
  tell(io, { code: 'option_invalid', message, next: 'is it installed, executable, and on the PATH?' })
  return exitCodes[missing ? 'notFound' : 'notExecutable'][0]
}
