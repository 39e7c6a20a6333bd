import { rmSync } from 'node:fs'
import { type Bench, fixed, wallMilliseconds } from './harness.ts'
import { createBrokerHome } from './rig/broker.ts'
import { cast, operatorOf } from './rig/contract.ts'
import { requestText, sendOne } from './rig/load.ts'
import { unpinnable } from './rig/pinned.ts'
import { seedLeases } from './rig/seed.ts'

const budgetMilliseconds = 2_000

/** Ending every lease of a tenant in one request. */
export const revoke: Bench = {
  name: 'revoke',
  title: 'ending 10 000 leases of one tenant in one request',
  rounds: { full: 5, short: 1 },
  open: async (scale, world) => {
    const skipped = unpinnable()
    if (skipped !== undefined) return [{ row: 'all', skipped }]
    const count = scale === 'full' ? 10_000 : 1_000
    const [tenant] = cast.tenants
    const home = await createBrokerHome(world)
    const run = async () => {
      rmSync(home.dataFolder('http'), { recursive: true, force: true })
      await seedLeases(home.dataFolder('http'), { tenant, count })
      const broker = await home.start('http')
      const headers = { authorization: `Bearer ${home.issuer.token(operatorOf(tenant))}` }
      const request = requestText({ method: 'POST', path: '/v1/revocations', headers, body: { tenant } })
      let answer = ''
      const milliseconds = await wallMilliseconds(async () => {
        answer = await sendOne(broker.port, request, 200)
      })
      await broker.process.stop()
      if (!answer.includes(`"unproven":${count}`)) throw new Error(`Not every lease ended: ${answer}`)
      return milliseconds
    }
    return [
      {
        row: `${count} jwt leases by tenant`,
        subject: { name: 'POST /v1/revocations', run },
        against: fixed('2 s', budgetMilliseconds),
        goal: 1,
        unit: 'ms',
      },
    ]
  },
}
