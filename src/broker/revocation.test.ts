import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerFixture, type TestBroker } from '../testing/broker.ts'
import { fails, openBreakableStore, openBroker, unreachable } from './broker.fixture.ts'
import type { Lease, LeaseFilter } from './lease.ts'
import { brokerLimits } from './limits.ts'
import { inParallel } from './parallel.ts'
import type { Caller } from './ports/index.ts'

const agent8 = callerFixture('agent-8')
const operator = callerFixture('dana', { plane: 'human', roles: ['operator'] })
const platform = callerFixture('root', { tenant: 'globex', roles: ['platform'] })
const robot = callerFixture('robot', { tenant: 'globex' })
const stranger = callerFixture('mallory', { tenant: 'globex', roles: ['operator'] })

const everywhere = { resources: ['public.*'], maxDurationSeconds: 900, planes: ['machine', 'human'] } as const
const contract = {
  services: [
    { name: 'orders-db', actions: [{ name: 'read-table', resource: '{schema}.{table}' }] },
    { name: 'other-db', actions: [{ name: 'read-table', resource: '{schema}.{table}' }] },
  ],
  grants: ['acme', 'globex'].flatMap((tenant) =>
    ['orders-db', 'other-db'].map((service) => ({
      id: `${tenant}-${service}`,
      tenant,
      agents: ['*'],
      service,
      ...everywhere,
    })),
  ),
}

/** One lease for each of two agents of acme and one of globex, at each of two services. */
async function openSix() {
  const opened = await openBroker({ contract })
  const leases = new Map<string, Lease>()
  for (const caller of [callerFixture(), agent8, robot])
    for (const service of ['orders-db', 'other-db'])
      leases.set(`${caller.agent} ${service}`, (await opened.issue({ caller, request: { service } })).lease)
  return { ...opened, six: leases }
}

async function livingAfter(opened: Awaited<ReturnType<typeof openSix>>) {
  const states = await Promise.all(
    [...opened.six].map(async ([name, { id }]) => [name, (await opened.leases.find(id))?.state] as const),
  )
  return states.filter(([, state]) => state === 'live').map(([name]) => name)
}

function revokeWhere({ broker }: Pick<TestBroker, 'broker'>, caller: Caller, filter: LeaseFilter) {
  return broker.revokeWhere({ caller, requestId: 'r', filter })
}

test('a lease is ended by its own agent, an operator of its tenant, and the platform role', async () => {
  for (const caller of [callerFixture(), operator, platform]) {
    const { issue, revoke } = await openBroker()
    const { lease } = await issue()
    assert.equal((await revoke(lease.id, caller)).proof, 'refused')
  }
})

test('to everybody else a lease is unknown, in the same words as one that never was', async () => {
  const { issue, revoke, broker, provider } = await openBroker()
  const { lease } = await issue()
  const words = new Set<string>()
  const note = (thrown: unknown) => {
    words.add(JSON.stringify(thrown, ['code', 'message', 'next']))
    words.add(String(thrown))
    return fails('lease_unknown')(thrown)
  }
  for (const caller of [agent8, robot, stranger]) {
    await assert.rejects(revoke(lease.id, caller), note)
    await assert.rejects(broker.findLease(caller, lease.id), note)
    await assert.rejects(revoke('lse_00000000000000000000000000', caller), note)
    await assert.rejects(revoke("' OR 1=1 --", caller), note)
  }
  assert.equal(words.size, 2)
  assert.equal(provider.live.size, 1)
})

const cases: readonly { caller: Caller; filter: LeaseFilter; ends: readonly string[] }[] = [
  { caller: callerFixture(), filter: {}, ends: ['agent-7 orders-db', 'agent-7 other-db'] },
  { caller: callerFixture(), filter: { service: 'other-db' }, ends: ['agent-7 other-db'] },
  { caller: callerFixture(), filter: { mode: 'PROD' }, ends: [] },
  { caller: operator, filter: { agent: 'agent-8' }, ends: ['agent-8 orders-db', 'agent-8 other-db'] },
  { caller: operator, filter: { service: 'orders-db' }, ends: ['agent-7 orders-db', 'agent-8 orders-db'] },
  {
    caller: operator,
    filter: { tenant: 'acme', mode: 'LOCAL' },
    ends: ['agent-7 orders-db', 'agent-7 other-db', 'agent-8 orders-db', 'agent-8 other-db'],
  },
  { caller: operator, filter: { agent: 'robot' }, ends: [] },
  { caller: platform, filter: { tenant: 'globex' }, ends: ['robot orders-db', 'robot other-db'] },
  {
    caller: platform,
    filter: { service: 'other-db' },
    ends: ['agent-7 other-db', 'agent-8 other-db', 'robot other-db'],
  },
]
for (const { caller, filter, ends } of cases)
  test(`${caller.agent} ends exactly ${ends.join(', ') || 'nothing'} by ${JSON.stringify(filter)}`, async () => {
    const opened = await openSix()
    const tally = await revokeWhere(opened, caller, filter)
    assert.deepEqual(tally, { refused: ends.length, unproven: 0, pending: 0 })
    assert.deepEqual(
      await livingAfter(opened),
      [...opened.six.keys()].filter((name) => !ends.includes(name)),
    )
    assert.equal(opened.provider.live.size, 6 - ends.length)
  })

test('one entry tells who asked for what and how many ended, also when none did', async () => {
  for (const { caller, filter, rule, scope, tally } of [
    {
      caller: callerFixture(),
      filter: { service: 'orders-db' },
      rule: 'own',
      scope: 'revoke * * orders-db *',
      tally: { refused: 1, unproven: 0, pending: 0 },
    },
    {
      caller: operator,
      filter: { agent: 'robot' },
      rule: 'role:operator',
      scope: 'revoke * robot * *',
      tally: { refused: 0, unproven: 0, pending: 0 },
    },
    {
      caller: platform,
      filter: { tenant: 'acme', mode: 'NOWHERE' },
      rule: 'role:platform',
      scope: 'revoke acme * * NOWHERE',
      tally: { refused: 0, unproven: 0, pending: 0 },
    },
  ]) {
    const opened = await openSix()
    await revokeWhere(opened, caller, filter)
    const told = (await opened.entries()).filter(({ event }) => event === 'leases_revoked')
    assert.equal(told.length, 1)
    const [{ agent_id, decision, outcome, detail, ...entry } = assert.fail()] = told
    assert.deepEqual(
      [agent_id, decision, outcome, entry.rule, entry.scope, entry.request_id],
      [caller.agent, 'allow', 'revoked', rule, scope, 'r'],
    )
    assert.deepEqual({ ...tally, ...detail }, detail)
  }
})

test('a filter that reaches past the caller ends nothing and stands in the log', async () => {
  for (const [caller, filter] of [
    [callerFixture(), { agent: 'agent-8' }],
    [callerFixture(), { tenant: 'globex' }],
    [operator, { tenant: 'globex' }],
    [stranger, { tenant: 'acme' }],
  ] as const) {
    const opened = await openSix()
    await assert.rejects(revokeWhere(opened, caller, filter), fails('not_permitted'))
    assert.equal((await livingAfter(opened)).length, 6)
    const entry = (await opened.entries()).at(-1)
    assert.deepEqual(
      [entry?.event, entry?.rule, entry?.agent_id, entry?.decision],
      ['request_denied', 'not_permitted', caller.agent, 'deny'],
    )
    await assert.rejects(opened.broker.listLeases(caller, filter, { limit: 10 }), fails('not_permitted'))
  }
})

test('ending again by a filter ends nothing more, and at once from several sides ends each once', async () => {
  const opened = await openSix()
  const tallies = await Promise.all([
    revokeWhere(opened, operator, {}),
    revokeWhere(opened, platform, {}),
    revokeWhere(opened, callerFixture(), {}),
  ])
  assert.ok(tallies.every(({ refused }) => refused >= 2))
  assert.equal(opened.provider.revokes, 6)
  assert.deepEqual(await revokeWhere(opened, platform, {}), { refused: 0, unproven: 0, pending: 0 })
})

test('one ending that fails does not keep the others', async () => {
  const opened = await openSix()
  opened.provider.enqueue({ revoke: [{ kind: 'fail', failure: unreachable }] })
  assert.deepEqual(await revokeWhere(opened, platform, {}), { refused: 5, unproven: 0, pending: 1 })
  assert.equal(opened.provider.live.size, 1)
})

test('more leases than a page holds are all ended', { timeout: 20_000 }, async () => {
  const { broker, provider, leases } = await openBroker()
  const caller = callerFixture()
  const request = { service: 'orders-db', action: 'read-table', resource: 'public.orders' }
  const signal = new AbortController().signal
  const calls = Array.from({ length: 1_001 }, () => ({ caller, requestId: 'r', request }))
  await inParallel(calls, brokerLimits.mintsEach.mints, async (one) => void (await broker.issue(one, signal)))
  assert.equal((await broker.revokeWhere({ caller, requestId: 'r', filter: {} })).refused, 1_001)
  assert.deepEqual([provider.live.size, (await leases.count()).live], [0, 0])
})

test('when the log is down a bulk revocation fails as such, and everything in reach is dead all the same', async () => {
  const { disk, store } = openBreakableStore()
  const opened = await openBroker({ store })
  for (let nth = 0; nth < 20; nth += 1) await opened.issue()
  disk.broken = true
  await assert.rejects(revokeWhere(opened, operator, {}), fails('log_unwritable'))
  assert.equal(opened.provider.live.size, 0)
})

test('work in parallel is as wide as it may be, tries everything, and then throws the first failure', async () => {
  let [now, most] = [0, 0]
  const done: number[] = []
  const work = async (item: number) => {
    now += 1
    most = Math.max(most, now)
    await new Promise((resolve) => setImmediate(resolve))
    now -= 1
    if (item % 3 === 0) throw new Error(`item ${item}`)
    done.push(item)
  }
  const items = Array.from({ length: 50 }, (_, at) => at + 1)
  await assert.rejects(inParallel(items, 4, work), /item 3$/)
  assert.deepEqual([most, done.length], [4, 34])
  await inParallel([], 4, work)
})
