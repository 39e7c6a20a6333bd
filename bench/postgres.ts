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
import { requestText, send } from './rig/load.ts'
import { type OpenBao, openBaoMissing, startOpenBao } from './rig/openbao.ts'
import { cores, startPinned, unpinnable } from './rig/pinned.ts'
import { group, roleSql } from './rig/role-sql.ts'

const connections = 16
const seconds: Readonly<Record<Scale, number>> = { full: 5, short: 2 }
const warmSeconds: Readonly<Record<Scale, number>> = { full: 15, short: 6 }
const request = { service: 'orders-db', action: 'read-table', resource: 'public.orders' }

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
    const admin = new Client({ connectionString: server.url })
    await admin.connect()
    world.defer(() => admin.end())
    const home = await createBrokerHome(world, { postgresUrl: server.url })
    const broker = await home.start('http')
    await warm(broker, home.issuer, warmSeconds[scale])
    await admin.query(`CREATE ROLE ${group} NOLOGIN`)
    // Each run begins with a new table, so that the provider also finds out again what it remembered.
    const onNewTable = ({ name, run }: Contender): Contender => ({
      name,
      async run() {
        await admin.query(
          `DROP TABLE IF EXISTS public.orders; CREATE TABLE public.orders (id int); GRANT SELECT ON public.orders TO ${group}`,
        )
        return run()
      },
    })
    const { rate } = createContenders({ connections, seconds: seconds[scale] })
    const requests = agentRequests(home.issuer, { body: request })
    const subject = onNewTable(rate('sallyport', broker, { requests }))
    const common = { subject, wants: 'at least', unit: 'roles/s' } as const
    return [
      await againstOpenBao(world, { url: server.url, common, onNewTable, rate }),
      {
        ...common,
        row: 'against the bare SQL',
        against: onNewTable({
          name: 'the same SQL alone',
          run: () => runBareSql({ url: server.url, concurrent: connections, seconds: seconds[scale] }),
        }),
        goal: 0.5,
      },
    ]
  },
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

async function againstOpenBao(
  world: AsyncDisposableStack,
  options: {
    readonly url: string
    readonly common: Pick<Comparison, 'subject' | 'wants' | 'unit'>
    readonly onNewTable: (contender: Contender) => Contender
    readonly rate: (
      name: string,
      server: OpenBao | RunningBroker,
      ask: { requests: readonly string[] },
    ) => Contender
  },
): Promise<Comparison | Skipped> {
  const row = 'against database/creds'
  const skipped = openBaoMissing()
  if (skipped !== undefined) return { row, skipped }
  const bao = await startOpenBao(world)
  await configureDatabase(bao, options.url)
  const path = '/v1/database/creds/orders'
  const theirs = requestText({ method: 'GET', path, headers: { 'x-vault-token': bao.rootToken } })
  const against = options.rate('OpenBao database/creds', bao, { requests: [theirs] })
  return { ...options.common, row, against: options.onNewTable(against), goal: 1.5 }
}

async function configureDatabase(bao: OpenBao, url: string): Promise<void> {
  const { username, password, host } = new URL(url)
  await bao.call('POST', 'sys/mounts/database', { type: 'database' })
  await bao.call('POST', 'database/config/orders', {
    plugin_name: 'postgresql-database-plugin',
    allowed_roles: '*',
    connection_url: `postgresql://{{username}}:{{password}}@${host}/postgres?sslmode=disable`,
    username,
    password,
    password_authentication: 'scram-sha-256',
  })
  await bao.call('POST', 'database/roles/orders', {
    db_name: 'orders',
    default_ttl: '15m',
    max_ttl: '1h',
    creation_statements: roleSql({
      role: '{{name}}',
      verifier: '{{password}}',
      validUntil: '{{expiration}}',
    }),
  })
}
