import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { startPostgres } from '../src/testing/postgres.ts'
import type { Bench, Comparison, Contender, Scale, Skipped } from './harness.ts'
import type { BareSqlOrder } from './rig/bare-sql.ts'
import { agentRequests, createBrokerHome, type RunningBroker } from './rig/broker.ts'
import { createContenders } from './rig/contenders.ts'
import type { Issuer } from './rig/issuer.ts'
import { send } from './rig/load.ts'
import { type OpenBao, openBaoMissing } from './rig/openbao.ts'
import { type Rounds, startOpenBaoDatabase } from './rig/openbao-database.ts'
import { cores, startPinned, unpinnable } from './rig/pinned.ts'
import { group } from './rig/role-sql.ts'

const connections = 16
const seconds: Readonly<Record<Scale, number>> = { full: 5, short: 2 }
const warmSeconds: Readonly<Record<Scale, number>> = { full: 15, short: 6 }
const rounds = { many: 4096, one: 1 } as const
const services = { many: 'orders-db', one: 'orders-db-one-round' } as const

/** Roles of a real PostgreSQL on the broker's own core, minted and sealed, against OpenBao with the same statements, and against the SQL alone. */
export const postgres: Bench = {
  name: 'postgres',
  title: 'database roles a second, against OpenBao and against the bare SQL',
  rounds: { full: 5, short: 1 },
  open: async (scale, world) => {
    const unfit = unpinnable()
    if (unfit !== undefined) return [{ row: 'all', skipped: unfit }]
    const server = await startPostgres({ durable: true })
    if (server.kind === 'unavailable') return [{ row: 'all', skipped: server.reason }]
    world.defer(() => server.stop())
    pin(server.folder)
    const onNewTable = await createTables(world, server.url)
    const home = await createBrokerHome(world, { postgresUrl: server.url })
    const broker = await home.start('http')
    await warm(broker, home.issuer, warmSeconds[scale])
    const { rate } = createContenders({ connections, seconds: seconds[scale] })
    const ours = (number: Rounds) => {
      const body = { service: services[number], action: 'read-table', resource: 'public.orders' }
      return onNewTable(rate('sallyport', broker, { requests: agentRequests(home.issuer, { body }) }))
    }
    const bare = (number: Rounds) => {
      const order = { url: server.url, concurrent: connections, seconds: seconds[scale] }
      const run = () => runBareSql({ ...order, scramIterations: rounds[number] })
      return onNewTable({ name: 'the same SQL alone', run })
    }
    const common = { wants: 'at least', unit: 'roles/s' } as const
    const bareSql = (row: string, number: Rounds): Comparison => {
      return { ...common, row, subject: ours(number), against: bare(number), goal: 0.5 }
    }
    // First what makes fewer roles: they stay, and the server takes longer for each where there are tens of thousands.
    return [
      bareSql('against the bare SQL', 'many'),
      ...(await againstOpenBao(world, { url: server.url, common, ours, onNewTable, rate })),
      bareSql('one round, the bare SQL with one', 'one'),
    ]
  },
}

type OnNewTable = (contender: Contender) => Contender

/** Each run begins with a new table, so that the provider also finds out again what it remembered. */
async function createTables(world: AsyncDisposableStack, url: string): Promise<OnNewTable> {
  const admin = new Client({ connectionString: url })
  await admin.connect()
  world.defer(() => admin.end())
  await admin.query(`CREATE ROLE ${group} NOLOGIN`)
  return ({ name, run }) => ({
    name,
    async run() {
      await admin.query(
        `DROP TABLE IF EXISTS public.orders; CREATE TABLE public.orders (id int); GRANT SELECT ON public.orders TO ${group}`,
      )
      return run()
    },
  })
}

/** Roles come so seldom that V8 would never compile what serves them; in a broker that has served for a while, it has. */
async function warm(broker: RunningBroker, issuer: Issuer, seconds: number): Promise<void> {
  const streams = [{ name: 'warm', requests: agentRequests(issuer), connections }]
  await send({ port: broker.port, streams, warmSeconds: 0, seconds })
}

/** The server and its children are kept to the broker's core. */
function pin(folder: string): void {
  const pid = readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[0] ?? ''
  spawnSync('taskset', ['-a', '-c', '-p', String(cores.server), pid])
}

async function runBareSql(order: BareSqlOrder): Promise<number> {
  const program = join(import.meta.dirname, 'rig/bare-sql.ts')
  const child = startPinned([process.execPath, program, JSON.stringify(order)], { core: cores.server })
  const rate = Number(await child.line())
  await child.stop()
  return rate
}

/** The last two rows have the statements of the first, and fewer rounds on one side or on both. */
async function againstOpenBao(
  world: AsyncDisposableStack,
  options: {
    readonly url: string
    readonly common: Pick<Comparison, 'wants' | 'unit'>
    readonly ours: (number: Rounds) => Contender
    readonly onNewTable: OnNewTable
    readonly rate: (name: string, server: OpenBao, ask: { requests: readonly string[] }) => Contender
  },
): Promise<readonly (Comparison | Skipped)[]> {
  const row = 'against database/creds'
  const skipped = openBaoMissing()
  if (skipped !== undefined) return [{ row, skipped }]
  const { url, common, ours, onNewTable, rate } = options
  const { server, requests } = await startOpenBaoDatabase(world, url)
  const theirs = (number: Rounds) =>
    onNewTable(rate('OpenBao database/creds', server, { requests: [requests[number]] }))
  const against = (row: string, subject: Rounds, other: Rounds): Comparison => {
    return { ...common, row, subject: ours(subject), against: theirs(other), goal: 1.5 }
  }
  return [
    against(row, 'many', 'many'),
    against('one round, database/creds with 4096', 'one', 'many'),
    against('one round, database/creds with one', 'one', 'one'),
  ]
}
