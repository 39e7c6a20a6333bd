import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import {
  type Assembled,
  type AssembleOptions,
  assemble,
  type ContractAlerter,
  systemClock,
} from '../catalog/index.ts'
import { Failure } from '../primitives/index.ts'
import {
  connectionLimits,
  createDoor,
  createMetrics,
  createRateLimiter,
  type Metrics,
  type PlaneParts,
  type RateLimits,
  type RefusalLimits,
  type TlsMaterial,
} from '../server/http/index.ts'
import { createHumanListener } from '../server/human/index.ts'
import { createMachineListener } from '../server/machine/index.ts'
import { watchCosigning } from './cosigning.ts'
import { type ListenAt, refuseOpenBind } from './listen-at.ts'
import { version } from './version.ts'

export type RunOptions = AssembleOptions & {
  readonly machine: ListenAt
  readonly human: ListenAt
  readonly tls?: TlsMaterial
  /** Other bounds than those that `rateLimits` and `refusalLimits` name. */
  readonly rates?: Partial<RateLimits & RefusalLimits>
  /** One line of the operator's log. */
  readonly note: (line: Readonly<Record<string, unknown>>) => void
}

export type RunningBroker = {
  readonly assembled: Assembled
  readonly machineUrl: string
  readonly humanUrl: string
  readonly stop: () => Promise<void>
}

/** Assembles a broker, opens both listeners and turns its reconciler. Throws `option_invalid` for plain HTTP beyond loopback. */
export async function runBroker(options: RunOptions): Promise<RunningBroker> {
  if (!options.tls) for (const { host } of [options.machine, options.human]) refuseOpenBind(host)
  const metrics = createMetrics()
  const { meter = (ledger) => ledger } = options
  const assembled = await assemble({ ...options, meter: (ledger) => metrics.metered(meter(ledger)) })
  const { broker, identifier, log, alerter, cosigning } = assembled
  watchAlerts(metrics, alerter)
  if (cosigning) watchCosigning(metrics, cosigning)
  const parts: PlaneParts = {
    broker,
    identifier,
    metrics,
    reader: log,
    copyStore: assembled.copyStore,
    version,
    now: systemClock.now,
    log: options.note,
    door: createDoor(),
    limiter: createRateLimiter(systemClock.now, options.rates),
    ...(options.rates ? { refusalLimits: options.rates } : {}),
    ...(options.tls ? { tls: options.tls } : {}),
  }
  const machine = createMachineListener(parts)
  const human = createHumanListener(parts)
  const stopping = new AbortController()
  let turning: Promise<unknown> = Promise.resolve()
  const stop = async () => {
    await Promise.all([machine.close(), human.close()])
    stopping.abort()
    await turning
    await assembled.close()
  }
  const scheme = options.tls ? 'https' : 'http'
  try {
    await broker.recordStart(newRequestId())
    const onFailure = (failure: Failure) => options.note(told(failure))
    turning = Promise.all([
      broker.run({ signal: stopping.signal, newRequestId, onFailure }),
      cosigning?.run(stopping.signal),
    ])
    const machineUrl = await listen(machine, options.machine, scheme)
    const humanUrl = await listen(human, options.human, scheme)
    return { assembled, machineUrl, humanUrl, stop }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}

/** Whether people hear of what they must look at. */
function watchAlerts(metrics: Metrics, alerter: ContractAlerter): void {
  const outcomes = ['delivered', 'failed', 'dropped', 'repeated'] as const
  metrics.count({
    name: 'sallyport_alerts_total',
    help: 'Alerts, by target and what came of them.',
    labelNames: ['target', 'outcome'],
    read: () =>
      [...alerter.stats()].flatMap(([target, stats]) =>
        outcomes.map((outcome) => ({ labels: { target, outcome }, value: stats[outcome] })),
      ),
  })
  metrics.watch({
    name: 'sallyport_alerts_waiting',
    help: 'Alerts that their target has not taken yet.',
    label: 'target',
    read: () => new Map([...alerter.stats()].map(([target, { waiting }]) => [target, waiting])),
  })
}

function newRequestId(): string {
  return randomBytes(16).toString('hex')
}

function told({ code, message, internal }: Failure): Readonly<Record<string, unknown>> {
  return { level: 'error', code, message, internal }
}

async function listen(app: FastifyInstance, { host, port }: ListenAt, scheme: string): Promise<string> {
  const shown = host.includes(':') ? `[${host}]` : host
  try {
    // What is not accepted yet waits in the kernel; it would drop what comes past a smaller number, and its sender would try again after a second.
    await app.listen({ host, port, backlog: connectionLimits.connectionsMax })
  } catch (cause) {
    const word = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    const why = unlistenable[word] ?? 'cannot be listened on'
    const next = 'choose another port; 0 takes a free one'
    throw new Failure('option_invalid', `The address ${shown}:${port} ${why}.`, { cause, next })
  }
  return `${scheme}://${shown}:${portOf(app.server.address()) ?? port}`
}

/** By the words of the operating system. */
const unlistenable: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process',
  EADDRNOTAVAIL: 'is none of this machine',
  EACCES: 'is not for this user to listen on',
  ENOTFOUND: 'has a host that is not known',
}

function portOf(address: string | AddressInfo | null): number | undefined {
  return typeof address === 'object' ? address?.port : undefined
}
