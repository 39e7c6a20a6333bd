import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Failure } from '../primitives/index.ts'
import { catchSignals, runChild, type Signals } from './child.ts'
import type { Terminal } from './terminal.ts'

export type ConfinedOptions = {
  readonly relay: string
  /** `ADDRESS,PORT` of the database, which this network has for itself. */
  readonly listen?: readonly string[]
  readonly user: string
  readonly group: string
}

/** The inside of a confinement: the database's addresses lead to the relay, and the command has no power over the network. */
export async function confined(
  io: Terminal,
  command: readonly string[],
  options: ConfinedOptions,
): Promise<number> {
  if (!process.send) throw new Failure('option_invalid', 'This is started by `sallyport migrate` alone.')
  const signals = catchSignals()
  process.once('disconnect', () => void endChild(signals))
  const servers = await listenAll(options.listen ?? [], options.relay).catch((cause: unknown) => {
    // An open channel would keep this process, and whoever waits for it.
    process.disconnect()
    throw cause
  })
  process.send('started')
  process.channel?.unref()
  const owner = [`--map-user=${options.user}`, `--map-group=${options.group}`]
  const env = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  const code = await runChild(io, ['unshare', '--user', ...owner, '--', ...command], { env, signals })
  for (const server of servers) server.close()
  if (process.connected) process.disconnect()
  process.exit(code)
}

const graceMilliseconds = 3_000

/** First as an operator would, so that it can clean up, and then for good. */
export async function endChild({ child }: Pick<Signals, 'child'>): Promise<void> {
  child?.kill('SIGTERM')
  await pause(graceMilliseconds, undefined, { ref: false })
  child?.kill('SIGKILL')
}

/** Of a name with several addresses some may not be there, such as IPv6; none of all is a breakage. */
async function listenAll(places: readonly string[], relay: string): Promise<readonly Server[]> {
  const opened = await Promise.allSettled(places.map((place) => listenTo(place, relay)))
  const servers = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  if (places.length > 0 && servers.length === 0)
    throw new Failure('internal', 'The address of the database cannot be had inside.')
  return servers
}

async function listenTo(place: string, relay: string): Promise<Server> {
  const [host = '', port = ''] = place.split(',')
  const server = createServer((near) => {
    const far = connect(relay)
    near.pipe(far).pipe(near)
    // Either side that ends or fails takes the other with it.
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
  }).listen({ host, port: Number(port) })
  await once(server, 'listening')
  return server
}
