import { type Bench, fixed, wallMilliseconds } from './harness.ts'
import { agentRequests, createBrokerHome } from './rig/broker.ts'
import { cast } from './rig/contract.ts'
import { sendOne } from './rig/load.ts'
import { unpinnable } from './rig/pinned.ts'
import { seedLeases } from './rig/seed.ts'

const budgetMilliseconds = 2_000

/** From the start of the process to the first credential, with many leases alive. */
export const restart: Bench = {
  name: 'restart',
  title: 'from starting the process to its first credential, with 100 000 live leases',
  rounds: { full: 5, short: 1 },
  open: async (scale, world) => {
    const skipped = unpinnable()
    if (skipped !== undefined) return [{ row: 'all', skipped }]
    const count = scale === 'full' ? 100_000 : 5_000
    const home = await createBrokerHome(world)
    await seedLeases(home.dataFolder('http'), { tenant: cast.tenants[0], count })
    const [request = ''] = agentRequests(home.issuer)
    const run = async () => {
      const started = performance.now()
      const broker = await home.start('http')
      const waited = performance.now() - started
      const answered = await wallMilliseconds(() => sendOne(broker.port, request, 201))
      await broker.process.stop()
      return waited + answered
    }
    return [
      {
        row: `first credential with ${count} live leases`,
        subject: { name: 'sallyport serve', run },
        against: fixed('2 s', budgetMilliseconds),
        goal: 1,
        unit: 'ms',
      },
    ]
  },
}
