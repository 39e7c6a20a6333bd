import { setTimeout as pause } from 'node:timers/promises'
import { type Bench, fixed, median } from './harness.ts'
import { agentRequests, createBrokerHome } from './rig/broker.ts'
import { startFloor } from './rig/floor-process.ts'
import { send } from './rig/load.ts'
import { type Pinned, unpinnable } from './rig/pinned.ts'

const connections = 64

/** Resident memory while credentials are issued, against its own some time before, and against a bare server under the same load. */
export const memory: Bench = {
  name: 'memory',
  title: 'resident memory over a million issuances',
  rounds: { full: 1, short: 1 },
  open: async (scale, world) => {
    const skipped = unpinnable()
    if (skipped !== undefined) return [{ row: 'all', skipped }]
    const wanted = scale === 'full' ? 1_000_000 : 6_000
    const home = await createBrokerHome(world)
    const broker = await home.start('http')
    const bare = await startFloor(world, { kind: 'static' })
    const requests = agentRequests(home.issuer)
    const load = async (server: { process: Pinned; port: number }, seconds: number) => {
      const [answers] = await send({
        port: server.port,
        streams: [{ name: 'load', requests, connections }],
        warmSeconds: 0,
        seconds,
      })
      if (!answers || answers.refusedPerSecond > 0) throw new Error(`Refused: ${JSON.stringify(answers)}`)
      return answers.perSecond * seconds
    }
    const resident: number[] = []
    const seconds = scale === 'full' ? 10 : 1
    for (let issued = 0; issued < wanted; resident.push(await settled(broker.process)))
      issued += await load(broker, seconds)
    await load(bare, seconds)
    const half = Math.ceil(resident.length / 2)
    const [first, second] = [median(resident.slice(1, half + 1)), median(resident.slice(half))]
    return [
      {
        row: `the second half of ${wanted} issuances`,
        subject: fixed('sallyport', second / 1e6),
        against: fixed('the first half', first / 1e6),
        goal: 1.1,
        unit: 'MB',
      },
      {
        row: 'the whole process',
        subject: fixed('sallyport', second / 1e6),
        against: fixed('bare Fastify under the same load', (await settled(bare.process)) / 1e6),
        goal: 2.5,
        unit: 'MB',
      },
    ]
  },
}

/** What is resident in the half second after a load: the highest, so that no collection flatters it. */
async function settled(process: Pinned): Promise<number> {
  const seen: number[] = []
  for (let look = 0; look < 5; look += 1) {
    seen.push(process.residentBytes())
    await pause(100)
  }
  return Math.max(...seen)
}
