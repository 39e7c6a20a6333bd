import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { CredentialRequest, Issued, WordedRequest } from '../../client/src/index.ts'
import {
  connect,
  startTestbed,
  type Testbed,
  tryStatements,
} from '../../src/adapters/providers/postgres/testbed.fixture.ts'
import { contractText } from './contract.ts'
import { makeSite, type Serving, type Site } from './site.ts'

const readOrders = 'SELECT count(*) FROM public.orders'
/** SQLSTATE 28P01: PostgreSQL tells a login without a role what it tells one with a wrong password. */
const loginRefused = '28P01'

describe('a credential for a real PostgreSQL, from `sallyport serve` to its end', {
  timeout: 120_000,
}, () => {
  let world: World | { readonly skip: string }
  before(async () => {
    world = await startWorld()
  })
  after(async () => {
    if (!('skip' in world)) await world.close()
  })
  const ready = (context: TestContext): World | undefined => {
    if (!('skip' in world)) return world
    context.skip(world.skip)
    return undefined
  }

  test('does one verb on one table, and the answer says how it ends', async (context) => {
    const here = ready(context)
    if (!here) return
    const issued = await here.issue('agent-7')
    const url = urlOf(issued)
    assert.equal(await tryStatements(url, readOrders), 'accepted')
    for (const verb of ['DELETE FROM public.orders', 'UPDATE public.orders SET total = 0'])
      assert.equal(await tryStatements(url, 'SET default_transaction_read_only = off', verb), '42501')
    assert.equal(await tryStatements(url, 'SELECT * FROM public.bills'), '42501')
    assert.equal(issued.credential['user'], issued.lease_id, 'the lease id is planted as the role')
    assert.deepEqual(
      [issued.effective.actions, issued.effective.resources, issued.residual_seconds],
      [['SELECT'], ['public.orders'], 0],
    )
    assert.deepEqual([issued.enforced_by, issued.revocation], ['role-dropped-by-broker', 'immediate'])
  })

  test('ends when its two seconds are over: the open session is cut and the role is gone', async (context) => {
    const here = ready(context)
    if (!here) return
    const issued = await here.issue('agent-7', { duration: '2s' })
    const session = await connect(urlOf(issued))
    const cut = new Promise<string>((resolve) => session.once('end', () => resolve('cut')))
    await session.query(readOrders)
    assert.equal(await Promise.race([cut, pause(15_000, 'still open')]), 'cut')
    const lease = await here.untilEnded('agent-7', issued.lease_id)
    assert.equal(lease.end_reason, 'expired')
    assert.ok(lease.refused_at, 'the dead credential was tried and refused')
    assert.ok(Date.parse(lease.ended_at ?? '') >= Date.parse(issued.expires_at), 'not before its time')
    assert.equal(await tryStatements(urlOf(issued), readOrders), loginRefused)
    assert.deepEqual(await here.roles([issued]), [])
  })

  test('is ended by agent, by service, by tenant and by mode, and what the filter leaves out lives on', async (context) => {
    const here = ready(context)
    if (!here) return
    const seven = await here.issue('agent-7')
    const eight = await here.issue('agent-8')
    const invoice = await here.issue('agent-8', { service: 'bills-db', resource: 'public.bills' })
    const robot = await here.issue('robot')
    const [ops, warden] = [here.serving().client('ops'), here.serving().client('warden')]
    const alive = async () =>
      (await here.roles([seven, eight, invoice, robot])).map((name) => names.get(name))
    const names = new Map([seven, eight, invoice, robot].map((one, at) => [one.lease_id, at]))

    assert.ok((await ops.revokeWhere({ agent: 'agent-7' })).refused >= 1)
    assert.deepEqual(await alive(), [1, 2, 3])
    assert.deepEqual(await ops.revokeWhere({ service: 'bills-db' }), { refused: 1, unproven: 0, pending: 0 })
    assert.deepEqual(await alive(), [1, 3])
    await assert.rejects(ops.revokeWhere({ tenant: 'globex' }), { code: 'not_permitted' })
    assert.deepEqual(await warden.revokeWhere({ tenant: 'globex' }), { refused: 1, unproven: 0, pending: 0 })
    assert.deepEqual(await alive(), [1])
    assert.ok((await warden.revokeWhere({ mode: 'TEST' })).refused >= 1)
    assert.deepEqual(await alive(), [])
    assert.deepEqual(await warden.revokeWhere({ mode: 'TEST' }), { refused: 0, unproven: 0, pending: 0 })
    assert.equal(await tryStatements(urlOf(eight), readOrders), loginRefused)
  })

  test('nobody ends or sees the lease of somebody else', async (context) => {
    const here = ready(context)
    if (!here) return
    const issued = await here.issue('agent-7')
    for (const agent of ['agent-8', 'robot']) {
      const other = here.serving().client(agent)
      await assert.rejects(other.revoke(issued.lease_id), { code: 'lease_unknown', status: 404 })
      await assert.rejects(other.lease(issued.lease_id), { code: 'lease_unknown' })
      assert.ok(!(await other.leases()).leases.some((lease) => lease.lease_id === issued.lease_id))
    }
    assert.equal(await tryStatements(urlOf(issued), readOrders), 'accepted')
  })

  for (const end of ['SIGTERM', 'SIGKILL'] as const)
    test(`outlives a restart after ${end}; what was over meanwhile is ended, and the rest can be`, async (context) => {
      const here = ready(context)
      if (!here) return
      const long = await here.issue('agent-7')
      const short = await here.issue('agent-7', { duration: '2s' })
      await here.restart(end)
      assert.equal(await tryStatements(urlOf(long), readOrders), 'accepted')
      assert.equal((await here.untilEnded('agent-7', short.lease_id)).end_reason, 'expired')
      assert.deepEqual(await here.roles([long, short]), [long.lease_id])
      const { proof } = await here.serving().client('agent-7').revoke(long.lease_id)
      assert.equal(proof, 'refused', 'proven without the password, which died with the process')
      assert.equal(await tryStatements(urlOf(long), readOrders), loginRefused)
    })

  test('leaves a log that verifies offline over all restarts, with both ends of every lease', async (context) => {
    const here = ready(context)
    if (!here) return
    const { site } = here
    const exported = await site.cli('warden', ['audit', 'export', site.path('log')], {
      serving: here.serving(),
    })
    assert.equal(exported.code, 0, exported.told)
    const words = ['audit', 'verify', site.path('log'), '--log-key', here.serving().logKey, '--json']
    const verdict = await site.cli(undefined, words)
    assert.equal(JSON.parse(verdict.out).kind, 'verified')
    assert.equal(verdict.code, 0)
  })
})

type World = {
  readonly site: Site
  readonly serving: () => Serving
  issue(
    agent: string,
    changes?: Pick<CredentialRequest, 'duration' | 'purpose'> & Partial<WordedRequest>,
  ): Promise<Issued>
  untilEnded(agent: string, id: string): ReturnType<ReturnType<Serving['client']>['lease']>
  /** Which of these leases' roles are there, in their order. */
  roles(issued: readonly Issued[]): Promise<readonly string[]>
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  close(): Promise<void>
}

async function startWorld(): Promise<World | { readonly skip: string }> {
  const testbed = await startTestbed()
  if ('skip' in testbed) return testbed
  await testbed.admin('GRANT SELECT ON public.bills TO sallyport WITH GRANT OPTION')
  const site = await makeSite(contract())
  const start = () => site.serve({ environment: { DB_URL: testbed.brokerUrl } })
  let serving = await start()
  return {
    site,
    serving: () => serving,
    async issue(agent, changes = {}) {
      const request = { service: 'orders-db', action: 'read-table', resource: 'public.orders', ...changes }
      const answer = await serving.client(agent).request(request)
      assert.ok(answer.kind === 'issued', JSON.stringify(answer))
      return answer
    },
    async untilEnded(agent, id) {
      for (let looks = 0; looks < 200; looks += 1) {
        const lease = await serving.client(agent).lease(id)
        if (lease.state === 'ended') return lease
        await pause(100)
      }
      return assert.fail(`${id} did not end`)
    },
    roles: (issued) => rolesOf(testbed, issued),
    async restart(signal) {
      if (signal === 'SIGTERM') assert.equal(await serving.stop(), 0)
      else await serving.kill()
      serving = await start()
    },
    async close() {
      await site.close()
      await testbed.provider.close?.()
      await testbed.server.stop()
    },
  }
}

async function rolesOf(testbed: Testbed, issued: readonly Issued[]): Promise<readonly string[]> {
  const rows = await testbed.admin("SELECT rolname FROM pg_roles WHERE rolname LIKE 'lse%'")
  const there = rows.map((row) => String(Object(row).rolname))
  return issued.map((one) => one.lease_id).filter((id) => there.includes(id))
}

function urlOf({ credential }: Issued): string {
  return String(credential['url'])
}

function contract(): string {
  const service = (name: string) => `${name}:
  provider: database
  actions:
    read-table:
      resource: "{schema}.{table}"
      means: { privilege: SELECT, schema: "{schema}", table: "{table}" }`
  const grant = (tenant: string, name: string, table: string) => `- id: ${tenant}-reads-${table}
  tenant: ${tenant}
  agents: ["*"]
  service: ${name}
  actions: [read-table]
  resources: [public.${table}]
  modes: [TEST]
  maxDuration: 15m`
  return contractText({
    providers: `database:
  kind: postgres
  config: { url: { env: DB_URL } }`,
    services: `${service('orders-db')}\n${service('bills-db')}`,
    grants: [
      grant('acme', 'orders-db', 'orders'),
      grant('globex', 'orders-db', 'orders'),
      grant('acme', 'bills-db', 'bills'),
    ].join('\n'),
  })
}
