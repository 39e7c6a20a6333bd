import { createSecureContext } from 'node:tls'
import type { PolicyChoice } from '../catalog/index.ts'
import { Failure, Secret } from '../primitives/index.ts'
import type { RateLimits, TlsMaterial } from '../server/http/index.ts'
import { read } from './connection.ts'
import { type WitnessOptions, witnessesOf } from './cosigning.ts'
import { shapeHeap } from './heap.ts'
import { listenAt } from './listen-at.ts'
import { type RunningBroker, runBroker } from './running-broker.ts'
import { jsonText, type Terminal, untilSignal } from './terminal.ts'

export type ServeOptions = WitnessOptions & {
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
  /** Requests in a second. */
  readonly agentRate?: string
  readonly tenantRate?: string
}

/** `sallyport serve`: the broker of one environment, until SIGTERM. Its log is JSON lines on stderr. */
export async function serve(io: Terminal, options: ServeOptions): Promise<number> {
  shapeHeap()
  // Before there is anything to close: a stop that comes early is a stop all the same.
  const stopped = untilSignal()
  const note = (line: Readonly<Record<string, unknown>>) =>
    io.say(jsonText({ time: new Date().toISOString(), ...line }))
  const tls = tlsOf(options)
  const running = await runBroker({
    contractFile: options.contract,
    dataFolder: options.data,
    environment: process.env,
    machine: listenAt(options.machine),
    human: listenAt(options.human),
    policy: policyOf(options),
    rates: ratesOf(options),
    ...witnessesOf(options),
    ...(tls ? { tls } : {}),
    note,
  })
  const started = describe(running)
  if (io.json) io.data(started)
  else io.out(readable(started))
  note({ level: 'info', message: `stopping on ${await stopped}: no new work, what is under way is finished` })
  await running.stop()
  note({ level: 'info', message: 'stopped' })
  return 0
}

function describe({ assembled, machineUrl, humanUrl }: RunningBroker) {
  return {
    mode: assembled.mode.name,
    contract: assembled.contract.digest,
    machine: machineUrl,
    human: humanUrl,
    log_key: assembled.log.vkey,
  }
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
  // Another policy would decide than the one that is meant.
  if (options.opaTokenFile !== undefined) {
    throw new Failure('option_invalid', '--opa-token-file is for an OPA server, and none is named.', {
      next: 'give --opa-url too, or leave --opa-token-file out',
    })
  }
  return options.policyBundle === undefined
    ? { kind: 'bundled' }
    : { kind: 'bundle', file: options.policyBundle }
}

/** A burst is what comes in two seconds. */
function ratesOf({ agentRate, tenantRate }: ServeOptions): Partial<RateLimits> {
  const [agent, tenant] = [perSecond('--agent-rate', agentRate), perSecond('--tenant-rate', tenantRate)]
  return {
    ...(agent === undefined ? {} : { agentPerSecond: agent, agentBurst: 2 * agent }),
    ...(tenant === undefined ? {} : { tenantPerSecond: tenant, tenantBurst: 2 * tenant }),
  }
}

function perSecond(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9][0-9]{0,6}$/.test(text)) return Number(text)
  throw new Failure('option_invalid', `${flag} takes whole requests in a second, from 1 to 9999999.`)
}

function tlsOf({ tlsCert, tlsKey, clientCa }: ServeOptions): TlsMaterial | undefined {
  if (tlsCert === undefined && tlsKey === undefined && clientCa === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined || clientCa === undefined) {
    throw new Failure('option_invalid', '--tls-cert, --tls-key and --client-ca go together.')
  }
  const material = { certificate: read(tlsCert), key: read(tlsKey), clientCa: read(clientCa) }
  try {
    createSecureContext({ cert: material.certificate, key: material.key })
  } catch (cause) {
    throw new Failure('option_invalid', `${tlsCert} and ${tlsKey} are not a certificate and its key.`, {
      cause,
    })
  }
  if (!/-----BEGIN CERTIFICATE-----/.test(material.clientCa))
    throw new Failure('option_invalid', `There is no certificate in ${clientCa}.`)
  return material
}
