import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../testing/free-port.ts'

const root = resolve(import.meta.dirname, '../../..')
const peers = resolve(root, process.env['SALLYPORT_PEERS'] ?? '.peers', 'proxies')
export const example = join(root, 'examples/fastapi-backend')

export type Ports = { readonly world: number; readonly backend: number; readonly planes: number }

export const proxyNames = ['nginx', 'envoy', 'traefik', 'caddy'] as const
export type ProxyName = (typeof proxyNames)[number]

/** The program of a proxy; `undefined` when it is not installed. */
export function programOf(name: ProxyName | 'uvicorn' | 'alembic' | 'python'): string | undefined {
  const candidates = {
    nginx: ['/usr/sbin/nginx'],
    // Not the wheel's script: Envoy ends itself when its parent does.
    envoy: globSync(join(peers, 'lib/python3*/site-packages/envoy/_bin/envoy')),
    traefik: [join(peers, 'bin/traefik')],
    caddy: [join(peers, 'bin/caddy')],
    uvicorn: [join(peers, 'bin/uvicorn')],
    alembic: [join(peers, 'bin/alembic')],
    python: [join(peers, 'bin/python')],
  }[name]
  return candidates.find((path) => existsSync(path))
}

export type Running = { readonly url: string; stop(): Promise<void> }

/** Starts a proxy with the example's own configuration, at other ports; a `change` of its text is for tests alone. */
export async function startProxy(
  name: ProxyName,
  ports: Ports,
  change: (text: string) => string = (text) => text,
): Promise<Running> {
  const program = programOf(name)
  if (program === undefined) throw new Error(`There is no ${name}.`)
  const folder = mkdtempSync(join(tmpdir(), `sallyport-${name}-`))
  for (const file of readdirSync(example)) {
    if (!/nginx|envoy|traefik|Caddy/.test(file)) continue
    copyFileSync(join(example, file), join(folder, file))
    writeFileSync(join(folder, file), change(atPorts(readFileSync(join(example, file), 'utf8'), ports)))
  }
  const words = {
    nginx: [
      '-p',
      folder,
      '-c',
      'nginx.conf',
      '-e',
      'stderr',
      '-g',
      `daemon off; pid ${folder}/pid; worker_processes 1;`,
    ],
    envoy: [
      '-c',
      'envoy.yaml',
      '--concurrency',
      '1',
      '--log-level',
      'error',
      '--base-id',
      String(ports.world),
    ],
    traefik: ['--configFile=traefik.yaml'],
    caddy: ['run', '--config', 'Caddyfile', '--adapter', 'caddyfile'],
  }[name]
  const child = startChild(program, words, folder)
  await child.ready(ports.world)
  return {
    url: `http://127.0.0.1:${ports.world}`,
    async stop() {
      await child.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function atPorts(text: string, { world, backend, planes }: Ports): string {
  return text.replaceAll(/\b(8080|8000|7423)\b/g, (port) =>
    String({ '8080': world, '8000': backend, '7423': planes }[port]),
  )
}

/** The example's FastAPI service under uvicorn, with a database of its own. */
export async function startFastapi(port: number, databaseUrl: string): Promise<Running> {
  const program = programOf('uvicorn')
  if (program === undefined) throw new Error('There is no uvicorn.')
  const words = ['app:app', '--host', '127.0.0.1', '--port', String(port), '--no-access-log']
  const child = startChild(program, words, example, { DATABASE_URL: databaseUrl })
  await child.ready(port)
  return { url: `http://127.0.0.1:${port}`, stop: child.stop }
}

function startChild(
  program: string,
  words: readonly string[],
  folder: string,
  more: Readonly<Record<string, string>> = {},
) {
  const env = {
    ...process.env,
    ...more,
    HOME: folder,
    PYTHONDONTWRITEBYTECODE: '1',
    XDG_DATA_HOME: tmpdir(),
    XDG_CONFIG_HOME: tmpdir(),
  }
  const child = spawn(program, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(-4000)
    })
  return {
    async ready(port: number) {
      for (let looks = 0; looks < 200 && child.exitCode === null; looks += 1) {
        const answered = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1000) }).then(
          // Traefik answers so until it has read its routes.
          async (response) => (await response.text()) !== '404 page not found\n',
          () => false,
        )
        if (answered) return
        await pause(50)
      }
      await stopChild(child)
      throw new Error(`${program} did not start: ${said}`)
    },
    stop: () => stopChild(child),
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const hard = setTimeout(() => child.kill('SIGKILL'), 3000)
  await gone
  clearTimeout(hard)
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(): Promise<Ports> {
  const ports = new Set<number>()
  while (ports.size < 3) ports.add(await freePort())
  const [world = 0, backend = 0, planes = 0] = ports
  return { world, backend, planes }
}
