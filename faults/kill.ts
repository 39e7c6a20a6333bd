import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client, Issued } from '../client/src/index.ts'
import { startTestbed, type Testbed } from '../src/adapters/providers/postgres/testbed.fixture.ts'
import { assemble } from '../src/catalog/index.ts'
import { makeSite, type Serving, type Site } from '../test/end-to-end/site.ts'
import { type Acknowledged, checkAftermath, warden } from './aftermath.ts'
import { ordersContract } from './contract.ts'
import type { Fault, FaultOptions, Row, Skipped } from './harness.ts'
import { nobodyTold, placeOf, requestId } from './in-process.ts'
import { type Point, points } from './tripwire.ts'

const kills = { short: 100, long: 1000 } as const
const passagesMax = 12
/** Callers at once, over three agents of two tenants. */
const callers = ['agent-7', 'agent-7', 'agent-7', 'agent-8', 'agent-8', 'agent-8', 'robot', 'robot'] as const
const roundMs = 30_000
/** After so many kills everything that was ever acknowledged is looked at again, and what lives is revoked. */
const thoroughEvery = 10

/** `kill -9` of the broker's own process at every boundary between two steps, under concurrent load. */
export const kill: Fault = {
  name: 'kill',
  title: 'kill -9 at every step of the flow, under load, against a real PostgreSQL',
  async run(options) {
    const testbed = await startTestbed({ settings: {} })
    if ('skip' in testbed) return [{ fault: 'kill', skipped: testbed.skip }] satisfies Skipped[]
    const site = await makeSite(ordersContract())
    try {
      return [await killOften({ site, testbed }, options)]
    } finally {
      await site.close()
      await testbed.provider.close?.()
      await testbed.server.stop()
    }
  },
}

type World = { readonly site: Site; readonly testbed: Testbed }

async function killOften(world: World, { length, progress }: FaultOptions): Promise<Row> {
  const everything = nobodyTold()
  const lost: string[] = []
  let orphans = 0
  for (let nth = 0; nth < kills[length]; nth += 1) {
    const point = points[nth % points.length] ?? 'before mint'
    const passage = 1 + Math.floor(Math.random() * passagesMax)
    progress(`${nth} of ${kills[length]}, ${point}`)
    const acknowledged = nobodyTold()
    await runUntilKilled(world, { point, passage, acknowledged })
    everything.issued.push(...acknowledged.issued)
    for (const id of acknowledged.revoked) everything.revoked.add(id)
    const isThorough = nth % thoroughEvery === thoroughEvery - 1 || nth === kills[length] - 1
    const found = await restart(world, isThorough ? everything : acknowledged, isThorough)
    orphans += found.orphans
    lost.push(...found.lost.map((what) => `${point} (passage ${passage}): ${what}`))
  }
  const told = `${everything.issued.length} issued and ${everything.revoked.size} revoked were acknowledged, ${orphans} orphans were found and ended`
  return { fault: 'kill', what: `${points.length} points of the flow`, injected: kills[length], lost, told }
}

/** Starts the broker, loads it until it has killed itself, and notes what it acknowledged. */
async function runUntilKilled(
  { site, testbed }: World,
  plan: { point: Point; passage: number; acknowledged: Acknowledged },
): Promise<void> {
  const environment = {
    DB_URL: testbed.brokerUrl,
    FAULT_POINT: plan.point,
    FAULT_PASSAGE: String(plan.passage),
  }
  const program = [join(import.meta.dirname, 'broker.ts')]
  const serving = await site.serve({ environment, program }).catch((thrown: unknown) => {
    // It may end what was left of the round before, and be killed doing so, before it listens.
    if (thrown instanceof Error && thrown.message.includes('SIGKILL')) return undefined
    throw thrown
  })
  if (!serving) return
  const late = setTimeout(() => serving.child.kill('SIGTERM'), roundMs)
  await Promise.all(callers.map((agent) => callUntilKilled(serving, agent, plan.acknowledged)))
  while (serving.child.exitCode === null && serving.child.signalCode === null) await pause(5)
  clearTimeout(late)
  if (serving.child.signalCode !== 'SIGKILL') throw new Error(`Nothing passed ${plan.point}.`)
}

async function callUntilKilled(serving: Serving, agent: string, acknowledged: Acknowledged): Promise<void> {
  const client = serving.client(agent)
  try {
    while (serving.child.exitCode === null && serving.child.signalCode === null)
      await issueAndPerhapsRevoke(client, acknowledged)
  } finally {
    client.close()
  }
}

/** Only an answer that arrived whole counts as acknowledged; everything else may or may not have happened. */
async function issueAndPerhapsRevoke(client: Client, acknowledged: Acknowledged): Promise<void> {
  try {
    const issued = await issue(client)
    acknowledged.issued.push({ leaseId: issued.lease_id, receipt: issued.receipt })
    if (Math.random() < 0.5) return
    const { proof } = await client.revoke(issued.lease_id)
    if (proof === 'refused') acknowledged.revoked.add(issued.lease_id)
  } catch {
    await pause(2)
  }
}

async function issue(client: Client): Promise<Issued> {
  // Some end by themselves while nobody is there to end them.
  const duration = Math.random() < 0.2 ? '1s' : '15m'
  const wanted = { service: 'orders-db', action: 'read-table', resource: 'public.orders', duration }
  const answer = await client.request(wanted)
  if (answer.kind === 'issued') return answer
  throw new Error(`It was denied: ${answer.rule}`)
}

/** Over the same folder: one turn of the reconciler, and then everything is looked at. */
async function restart(
  { site, testbed }: World,
  acknowledged: Acknowledged,
  clears: boolean,
): Promise<{ orphans: number; lost: readonly string[] }> {
  const assembled = await assemble(placeOf(site, { DB_URL: testbed.brokerUrl }))
  try {
    const { broker } = assembled
    const { orphans, pending, unasked } = await broker.reconcile({ requestId, sweep: true })
    const lost = await checkAftermath(assembled, acknowledged, () => rolesAt(testbed))
    if (clears) await broker.revokeWhere({ caller: warden, filter: {}, requestId })
    const undone = pending > 0 || unasked.length > 0 ? [`the turn left ${pending} pending`] : []
    return { orphans, lost: [...lost, ...undone] }
  } finally {
    await assembled.close()
  }
}

async function rolesAt(testbed: Testbed): Promise<ReadonlySet<string>> {
  const rows = await testbed.admin("SELECT rolname FROM pg_roles WHERE rolname LIKE 'lse\\_%'")
  return new Set(rows.map((row) => String(Object(row).rolname)))
}
