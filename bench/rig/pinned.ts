import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** The server under test has one core to itself; who loads it, and everything else, has the other. */
export const cores = { server: 0, load: 1 } as const

/** A process on one core. It ends with this one. */
export type Pinned = {
  readonly pid: number
  /** Its next line of output; rejects when it ends first or takes longer than `readyMilliseconds`. */
  readonly line: () => Promise<string>
  readonly write: (text: string) => void
  /** CPU time of all its threads so far. */
  readonly cpuMicroseconds: () => number
  readonly residentBytes: () => number
  readonly exitCode: () => number | null
  /** Ends it and waits; SIGTERM unless told otherwise. */
  readonly stop: (signal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL') => Promise<void>
}

const readyMilliseconds = 60_000
const stopMilliseconds = 10_000

/** Why processes cannot be kept to one core and their CPU time be read here; `undefined` when they can. */
export function unpinnable(): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux, for /proc and taskset'
  if (availableParallelism() < 2) return 'it needs two cores'
  return spawnSync('taskset', ['--version']).status === 0 ? undefined : 'taskset is not there'
}

export function startPinned(
  command: readonly string[],
  options: { readonly core: number; readonly env?: Readonly<Record<string, string>> },
): Pinned {
  const child = spawn('taskset', ['-c', String(options.core), ...command], {
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const atExit = () => child.kill('SIGKILL')
  process.once('exit', atExit)
  child.once('exit', () => process.off('exit', atExit))
  const { pid } = child
  if (pid === undefined) throw new Error(`${command[0]} did not start`)
  const line = linesOf(child)
  return {
    pid,
    line: () => line(command.slice(0, 3).join(' ')),
    write: (text) => child.stdin.end(text),
    cpuMicroseconds: () => threads(pid).reduce((sum, thread) => sum + thread, 0),
    residentBytes: () =>
      Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
    exitCode: () => child.exitCode,
    stop: (signal = 'SIGTERM') => ended(child, signal),
  }
}

function linesOf(child: ChildProcess): (what: string) => Promise<string> {
  const lines: string[] = []
  const waiting: (() => void)[] = []
  let rest = ''
  const wake = () => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
    wake()
  })
  child.once('close', wake)
  return async (what) => {
    const deadline = setTimeout(wake, readyMilliseconds)
    while (lines.length === 0) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${what} ended by itself`)
      const before = Date.now()
      await new Promise<void>((resolve) => waiting.push(resolve))
      if (lines.length === 0 && Date.now() - before >= readyMilliseconds)
        throw new Error(`${what} said nothing`)
    }
    clearTimeout(deadline)
    return lines.shift() ?? ''
  }
}

/** Microseconds on a core of each thread that lives; the kernel counts nanoseconds. */
function threads(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const nanoseconds = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]
    return Number(nanoseconds) / 1000
  })
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds)
  await gone
  clearTimeout(late)
}
