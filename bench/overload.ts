import { type Bench, fixed, type Scale } from './harness.ts'
import { agentRequests, createBrokerHome } from './rig/broker.ts'
import { cast } from './rig/contract.ts'
import { type Answers, type Stream, send } from './rig/load.ts'
import { unpinnable } from './rig/pinned.ts'

const seconds: Readonly<Record<Scale, number>> = { full: 4, short: 1 }
const besideSeconds: Readonly<Record<Scale, number>> = { full: 6, short: 3 }
const bestConnections = 64
const manyConnections = 1024
/** Enough that a p99 is of more than a few: 600 in a short run. An eighth of what the flood gets, or less. */
const quietPerSecond = 200
const atOnceMilliseconds = 250

/** What is left of the best rate when four times of it is asked for, and what one tenant's flood costs another. */
export const overload: Bench = {
  name: 'overload',
  title: 'issuing under four times the load that can be served, and beside the flood of one tenant',
  rounds: { full: 5, short: 1 },
  open: async (scale, world) => {
    const skipped = unpinnable()
    if (skipped !== undefined) return [{ row: 'all', skipped }]
    const home = await createBrokerHome(world)
    const broker = await home.start('http')
    const [flooding, quiet] = cast.tenants
    const everybody = agentRequests(home.issuer)
    const run = (...streams: readonly Stream[]) =>
      send({ port: broker.port, streams, warmSeconds: 0.5, seconds: seconds[scale] })
    // All connections of a flood are accepted and proven within two seconds; what that costs is not in the figure.
    const runSettled = (...streams: readonly Stream[]) =>
      send({ port: broker.port, streams, warmSeconds: 2, seconds: besideSeconds[scale] })
    const best = async () =>
      refusedWell(await run({ name: 'best', requests: everybody, connections: bestConnections })).perSecond
    await best()
    const fourfold = {
      name: '4 x',
      requests: everybody,
      connections: manyConnections,
      ratePerSecond: 4 * (await best()),
    }
    const others = {
      name: 'others',
      requests: agentRequests(home.issuer, { tenant: quiet }),
      connections: 16,
      ratePerSecond: quietPerSecond,
    }
    const flood = {
      name: 'flood',
      requests: agentRequests(home.issuer, { tenant: flooding }),
      connections: manyConnections / 2,
      ratePerSecond: fourfold.ratePerSecond,
      background: true as const,
    }
    return [
      {
        row: 'issued at 4 x the load',
        subject: { name: 'sallyport', run: async () => refusedWell(await run(fourfold)).perSecond },
        against: { name: 'its best rate', run: best },
        goal: 0.6,
        wants: 'at least',
        unit: 'issued/s',
      },
      {
        row: 'p99 of the refusals at 4 x the load',
        subject: { name: 'sallyport', run: async () => p99OfRefusals(refusedWell(await run(fourfold))) },
        against: fixed('250 ms', atOnceMilliseconds),
        goal: 1,
        unit: 'ms',
      },
      {
        row: 'p99 of a tenant beside a flood',
        subject: {
          name: 'sallyport',
          run: async () => p99WhenServed(await runSettled(others, flood), 'others'),
        },
        against: {
          name: 'the same tenant without it',
          run: async () => p99WhenServed(await runSettled(others), 'others'),
        },
        goal: 3,
        unit: 'ms',
      },
    ]
  },
}

/** The only stream's answers; throws for a refusal that does not say when to come back, and for anything but answers. */
function refusedWell([answers]: readonly Answers[]): Answers {
  if (!answers) throw new Error('There was no load.')
  const statuses = Object.keys(answers.refused).filter((status) => status !== '429' && status !== '503')
  if (statuses.length === 0 && answers.withoutRetryAfter === 0 && answers.brokenConnections === 0)
    return answers
  throw new Error(`Not refused as it should be: ${JSON.stringify(answers)}`)
}

/** Without a refusal nothing is shown: no bound holds then. */
function p99OfRefusals({ refusedPerSecond, refusedP99 }: Answers): number {
  return refusedPerSecond > 0 ? refusedP99 : Number.POSITIVE_INFINITY
}

/** Of one stream of several; for ever when it was not answered, or anything of it refused. */
function p99WhenServed(streams: readonly Answers[], name: string): number {
  const answers = streams.find((one) => one.name === name)
  const isServed = answers && answers.perSecond > 0 && answers.refusedPerSecond === 0
  return isServed ? answers.p99 : Number.POSITIVE_INFINITY
}
