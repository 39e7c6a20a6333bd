import type { Contender } from '../harness.ts'
import { type Answers, type Load, type Stream, send } from './load.ts'
import type { Pinned } from './pinned.ts'

type Server = { readonly process: Pinned; readonly port: number }

type Ask = Pick<Stream, 'requests' | 'requestsPerConnection'> & {
  readonly tls?: Load['tls'] & object
  /** What every answer must be; absent is any success. */
  readonly status?: number
}

/** How long a load is sent before anything is counted: a moment, so that connections are there. */
const connectSeconds = 0.1

/** A warm-up ends after this many seconds, however little was answered. */
const warmSecondsMax = 10

/**
 * Ways to measure a server under load; each run is one bounded load. `warmRequests` are sent to every server before its first: a JIT compiler
 * needs some ten thousand until it is through, on both sides.
 */
export function createContenders(bounds: {
  readonly connections: number
  readonly seconds: number
  readonly warmRequests?: number
}) {
  const { connections, seconds, warmRequests = 0 } = bounds
  const run = async (
    server: Server,
    ask: Ask,
    options: { ratePerSecond?: number; onCounting?: () => void },
  ) => {
    const { tls, status, ...stream } = ask
    const { onCounting, ...rate } = options
    const load = {
      port: server.port,
      ...(tls ? { tls } : {}),
      streams: [{ name: 'load', ...stream, ...rate, connections }],
      warmSeconds: connectSeconds,
    }
    if (!warm.has(server.process)) await warmUp(load, warmRequests)
    warm.add(server.process)
    const [answers] = await send({ ...load, seconds }, onCounting)
    return answered(answers, status)
  }
  return {
    /** Requests a second of wall time. */
    rate: (name: string, server: Server, ask: Ask): Contender => ({
      name,
      run: async () => (await run(server, ask, {})).perSecond,
    }),
    /** Requests for each second of the server's CPU time. */
    perCpuSecond: (name: string, server: Server, ask: Ask): Contender => ({
      name,
      async run() {
        let before = Number.NaN
        const onCounting = () => {
          before = server.process.cpuMicroseconds()
        }
        const { perSecond } = await run(server, ask, { onCounting })
        return (perSecond * seconds) / ((server.process.cpuMicroseconds() - before) / 1e6)
      },
    }),
    /** Milliseconds below which 99 of 100 answers come, at a rate. */
    p99: (
      name: string,
      server: Server,
      { ratePerSecond, ...ask }: Ask & { ratePerSecond: number },
    ): Contender => ({
      name,
      run: async () => (await run(server, ask, { ratePerSecond })).p99,
    }),
  }
}

const warm = new WeakSet<Pinned>()

async function warmUp(load: Omit<Load, 'seconds'>, requests: number): Promise<void> {
  for (let [sent, second] = [0, 0]; sent < requests && second < warmSecondsMax; second += 1) {
    const [answers] = await send({ ...load, seconds: 1 })
    sent += (answers?.perSecond ?? 0) + (answers?.refusedPerSecond ?? 0)
  }
}

/** The answers, when every one of them was what was asked for. */
function answered(answers: Answers | undefined, status: number | undefined): Answers {
  if (!answers) throw new Error('The load had no stream.')
  const { refused, refusedPerSecond, perSecond, brokenConnections } = answers
  if (status !== undefined && Object.keys(refused).join() === String(status) && perSecond === 0)
    return { ...answers, perSecond: refusedPerSecond, p99: answers.refusedP99 }
  if (refusedPerSecond === 0 && perSecond > 0 && brokenConnections === 0) return answers
  throw new Error(`Not every request was answered as it should be: ${JSON.stringify(answers)}`)
}
