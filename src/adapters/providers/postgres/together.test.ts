import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Secret } from '../../../primitives/index.ts'
import { type Access, findAccess } from './access.ts'
import type { Database } from './database.ts'
import type { RoleOrder } from './role.ts'
import { scramVerifier } from './scram.ts'
import {
  connect,
  createTestProvider,
  failsWith,
  groupOf,
  live,
  newLeaseId,
  openTestDatabase,
  orderFor,
  standBetween,
  startTestbed,
  type Testbed,
  tryStatements,
  urlOf,
} from './testbed.fixture.ts'
import { createRoleMaker, togetherLimits } from './together.ts'

const many = 3 * togetherLimits.rolesMax

test('roles that are ordered at once', async (context) => {
  const bed = await startTestbed()
  if ('skip' in bed) return context.skip(bed.skip)
  const database = openTestDatabase(bed.brokerUrl, 10)
  context.after(async () => {
    await database.close()
    await bed.provider.close?.()
    await bed.server.stop()
  })
  const { provider } = bed
  const mint = (leaseId: string, signal = live()) => provider.mint(orderFor(leaseId), signal)
  const revoke = (leaseId: string) => provider.revoke({ leaseId, handle: '', providerNotAfter: 0 }, live())
  const planted = async () => ((await provider.planted?.(live())) ?? []).toSorted()
  await mint(newLeaseId())
  const [remains = ''] = await planted()
  await revoke(remains)

  await context.test('share transactions, and each can do what it was ordered for alone', async (at) => {
    const before = (await bed.log()).length
    const leaseIds = Array.from({ length: many }, newLeaseId)
    const minted = await Promise.all(leaseIds.map((leaseId) => mint(leaseId)))
    const commits = (await bed.log()).slice(before).match(/statement: COMMIT/g)?.length ?? 0
    at.diagnostic(`${many} roles in ${commits} transactions`)
    assert.ok(commits < many, `${commits}`)
    for (const { credential } of minted) {
      assert.equal(await tryStatements(urlOf(credential), 'SELECT * FROM public.orders'), 'accepted')
      assert.equal(await tryStatements(urlOf(credential), 'SELECT * FROM public.bills'), '42501')
    }
    const groups = await Promise.all(leaseIds.map((leaseId) => groupOf(bed, leaseId)))
    assert.equal(new Set(groups).size, 1)
    assert.deepEqual(await planted(), leaseIds.toSorted())
    await Promise.all(leaseIds.map(revoke))
    assert.deepEqual(await planted(), [])
  })

  await context.test('so many in a transaction and so many transactions, and not one more', async () => {
    const { transactionsMax, rolesMax } = togetherLimits
    const began = async (roles: number) => {
      const counting = countingTransactions(database)
      const makeRole = createRoleMaker(counting.database)
      const orders = await ordersFor(database, Array.from({ length: roles }, newLeaseId))
      const made = await Promise.all(orders.map((order) => makeRole(order, live())))
      assert.ok(made.every((one) => one))
      await Promise.all(orders.map(({ order }) => revoke(order.leaseId)))
      return counting.counts
    }
    assert.deepEqual(await began(transactionsMax + rolesMax), {
      all: transactionsMax + 1,
      most: transactionsMax,
    })
    assert.equal((await began(transactionsMax + rolesMax + 1)).all, transactionsMax + 2)
  })

  await context.test('are all refused by name when the table is open to everybody meanwhile', async () => {
    await bed.admin('GRANT DELETE ON public.orders TO PUBLIC')
    const outcomes = await Promise.allSettled(Array.from({ length: many }, () => mint(newLeaseId())))
    await bed.admin('REVOKE DELETE ON public.orders FROM PUBLIC')
    for (const outcome of outcomes)
      assert.ok(outcome.status === 'rejected' && failsWith('provider_refused', /PUBLIC/)(outcome.reason))
    assert.deepEqual(await planted(), [])
    await mint(remains)
    await revoke(remains)
  })

  await context.test('do not wait for those whose leases somebody else is busy with', async () => {
    const makeRole = createRoleMaker(database)
    const leaseIds = Array.from({ length: many }, newLeaseId)
    const busy = leaseIds.filter((_, index) => index % 4 === 1)
    const other = await connect(bed.server.url)
    await other.query('BEGIN')
    for (const leaseId of busy)
      await other.query(`SELECT pg_advisory_xact_lock(1935765613, hashtext('${leaseId}'))`)
    const orders = await ordersFor(database, leaseIds)
    // Less than the server gives a statement.
    const making = orders.map((order, index) =>
      makeRole(order, index % 4 === 1 ? live() : AbortSignal.timeout(3_000)),
    )
    const others = leaseIds.filter((leaseId) => !busy.includes(leaseId))
    await Promise.all(making.filter((_, index) => index % 4 !== 1))
    assert.deepEqual(await planted(), others.toSorted())
    await other.query('COMMIT')
    await other.end()
    await Promise.all(making)
    assert.deepEqual(await planted(), leaseIds.toSorted())
    await Promise.all(leaseIds.map(revoke))
  })

  await context.test('do not fail with the one that is there already', async () => {
    const makeRole = createRoleMaker(database)
    const leaseIds = Array.from({ length: many }, newLeaseId)
    const there = leaseIds.at(-2) ?? ''
    await bed.admin(`SET ROLE sallyport`, `CREATE ROLE ${there}`)
    const orders = await ordersFor(database, leaseIds)
    const made = await Promise.all(orders.map((order) => makeRole(order, live())))
    assert.deepEqual(
      leaseIds.filter((_, index) => !made[index]),
      [there],
    )
    await bed.admin(`DROP ROLE ${there}`)
    await Promise.all(leaseIds.map(revoke))
    assert.deepEqual(await planted(), [])
  })

  await context.test('leave nothing of those whose callers went away, whenever they do', async (at) => {
    let [aborted, kept] = [0, 0]
    for (let round = 0; round < 40; round += 1) {
      const leaving = new AbortController()
      const leaseIds = Array.from({ length: many }, newLeaseId)
      // In the last rounds everybody goes, so that nobody is left to finish a transaction for.
      const goes = (index: number) => round >= 30 || index % 5 === 2
      const outcomes = leaseIds.map((leaseId, index) =>
        mint(leaseId, goes(index) ? leaving.signal : live()).then(
          () => 'minted' as const,
          () => 'aborted' as const,
        ),
      )
      await pause((round % 30) * 0.7)
      leaving.abort(new Error('the caller left'))
      for (const [index, leaseId] of leaseIds.entries()) {
        const outcome = await outcomes[index]
        if (goes(index)) await revoke(leaseId)
        else assert.equal(outcome, 'minted')
        if (outcome === 'aborted') aborted += 1
      }
      const stay = leaseIds.filter((_, index) => !goes(index))
      assert.deepEqual(await planted(), stay.toSorted())
      kept += stay.length
      await Promise.all(stay.map(revoke))
    }
    at.diagnostic(`${aborted} were aborted and left nothing, ${kept} beside them were made`)
    assert.ok(aborted > 0)
  })

  await context.test(
    'are made without who went away before, waiting or on its way to the server',
    async () => {
      const { transactionsMax, rolesMax } = togetherLimits
      const gates = Array.from({ length: transactionsMax + 2 }, () => Promise.withResolvers<void>())
      const counting = countingTransactions(database, gates)
      const makeRole = createRoleMaker(counting.database)
      const leaseIds = Array.from({ length: transactionsMax + rolesMax }, newLeaseId)
      const [waiting, begun] = [new AbortController(), new AbortController()]
      const signalOf = (index: number) =>
        index === transactionsMax ? waiting.signal : index === transactionsMax + 1 ? begun.signal : live()
      const orders = await ordersFor(database, leaseIds)
      const making = orders.map((order, index) => makeRole(order, signalOf(index)))
      const settled = Promise.allSettled(making)
      waiting.abort(new Error('the caller left'))
      await assert.rejects(making[transactionsMax] ?? Promise.resolve(), /the caller left/)
      for (const gate of gates.slice(0, transactionsMax)) gate.resolve()
      while (counting.counts.all === transactionsMax) await pause(5)
      // The one transaction of the others is on its way.
      begun.abort(new Error('the caller left'))
      await revoke(leaseIds[transactionsMax + 1] ?? '')
      for (const gate of gates) gate.resolve()
      const outcomes = await settled
      const made = leaseIds.filter((_, index) => outcomes[index]?.status === 'fulfilled')
      assert.equal(made.length, leaseIds.length - 2)
      assert.deepEqual(await planted(), made.toSorted())
      // One for each of the first, one for the rest without the one who waited, and one for each of those again without the other.
      assert.equal(counting.counts.all, transactionsMax + 1 + (rolesMax - 1))
      await Promise.all(made.map(revoke))
    },
  )

  await context.test('are all uncertain when the answer to their commit is lost', async (at) => {
    const between = await cutAtCommit(bed)
    const far = await createTestProvider(between.url)
    at.after(async () => {
      await far.close?.()
      between.close()
    })
    await far.mint(orderFor(remains), live())
    between.cut()
    const leaseIds = Array.from({ length: many }, newLeaseId)
    const outcomes = await Promise.allSettled(leaseIds.map((leaseId) => far.mint(orderFor(leaseId), live())))
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected' && failsWith('provider_unreachable')(outcome.reason))
      assert.equal(Object(outcome.reason).unsent, false)
    }
    await Promise.all([remains, ...leaseIds].map(revoke))
    assert.deepEqual(await planted(), [])
  })
})

async function ordersFor(database: Database, leaseIds: readonly string[]): Promise<readonly RoleOrder[]> {
  const target = { privilege: 'SELECT', schema: 'public', table: 'orders', name: 'public.orders' } as const
  const access: Access = await findAccess(database, { target, random: randomBytes }, live())
  const verifier = await scramVerifier(new Secret('x'), { salt: randomBytes(16), iterations: 1 })
  const limits = { leaseStatementTimeoutSeconds: 30, connectionsPerLeaseMax: 2 }
  const brokerName = 'sallyport-test'
  return leaseIds.map((leaseId) => ({ order: orderFor(leaseId), access, verifier, limits, brokerName }))
}

/** Each transaction waits at its gate, where there is one. */
function countingTransactions(
  database: Database,
  gates: readonly { readonly promise: Promise<void> }[] = [],
) {
  const counts = { all: 0, most: 0 }
  let running = 0
  const transaction: Database['transaction'] = async (...of) => {
    counts.all += 1
    running += 1
    counts.most = Math.max(counts.most, running)
    try {
      await gates[counts.all - 1]?.promise
      return await database.transaction(...of)
    } finally {
      running -= 1
    }
  }
  return { database: { ...database, transaction }, counts }
}

/** Stands before the server. Once it cuts, a commit comes to the server and its answer to nobody. */
async function cutAtCommit(bed: Testbed) {
  let cutting = false
  const between = await standBetween(bed, (bytes, { client, upstream }) => {
    const committing = cutting && bytes.includes('COMMIT')
    if (committing) upstream.unpipe(client)
    upstream.write(bytes)
    if (committing) upstream.once('data', () => client.destroy()).resume()
  })
  return {
    ...between,
    cut: () => {
      cutting = true
    },
  }
}
