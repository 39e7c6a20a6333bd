import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'

const signals = ['SIGINT', 'SIGTERM'] as const
/** What a server has to end by itself, which leaves no shared memory behind. */
const endMsMax = 2_000

/**
 * Makes one folder for all that this process will put into temporary ones, and takes everything down when it ends, also by Ctrl-C and
 * SIGTERM, which run no `finally`: the processes that it started, what is mounted below the folder, and the folder. Processes and mounts are
 * found in /proc; where there is none, only the folder is removed.
 */
export function setStage(): void {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-run-'))
  // A PostgreSQL below it runs as another user.
  chmodSync(folder, 0o711)
  process.env['TMPDIR'] = folder
  process.once('exit', () => takeDown(folder))
  // Not once: a second one must not end the taking down.
  for (const signal of signals)
    process.on(signal, () => {
      console.error(`Stopped by ${signal}: what was put up is taken down.`)
      process.exit(128 + constants.signals[signal])
    })
}

/** Everything in here waits: the event loop does not turn any more. */
function takeDown(folder: string): void {
  // All of them before the first one ends: its own children are nobody's then.
  const started = descendants(process.pid)
  for (const pid of childrenOf(process.pid)) send(pid, 'SIGINT')
  waitFor(started)
  for (const pid of started.filter(isRunning)) send(pid, 'SIGKILL')
  waitFor(started)
  for (const target of mountsBelow(folder).toReversed()) spawnSync('umount', ['-l', target])
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}

function waitFor(pids: readonly number[]): void {
  const late = performance.now() + endMsMax
  const never = new Int32Array(new SharedArrayBuffer(4))
  while (pids.some(isRunning) && performance.now() < late) Atomics.wait(never, 0, 0, 20)
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended by itself.
  }
}

function descendants(of: number): readonly number[] {
  return childrenOf(of).flatMap((pid) => [pid, ...descendants(pid)])
}

function childrenOf(parent: number): readonly number[] {
  if (!existsSync('/proc')) return []
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => statOf(pid).parent === parent && isRunning(pid))
}

/** What has ended stays listed until somebody asks how, and nobody does any more. */
function isRunning(pid: number): boolean {
  return !['', 'Z', 'X'].includes(statOf(pid).state)
}

function statOf(pid: number): { readonly state: string; readonly parent: number } {
  // The name of the program stands in brackets and may hold anything; its state and its parent come after them.
  const [state = '', parent] = (read(`/proc/${pid}/stat`).split(') ').at(-1) ?? '').split(' ')
  return { state, parent: Number(parent) }
}

function mountsBelow(folder: string): readonly string[] {
  return read('/proc/mounts')
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
    .filter((target) => target.startsWith(`${folder}/`))
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
