import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { type Client, createClient, type Identity } from '../../client/src/index.ts'
import { type Authority, createAuthority } from '../../src/catalog/index.ts'

/** Where a broker lives: a folder with a contract, the certificates of a real CA, and the data of its runs. */
export type Site = {
  readonly folder: string
  /** The CA that signed everything here, as a PEM file. */
  readonly ca: string
  readonly authority: Authority
  /** A folder's path within the site. */
  readonly path: (name: string) => string
  /** `sallyport serve` over this site's data; a second one is a restart. */
  serve(options?: ServeOptions): Promise<Serving>
  /** `sallyport …` as this agent, in an environment of its own. */
  cli(agent: string | undefined, words: readonly string[], options?: CliOptions): Promise<Outcome>
  /** Ends what still runs and removes the folder. */
  close(): Promise<void>
}

export type ServeOptions = {
  readonly environment?: Readonly<Record<string, string>>
  readonly words?: readonly string[]
  /** The program; default is `src/cli/main.ts serve`. */
  readonly program?: readonly string[]
}

export type CliOptions = {
  readonly serving?: Serving
  readonly environment?: Readonly<Record<string, string>>
}

/** How a program ended, and what it wrote to its output and its errors. */
export type Outcome = { readonly code: number; readonly out: string; readonly told: string }

/** A running broker. */
export type Serving = {
  readonly machineUrl: string
  readonly humanUrl: string
  readonly logKey: string
  readonly child: ChildProcess
  /** A client of the machine plane that shows this agent's X.509-SVID. */
  client(agent: string): Client
  clientWith(plane: 'machine' | 'human', identity: Identity): Client
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL. */
  kill(): Promise<void>
}

export const root = join(import.meta.dirname, '../..')
const hourMs = 3_600_000
const startMs = 30_000
/** What the certificates of a site are made for. */
export const agents = ['agent-7', 'agent-8', 'robot', 'ops', 'warden'] as const

/** The SPIFFE ID by which `contractText` knows an agent. */
export function spiffeId(agent: string): string {
  return `spiffe://test.example/agent/${agent}`
}

/** Makes a site; `contract` is the text of its contract. */
export async function makeSite(
  contract: string,
  options: { readonly clientAuthorities?: string } = {},
): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-site-'))
  const path = (name: string) => join(folder, name)
  const life = { notBefore: Date.now() - 60_000, notAfter: Date.now() + hourMs }
  const authority = await createAuthority({ commonName: 'Site CA', ...life })
  const server = await authority.issue({
    purpose: 'server',
    dnsNames: ['localhost'],
    addresses: ['127.0.0.1'],
    ...life,
  })
  writeFileSync(path('ca.pem'), authority.own.certPem)
  writeFileSync(path('client-ca.pem'), authority.own.certPem + (options.clientAuthorities ?? ''))
  writeFileSync(path('server.pem'), server.certPem)
  writeFileSync(path('server.key'), server.keyPem, { mode: 0o600 })
  writeFileSync(path('sallyport.yaml'), contract)
  const identities = new Map<string, Identity>()
  for (const agent of agents) {
    const { certPem, keyPem } = await authority.issue({ purpose: 'client', uris: [spiffeId(agent)], ...life })
    writeFileSync(path(`${agent}.pem`), certPem)
    writeFileSync(path(`${agent}.key`), keyPem, { mode: 0o600 })
    identities.set(agent, { kind: 'certificate', certificate: certPem, key: keyPem })
  }
  const running = new Set<Serving>()
  return {
    folder,
    ca: authority.own.certPem,
    authority,
    path,
    async serve(how = {}) {
      const serving = await start({ path, ca: authority.own.certPem, identities }, how)
      running.add(serving)
      serving.child.once('exit', () => running.delete(serving))
      return serving
    },
    cli: (agent, words, how = {}) => runCli({ path }, agent, words, how),
    async close() {
      for (const serving of running) await serving.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Ground = {
  readonly path: Site['path']
  readonly ca: string
  readonly identities: ReadonlyMap<string, Identity>
}

/** Nothing of the environment of the tests but what a program cannot do without. */
function bareEnvironment(folder: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: tmpdir(), NO_COLOR: '1' }
}

async function start(ground: Ground, options: ServeOptions): Promise<Serving> {
  const { path } = ground
  const words = [
    ...(options.program ?? [join(root, 'src/cli/main.ts'), 'serve']),
    ...['--contract', path('sallyport.yaml'), '--data', path('data')],
    ...['--machine', '127.0.0.1:0', '--human', '127.0.0.1:0'],
    ...['--tls-cert', path('server.pem'), '--tls-key', path('server.key')],
    ...['--client-ca', path('client-ca.pem'), '--json', ...(options.words ?? [])],
  ]
  const env = { ...bareEnvironment(path('')), AOS_MODE: 'test', ...options.environment }
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const told = text(child.stderr)
  const exited = once(child, 'exit')
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await exited
    return child.exitCode
  }
  const started = await firstLine(child, told)
  const address = (name: string) => String(started[name] ?? '')
  const clientWith: Serving['clientWith'] = (plane, identity) =>
    createClient({ url: address(plane), ca: ground.ca, identity })
  return {
    machineUrl: address('machine'),
    humanUrl: address('human'),
    logKey: address('log_key'),
    child,
    clientWith,
    client(agent) {
      const identity = ground.identities.get(agent)
      if (!identity) throw new Error(`The site has no certificate for ${agent}.`)
      return clientWith('machine', identity)
    },
    stop: () => end('SIGTERM'),
    async kill() {
      await end('SIGKILL')
    },
  }
}

/** The line of JSON with which `serve --json` says that it is ready; throws what it said instead. */
async function firstLine(child: ChildProcess, told: Promise<string>): Promise<Record<string, unknown>> {
  if (!child.stdout) throw new Error('The broker has no output.')
  const late = setTimeout(() => child.kill('SIGKILL'), startMs)
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const started: unknown = JSON.parse(line)
      if (typeof started === 'object' && started !== null && 'machine' in started) return { ...started }
      throw new Error(`The broker did not start: ${line}`)
    }
  } finally {
    clearTimeout(late)
    // What it prints later is nobody's, and must not block it.
    child.stdout.resume()
  }
  const words = await told
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  throw new Error(`The broker did not start: ${child.signalCode ?? child.exitCode} ${words}`)
}

function runCli(
  { path }: Pick<Ground, 'path'>,
  agent: string | undefined,
  words: readonly string[],
  { serving, environment = {} }: CliOptions,
): Promise<Outcome> {
  const connection = {
    ...(serving ? { SALLYPORT_URL: serving.machineUrl, SALLYPORT_CA: path('ca.pem') } : {}),
    ...(agent === undefined
      ? {}
      : { SALLYPORT_CERT: path(`${agent}.pem`), SALLYPORT_CERT_KEY: path(`${agent}.key`) }),
  }
  const env = { ...bareEnvironment(path('')), ...connection, ...environment }
  return runProgram([process.execPath, join(root, 'src/cli/main.ts'), ...words], env)
}

/** Runs a program to its end, with exactly this environment. */
export async function runProgram(
  [program = '', ...words]: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, told] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode ?? -1, out, told }
}
