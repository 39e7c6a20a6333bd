import { spawnSync } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { realpathSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, isIP, type NetConnectOpts, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { DatabaseTarget } from '../migration/index.ts'
import { Failure, unmappedAddress } from '../primitives/index.ts'
import { listeningSockets } from './listening-sockets.ts'

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
  if (status !== 0) return 'it forbids user namespaces, or there is no `ip` (iproute2)'
  const { hidden } = listeningSockets()
  return hidden.length === 0
    ? undefined
    : `somebody listens to a Unix socket that cannot be covered: ${hidden.join('; ')}`
}

const namespaces = ['--user', '--map-root-user', '--net', '--mount', '--'] as const

// A user's PATH often has no folder of the administrator's.
const withTools = 'set -e; path=$PATH; PATH=$PATH:/usr/sbin:/sbin'

/** Folders and sockets by which a process of this user reaches others that have a network: they are covered, also for what begins there later. */
const doors =
  '/run/user /run/dbus /run/systemd /run/nscd /run/docker.sock /run/containerd /run/podman /run/snapd.socket'

// Arguments: the hosts file, the relay and the socket of the database it stands for, addresses, `--`, sockets to cover, `--`, the command.
const entering = `${withTools}
ip link set lo up
[ ! -e /etc/hosts ] || mount --bind "$1" /etc/hosts; shift
relay=$1 socket=$2; shift 2
while [ "$1" != -- ]; do ip address add "$1" dev lo; shift; done; shift
while [ "$1" != -- ]; do [ ! -S "$1" ] || mount --bind /dev/null "$1" || [ ! -S "$1" ]; shift; done; shift
for door in ${doors}; do
  if [ -d "$door" ]; then
    mount -t tmpfs none "$door"
    case $socket in "$door"/*) mkdir -p "\${socket%/*}"; : > "$socket" ;; esac
    mount -o remount,ro "$door"
  elif [ -e "$door" ]; then mount --bind /dev/null "$door"; fi
done
[ "$socket" = - ] || mount --bind "$relay" "$socket"
PATH=$path; exec "$@"`

/** `holds` is asked before every piece: what the holder of a lost lease writes goes nowhere. Throws `database_unreachable`. */
export async function openConfinement(target: DatabaseTarget, holds: () => boolean): Promise<Confinement> {
  const { hosts, addresses, socket } = await wayTo(target)
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  const hostsFile = join(folder, 'hosts')
  await writeFile(hostsFile, [...hosts, '127.0.0.1 localhost', '::1 localhost', ''].join('\n'))
  const path = join(folder, 'database')
  const listening = listeningSockets().paths
  const relay = await openRelay(socket === undefined ? target : { path: socket }, path, holds)
  const listen = target.kind === 'tcp' ? addresses.map((address) => `--listen=${address},${target.port}`) : []
  const added = addresses.filter((address) => !/^(127\.|::1$)/.test(address))
  const networks = added.map((one) => `${one}/${isIP(one) === 6 ? 128 : 32}`)
  const inner = [process.execPath, process.argv[1] ?? '', 'confined', `--relay=${path}`, ...listen]
  const owner = [`--user=${process.getuid?.() ?? 0}`, `--group=${process.getgid?.() ?? 0}`]
  const setting = [
    'sh',
    '-c',
    entering,
    'sh',
    hostsFile,
    path,
    socket ?? '-',
    ...networks,
    '--',
    ...listening,
  ]
  return {
    prefix: ['unshare', ...namespaces, ...setting, '--', ...inner, ...owner, '--'],
    async close() {
      relay.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What the command needs to reach the database as its connection string says: a name, addresses, or a socket in the file system. */
async function wayTo(target: DatabaseTarget): Promise<{
  readonly hosts: readonly string[]
  readonly addresses: readonly string[]
  readonly socket?: string
}> {
  if (target.kind === 'unix') {
    try {
      // The system names its sockets so, whatever links lead there.
      const socket = realpathSync(join(target.folder, `.s.PGSQL.${target.port}`))
      return { hosts: [], addresses: [], socket }
    } catch (cause) {
      throw new Failure('database_unreachable', 'The socket of the database is not there.', { cause })
    }
  }
  const addresses = await addressesOf(target.host)
  return { addresses, hosts: addresses.map((address) => `${address} ${target.host}`) }
}

/** What a name stands for. An address of IPv4 in one of IPv6 is reached by IPv4, so that is the one which has to be there. */
async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => unmappedAddress(address))
  } catch (cause) {
    throw new Failure('database_unreachable', 'The host of the database is not known.', { cause })
  }
}

/** Sessions of one migration. */
const connectionsMax = 100

async function openRelay(
  database: NetConnectOpts,
  path: string,
  holds: () => boolean,
): Promise<{ close(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    if (!holds() || sockets.size >= 2 * connectionsMax) {
      near.destroy()
      return
    }
    const far = connect(database)
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
