import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { type Assembled, type AssembleOptions, assemble } from '../catalog/index.ts'
import { Failure } from '../primitives/index.ts'
import { createMetrics, type PlaneParts, type TlsMaterial } from '../server/http/index.ts'
import { createHumanListener } from '../server/human/index.ts'
import { createMachineListener } from '../server/machine/index.ts'
import { version } from './version.ts'

export type ListenAt = { readonly host: string; readonly port: number }

export type RunOptions = Omit<AssembleOptions, 'meter'> & {
  readonly machine: ListenAt
  readonly human: ListenAt
  readonly tls?: TlsMaterial
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
  const assembled = await assemble({ ...options, meter: (ledger) => metrics.metered(ledger) })
  const { broker, identifier, log } = assembled
  const newRequestId = () => randomBytes(16).toString('hex')
  const parts: PlaneParts = {
    broker,
    identifier,
    metrics,
    reader: log,
    version,
    now: () => Date.now(),
    log: options.note,
    ...(options.tls ? { tls: options.tls } : {}),
  }
  const machine = createMachineListener(parts)
  const human = createHumanListener(parts)
  const stopping = new AbortController()
  await broker.recordStart(newRequestId())
  const turning = broker.run({
    signal: stopping.signal,
    newRequestId,
    onFailure: (failure) =>
      options.note({
        level: 'error',
        code: failure.code,
        message: failure.message,
        internal: failure.internal,
      }),
  })
  const scheme = options.tls ? 'https' : 'http'
  return {
    assembled,
    machineUrl: await listen(machine, options.machine, scheme),
    humanUrl: await listen(human, options.human, scheme),
    async stop() {
      await Promise.all([machine.close(), human.close()])
      stopping.abort()
      await turning
      await assembled.close()
    },
  }
}

function refuseOpenBind(host: string): void {
  if (host === '127.0.0.1' || host === '::1' || host === 'localhost') return
  throw new Failure('option_invalid', `Without TLS the broker listens on loopback alone, not on ${host}.`, {
    next: 'give --tls-cert, --tls-key and --client-ca',
  })
}

async function listen(app: FastifyInstance, { host, port }: ListenAt, scheme: string): Promise<string> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    throw new Failure('option_invalid', `The address ${host}:${port} cannot be listened on.`, {
      cause,
      next: 'choose another port; 0 takes a free one',
    })
  }
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${portOf(app.server.address()) ?? port}`
}

function portOf(address: string | AddressInfo | null): number | undefined {
  return typeof address === 'object' ? address?.port : undefined
}
