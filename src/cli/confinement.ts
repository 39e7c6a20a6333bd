import { spawnSync } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, isIP, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { DatabaseTarget } from '../migration/index.ts'
import { Failure } from '../primitives/index.ts'

/** A network of its own in which there is one address, and behind it this process, which passes on to the database. */
export type Confinement = {
  /** What a command is started with to be in it; it needs an IPC channel, and writes on it as soon as the command is started. */
  readonly prefix: readonly string[]
  close(): Promise<void>
}

/** Why this machine cannot confine; `undefined` when it can. */
export function unconfinable(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux can'
  const { status, error } = spawnSync(
    'unshare',
    [...namespaces, 'sh', '-c', `${withTools}; ip link set lo up`],
    {
      stdio: 'ignore',
      timeout: 10_000,
    },
  )
  if (error) return 'there is no `unshare` (util-linux)'
  return status === 0 ? undefined : 'it forbids user namespaces, or there is no `ip` (iproute2)'
}

const namespaces = ['--user', '--map-root-user', '--net', '--mount', '--'] as const

// A user's PATH often has no folder of the administrator's.
const withTools = 'set -e; path=$PATH; PATH=$PATH:/usr/sbin:/sbin'

/** Sockets in the file system by which a process of this user reaches others that have a network: they are covered. */
const doors =
  '/run/user /run/dbus /run/systemd /run/nscd /run/docker.sock /run/containerd /run/podman /run/snapd.socket'

const entering = `${withTools}
ip link set lo up
[ ! -e /etc/hosts ] || mount --bind "$1" /etc/hosts; shift
while [ "$1" != -- ]; do ip address add "$1" dev lo; shift; done; shift
for door in ${doors}; do
  if [ -d "$door" ]; then mount -t tmpfs -o ro none "$door"
  elif [ -e "$door" ]; then mount --bind /dev/null "$door"; fi
done
PATH=$path; exec "$@"`

/** `holds` is asked before every piece: what the holder of a lost lease writes goes nowhere. Throws `database_unreachable`. */
export async function openConfinement(target: DatabaseTarget, holds: () => boolean): Promise<Confinement> {
  const addresses = target.kind === 'tcp' ? await addressesOf(target.host) : []
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  const hosts = join(folder, 'hosts')
  const names = target.kind === 'tcp' ? addresses.map((address) => `${address} ${target.host}`) : []
  await writeFile(hosts, [...names, '127.0.0.1 localhost', '::1 localhost', ''].join('\n'))
  const path = join(folder, 'database')
  const relay = target.kind === 'tcp' ? await openRelay(target, path, holds) : undefined
  const listen = target.kind === 'tcp' ? addresses.map((address) => `--listen=${address},${target.port}`) : []
  const added = addresses.filter((address) => !/^(127\.|::1$)/.test(address))
  const inner = [process.execPath, process.argv[1] ?? '', 'confined', `--relay=${path}`, ...listen]
  const owner = [`--user=${process.getuid?.() ?? 0}`, `--group=${process.getgid?.() ?? 0}`]
  const setting = [
    'sh',
    '-c',
    entering,
    'sh',
    hosts,
    ...added.map((one) => `${one}/${isIP(one) === 6 ? 128 : 32}`),
  ]
  return {
    prefix: ['unshare', ...namespaces, ...setting, '--', ...inner, ...owner, '--'],
    async close() {
      relay?.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch (cause) {
    throw new Failure('database_unreachable', 'The host of the database is not known.', { cause })
  }
}

/** Sessions of one migration. */
const connectionsMax = 100

async function openRelay(
  { host, port }: Extract<DatabaseTarget, { kind: 'tcp' }>,
  path: string,
  holds: () => boolean,
): Promise<{ close(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    if (!holds() || sockets.size >= 2 * connectionsMax) {
      near.destroy()
      return
    }
    const far = connect({ host, port })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    }
    const fenced = new Transform({
      transform: (piece, _, done) => (holds() ? done(null, piece) : done(new Error('the lease is lost'))),
    })
    // Either side that fails takes the other with it; the client sees a connection that is gone.
    const end = () => [near, far].forEach((socket) => void socket.destroy())
    pipeline(near, fenced, far).catch(end)
    pipeline(far, near).catch(end)
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(path, resolve)
  await promise
  return {
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
