import { styleText } from 'node:util'
import { type Failure, toFailure } from '../primitives/index.ts'
import { exitCodeOf } from './exit-code.ts'

/** Where a command talks: data to stdout, everything for people to stderr; `--json` makes both machine-readable. */
export type Terminal = {
  readonly json: boolean
  readonly out: (text: string) => void
  readonly say: (text: string) => void
}

export function terminal(options: { json?: boolean }): Terminal {
  return {
    json: options.json ?? false,
    out: (text) => void process.stdout.write(`${text}\n`),
    say: (text) => void process.stderr.write(`${text}\n`),
  }
}

type Style = Parameters<typeof styleText>[0]

/** Colour where a person looks at a terminal; `NO_COLOR` and `FORCE_COLOR` are heeded by Node itself. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream })
}

/** Tells a failure and gives the exit code for it. Secrets and internal notes never get here: the message is made for callers. */
export function tell(
  io: Terminal,
  thrown: unknown,
  log: (failure: Failure) => void = () => undefined,
): number {
  const failure = toFailure(thrown)
  log(failure)
  if (io.json) {
    const { code, message, next } = failure
    io.out(JSON.stringify({ error: { code, message, ...(next ? { next } : {}) } }))
  } else {
    io.say(`${paint('red', 'error', process.stderr)} ${failure.message} (${failure.code})`)
    if (failure.code === 'internal' && failure.internal) io.say(failure.internal)
    if (failure.next) io.say(`Next: ${failure.next}`)
  }
  return exitCodeOf(failure.code)
}

/** Resolves at the first SIGINT or SIGTERM. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(name))
  })
}
