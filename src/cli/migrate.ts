import { hostname } from 'node:os'
import { openMigrationDatabase, systemClock } from '../catalog/index.ts'
import { requireContract, requireEnvironment, resolveMode } from '../contract/index.ts'
import {
  type Claimed,
  connectionVariable,
  createHold,
  decideMigration,
  judgeDatabase,
  type MigrationDatabase,
  planeVariables,
  requireMigrations,
  sessionName,
} from '../migration/index.ts'
import { Secret } from '../primitives/index.ts'
import { findCommand } from './become.ts'
import { checkEnvironment, tellRefusal } from './check.ts'
import { catchSignals, type Signals, tellUnstarted } from './child.ts'
import { harmless, noAmbientFiles } from './child-environment.ts'
import { unconfinable } from './confinement.ts'
import { readContractFile } from './contract-file.ts'
import { contractFileByDefault } from './guard-file.ts'
import { runHeld } from './migrate-held.ts'
import { signalExitCode, type Terminal, tell } from './terminal.ts'

export type MigrateOptions = {
  readonly contract?: string
  readonly env?: readonly string[]
  readonly unconfined?: boolean
}

const scope = 'migrate'
/** A holder that died is out after this; one that lives renews five times as often. */
const leaseSeconds = 20
const claimMilliseconds = 30_000

/**
 * `sallyport migrate -- COMMAND`: runs any migration tool against the one database that the contract's role allows, and gives its exit
 * code; 78 for a refusal, 75 while another migration runs, 7 where the database does not answer. Nothing was started then.
 */
export async function migrate(
  io: Terminal,
  command: readonly string[],
  options: MigrateOptions,
): Promise<number> {
  const plan = await planOf(io, options)
  if (typeof plan === 'number') return plan
  const [program = ''] = command
  const found = findCommand(program, plan.env['PATH'])
  if (found.kind !== 'found') return tellUnstarted(io, program, found.kind === 'missing')
  const why = options.unconfined ? undefined : unconfinable()
  if (why !== undefined)
    return refuse(io, {
      message: `This machine cannot keep a command from other networks than the database's: ${why}.`,
      next: 'give --unconfined to let it reach more than the database',
    })
  const signals = catchSignals()
  try {
    return await claimAndRun(io, command, { ...plan, signals, confined: !options.unconfined })
  } finally {
    signals.release()
  }
}

type Plan = {
  readonly database: MigrationDatabase
  readonly env: Readonly<Record<string, string>>
  readonly role: string
  readonly tables: readonly string[]
  readonly judge: Parameters<MigrationDatabase['claim']>[0]['judge']
  readonly words: string
}

/** Everything that can be told before the database is asked, or the exit code of a refusal. */
async function planOf(io: Terminal, options: MigrateOptions): Promise<Plan | number> {
  const file = options.contract ?? contractFileByDefault
  const checked = await checkEnvironment([], { ...options, scope })
  const refused = tellRefusal(io, checked)
  if (refused !== undefined) return refused
  const contract = requireContract(readContractFile(file))
  const environment = requireEnvironment(contract)
  const rules = requireMigrations(environment)
  const mode = resolveMode(contract, checked.env).name
  const decision = decideMigration(rules, mode, checked.env)
  if (decision.kind === 'refused') return refuse(io, decision)
  const passes = planeVariables(contract, environment, scope)
  const kept = Object.entries(checked.env).filter(([name]) => passes.has(name) || harmless.test(name))
  const { role, informed } = decision
  const told = Object.entries(informed).map(([name, value]) => `, ${name}=${value} informs`)
  return {
    database: openMigrationDatabase(new Secret(checked.env[connectionVariable(environment, scope)] ?? '')),
    env: { ...noAmbientFiles, ...Object.fromEntries(kept) },
    role,
    tables: rules.bootstrap?.tables ?? [],
    judge: (seen) => judgeDatabase(rules, role, seen),
    words: `mode ${mode}, ${rules.roleVariable}=${role} decides${told.join('')}`,
  }
}

type Started = Plan & { readonly signals: Signals; readonly confined: boolean }

async function claimAndRun(io: Terminal, command: readonly string[], plan: Started): Promise<number> {
  const { database, role, tables, judge, signals } = plan
  const { now } = systemClock
  const claimedAt = now()
  const holder = `${hostname()}, process ${process.pid}`
  const claimed = await database.claim(
    { role, holder, leaseSeconds, tables, judge },
    AbortSignal.timeout(claimMilliseconds),
  )
  if (claimed.kind !== 'claimed') return tellUnclaimed(io, claimed)
  try {
    if (signals.early) return signalExitCode(signals.early)
    tellStart(io, plan, claimed.stamped)
    const { fence } = claimed
    const hold = createHold({ database, fence, leaseSeconds, claimedAt, now })
    const env = { ...plan.env, PGAPPNAME: sessionName(fence) }
    return await runHeld(io, command, { ...plan, env, hold })
  } finally {
    // What cannot be released ends by itself.
    await database.release(claimed.fence, AbortSignal.timeout(claimMilliseconds)).catch(() => undefined)
  }
}

function tellStart(io: Terminal, { words, role, confined }: Started, stamped: boolean): void {
  io.say(`migrate: ${words}${stamped ? `; the database is stamped ${role} from now on` : ''}`)
  io.say(
    confined
      ? 'migrate: the command reaches the database alone; not held: vsock, and Unix sockets that appear while it runs or were renamed'
      : 'migrate: the command is not confined, it can reach more than the database',
  )
}

function tellUnclaimed(io: Terminal, claimed: Exclude<Claimed, { kind: 'claimed' }>): number {
  return claimed.kind === 'refused' ? refuse(io, claimed) : tell(io, { ...claimed, code: 'migration_busy' })
}

function refuse(io: Terminal, { message, next }: { message: string; next: string }): number {
  return tell(io, { code: 'migration_refused', message, next })
}
