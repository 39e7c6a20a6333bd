import { readFileSync } from 'node:fs'
import type { PolicyChoice } from '../catalog/index.ts'
import { Failure, Secret } from '../primitives/index.ts'
import type { TlsMaterial } from '../server/http/index.ts'
import { type ListenAt, runBroker } from './running-broker.ts'
import { type Terminal, untilSignal } from './terminal.ts'

export type ServeOptions = {
  readonly contract: string
  readonly data: string
  readonly machine: string
  readonly human: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly clientCa?: string
  readonly policyBundle?: string
  readonly opaUrl?: string
  readonly opaTokenFile?: string
}

/** `sallyport serve`: the broker of one environment, until SIGTERM. Its log is JSON lines on stderr. */
export async function serve(io: Terminal, options: ServeOptions): Promise<number> {
  const tls = tlsOf(options)
  const running = await runBroker({
    contractFile: options.contract,
    dataFolder: options.data,
    environment: process.env,
    machine: listenAt(options.machine),
    human: listenAt(options.human),
    policy: policyOf(options),
    ...(tls ? { tls } : {}),
    note: (line) => io.say(JSON.stringify({ time: new Date().toISOString(), ...line })),
  })
  const { assembled, machineUrl, humanUrl } = running
  const started = {
    mode: assembled.mode.name,
    contract: assembled.contract.digest,
    machine: machineUrl,
    human: humanUrl,
    log_key: assembled.log.vkey,
  }
  io.out(io.json ? JSON.stringify(started) : readable(started))
  await untilSignal()
  await running.stop()
  return 0
}

function readable(started: Readonly<Record<string, string>>): string {
  return Object.entries(started)
    .map(([name, value]) => `${name.padEnd(9)} ${value}`)
    .join('\n')
}

function policyOf(options: ServeOptions): PolicyChoice {
  if (options.opaUrl !== undefined) {
    const token =
      options.opaTokenFile === undefined ? undefined : new Secret(read(options.opaTokenFile).trim())
    return { kind: 'server', url: options.opaUrl, ...(token ? { token } : {}) }
  }
  return options.policyBundle === undefined
    ? { kind: 'bundled' }
    : { kind: 'bundle', file: options.policyBundle }
}

function tlsOf({ tlsCert, tlsKey, clientCa }: ServeOptions): TlsMaterial | undefined {
  if (tlsCert === undefined && tlsKey === undefined && clientCa === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined || clientCa === undefined) {
    throw new Failure('option_invalid', '--tls-cert, --tls-key and --client-ca go together.')
  }
  return { certificate: read(tlsCert), key: read(tlsKey), clientCa: read(clientCa) }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Failure('option_invalid', `The file ${path} cannot be read.`, { cause })
  }
}

/** `HOST:PORT`; an IPv6 host stands in brackets. */
export function listenAt(text: string): ListenAt {
  const match = /^(?:\[([0-9a-f:]+)\]|([^:[\]]+)):([0-9]{1,5})$/i.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535) throw new Failure('option_invalid', `${text} is not HOST:PORT.`)
  return { host: match[1] ?? match[2] ?? '', port }
}
