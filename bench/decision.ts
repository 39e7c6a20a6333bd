import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openWasmPolicy } from '../src/adapters/policy/opa-wasm/index.ts'
import { decide } from '../src/broker/decide.ts'
import { type Contract, type Grant, policyData } from '../src/contract/index.ts'
import { contractFixture } from '../src/testing/index.ts'
import { type Bench, cpuMicroseconds, fixed } from './harness.ts'

const wasm = readFileSync(join(import.meta.dirname, '../policies/bundle/policy.wasm'))
const decisionsEach = 2_000
const goalMicroseconds = 20

/** What a whole decision takes, the ceiling of the contract and OPA, however many grants and tenants there are. */
export const decision: Bench = {
  name: 'decision',
  title: 'microseconds of CPU for one decision, with few grants and with many',
  rounds: { full: 15, short: 3 },
  open: async () => [
    await comparison('10 grants of 1 tenant', { tenants: 1, grantsEach: 10 }),
    await comparison('100 000 grants of 10 000 tenants', { tenants: 10_000, grantsEach: 10 }),
  ],
}

async function comparison(row: string, size: { readonly tenants: number; readonly grantsEach: number }) {
  const contract = contractOf(size)
  const mode = contract.modes.get('LOCAL')
  if (!mode) throw new Error('The fixture has no mode LOCAL.')
  const engine = await openWasmPolicy({ wasm, data: policyData(contract) })
  const caller = {
    plane: 'machine',
    tenant: `tenant-${size.tenants - 1}`,
    agent: 'agent-7',
    roles: [],
    method: 'token',
    subject: '',
  } as const
  const { signal } = new AbortController()
  const decideAll = async () => {
    for (let index = 0; index < decisionsEach; index += 1) {
      const request = { service: 'orders-db', action: 'read-table', resource: `public.orders-${index}` }
      const answer = await decide({ contract, mode, engine, caller, request, signal })
      if (answer.kind !== 'allowed') throw new Error(`It was denied: ${answer.reason}`)
    }
  }
  return {
    row,
    subject: { name: 'decide', run: async () => (await cpuMicroseconds(decideAll)) / decisionsEach },
    against: fixed(`${goalMicroseconds} µs of CPU`, goalMicroseconds),
    goal: 1,
    unit: 'µs',
  }
}

/** Of each tenant's grants one covers what is asked, by a pattern; the others are for other services. */
function contractOf({ tenants, grantsEach }: { tenants: number; grantsEach: number }): Contract {
  const names = Array.from({ length: tenants }, (_, index) => `tenant-${index}`)
  const grants = names.flatMap((tenant): (Pick<Grant, 'id'> & Partial<Grant>)[] =>
    Array.from({ length: grantsEach }, (_, index) => ({
      id: `${tenant}-${index}`,
      tenant,
      agents: ['agent-7', 'agent-8'],
      service: index === 0 ? 'orders-db' : `service-${index}`,
      resources: index === 0 ? ['public.orders-*'] : ['public.orders'],
    })),
  )
  return contractFixture({ tenants: names, grants })
}
