import type { Contender } from '../harness.ts'
import { type Answers, type Load, type Stream, send } from './load.ts'
import type { Pinned } from './pinned.ts'

type Server = { readonly process: Pinned; readonly port: number }

type Ask = Pick<Stream, 'requests'> & {
  readonly tls?: Load['tls'] & object
  /** What every answer must be; absent is any success. */
  readonly status?: number
}

/** Ways to measure a server under load; each run is one bounded load. */
export function createContenders(bounds: { readonly connections: number; readonly seconds: number }) {
  const { connections, seconds } = bounds
  const run = async (server: Server, { requests, tls, status }: Ask, ratePerSecond?: number) => {
    const stream = {
      name: 'load',
      requests,
      connections,
      ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
    }
    const [answers] = await send({
      port: server.port,
      ...(tls ? { tls } : {}),
      streams: [stream],
      warmSeconds: 0.1,
      seconds,
    })
    return answered(answers, status)
  }
  return {
    /** Requests a second of wall time. */
    rate: (name: string, server: Server, ask: Ask): Contender => ({
      name,
      run: async () => (await run(server, ask)).perSecond,
    }),
    /** Requests for each second of the server's CPU time. */
    perCpuSecond: (name: string, server: Server, ask: Ask): Contender => ({
      name,
      async run() {
        const before = server.process.cpuMicroseconds()
        const { perSecond } = await run(server, ask)
        return (perSecond * (seconds + 0.1)) / ((server.process.cpuMicroseconds() - before) / 1e6)
      },
    }),
    /** Milliseconds below which 99 of 100 answers come, at a rate. */
    p99: (
      name: string,
      server: Server,
      { ratePerSecond, ...ask }: Ask & { ratePerSecond: number },
    ): Contender => ({
      name,
      run: async () => (await run(server, ask, ratePerSecond)).p99,
    }),
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
