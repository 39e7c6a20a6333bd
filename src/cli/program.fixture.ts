import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** `sallyport` as a process of its own, from the source, with that environment alone. */
export type Program = {
  readonly process: ChildProcess
  readonly out: () => string
  readonly err: () => string
  /** Waits until standard output, or both together, show this; throws with both when the process ends first. */
  readonly shows: (text: string | RegExp) => Promise<void>
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

const secondsMax = 20

export function startProgram(words: readonly string[], env: NodeJS.ProcessEnv = {}, input?: string): Program {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...words], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', NO_COLOR: '1', ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    timeout: secondsMax * 1000,
    killSignal: 'SIGKILL',
  })
  child.stdin?.end(input)
  const seen = { out: '', err: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    seen.out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    seen.err += text
  })
  const ended = once(child, 'close').then(([code, signal]): number | string => code ?? signal)
  return {
    process: child,
    out: () => seen.out,
    err: () => seen.err,
    ended,
    async shows(text) {
      const has = () =>
        typeof text === 'string'
          ? `${seen.out}${seen.err}`.includes(text)
          : text.test(`${seen.out}${seen.err}`)
      while (!has()) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`It ended without ${text}:\n${seen.out}${seen.err}`)
        await pause(10)
      }
    },
  }
}

/** Runs it to its end. */
export async function runProgram(words: readonly string[], env: NodeJS.ProcessEnv = {}, input?: string) {
  const program = startProgram(words, env, input)
  const code = await program.ended
  return { code, out: program.out(), err: program.err() }
}

/** A port that is taken until `close`. */
export async function takenPort(): Promise<{ port: number; close: () => void }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('no port')
  return { port: address.port, close: () => server.close() }
}
