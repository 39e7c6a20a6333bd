import { spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import type { DatabaseTarget, Hold, MigrationDatabase } from '../migration/index.ts'
import { runChild, type Signals } from './child.ts'
import { endChild } from './confined.ts'
import { type Confinement, openConfinement } from './confinement.ts'
import { signalExitCode, type Terminal, tell } from './terminal.ts'

const renewMilliseconds = 4_000
const confineMilliseconds = 15_000

export type HeldOptions = {
  readonly database: Pick<MigrationDatabase, 'target'>
  readonly env: Readonly<Record<string, string>>
  readonly hold: Hold
  readonly signals: Signals
  readonly confined: boolean
}

/** Runs the command for as long as the database is held, and gives its exit code; a lost hold ends it. */
export async function runHeld(
  io: Terminal,
  command: readonly string[],
  { database, env, hold, signals, confined }: HeldOptions,
): Promise<number> {
  const confinement = confined ? await confine(database.target, hold) : undefined
  const over = new AbortController()
  let lost = false
  const keeping = keep(hold, over.signal, () => {
    lost = true
    void confinement?.close()
    // The process in between ends the command when its channel is gone, and then itself.
    if (signals.child?.connected) signals.child.disconnect()
    else void endChild(signals)
  })
  try {
    const code = confinement
      ? await runConfined(io, [...confinement.prefix, ...command], { env, signals })
      : await runChild(io, command, { env, signals })
    return lost ? tell(io, { code: 'migration_lost', message, next }) : code
  } finally {
    over.abort()
    await keeping
    await confinement?.close()
  }
}

const message = 'The hold on the database was lost, so the migration was ended.'
const next = 'look at what the tool has recorded in the database, then run it again'

function confine(target: DatabaseTarget, hold: Hold): Promise<Confinement> {
  return openConfinement(target, () => hold.holds())
}

async function keep(hold: Hold, over: AbortSignal, onLost: () => void): Promise<void> {
  while (!over.aborted) {
    await pause(renewMilliseconds, undefined, { signal: over }).catch(() => undefined)
    if (over.aborted) return
    if ((await hold.renew(AbortSignal.any([over, AbortSignal.timeout(renewMilliseconds)]))) === 'lost')
      return onLost()
  }
}

/** The process in between tells when it has started the command; one that ends before has failed by itself. */
async function runConfined(
  io: Terminal,
  [program = '', ...words]: readonly string[],
  { env, signals }: Pick<HeldOptions, 'env' | 'signals'>,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  let started = false
  const late = setTimeout(() => void endChild(signals), confineMilliseconds)
  const child = spawn(program, words, { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  signals.child = child
  child.once('message', () => {
    started = true
    clearTimeout(late)
  })
  child.once('error', () => resolve(undefined))
  child.once('exit', (code, signal) => resolve(code ?? (signal ? signalExitCode(signal) : undefined)))
  const code = await promise
  clearTimeout(late)
  if (started && code !== undefined) return code
  if (signals.early) return signalExitCode(signals.early)
  const failed = 'The command could not be confined to the address of the database, and was not started.'
  return tell(io, { code: 'migration_refused', message: failed, next: 'what went wrong stands above' })
}
