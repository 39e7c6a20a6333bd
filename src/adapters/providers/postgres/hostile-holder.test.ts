import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  connect,
  createTestProvider,
  live,
  newLeaseId,
  orderFor,
  run,
  startTestbed,
  type Testbed,
  tryStatements,
  urlOf,
} from './testbed.fixture.ts'

const leaseLock = (of: string) => `pg_advisory_lock(1935765613, hashtext(${of}))`
const grantsLock = 'SELECT pg_advisory_lock(1935765614, 0)'
const ownRow = "ALTER ROLE CURRENT_USER PASSWORD 'mine'"

/** What the holder of a credential does in a session that stays; nothing of it keeps the credential alive. */
const holding: Readonly<Record<string, readonly string[]>> = {
  nothing: [],
  'the lock of its own lease': [`SELECT ${leaseLock('current_user')}`],
  'its own row': ['SET idle_in_transaction_session_timeout = 0', 'BEGIN READ WRITE', ownRow],
  'the lock of grants': [grantsLock],
  'its row, by a transaction that outlives the session': [
    'BEGIN READ WRITE',
    `SELECT ${leaseLock('current_user').replace('lock(', 'xact_lock(')}`,
    ownRow,
    "PREPARE TRANSACTION E'it''s \\\\ mine'",
  ],
}

test('whatever somebody locks', async (context) => {
  const bed = await startTestbed({ settings: { log_statement: 'all', max_prepared_transactions: '5' } })
  if ('skip' in bed) return context.skip(bed.skip)
  context.after(async () => {
    await bed.provider.close?.()
    await bed.server.stop()
  })
  const appUrl = bed.server.url.replace(/\/\/[^@]+@/, '//app:app@')
  await bed.admin("CREATE ROLE app LOGIN PASSWORD 'app'", 'GRANT CREATE ON SCHEMA public TO app')

  for (const [what, statements] of Object.entries(holding))
    await context.test(`the holder of a credential holds ${what}: it ends`, async () => {
      const lease = await mint(bed)
      const session = await connect(lease.url)
      for (const statement of statements) await session.query(statement)
      await revoke(bed, lease.leaseId)
      await assert.rejects(session.query('SELECT * FROM public.orders'))
      await isGone(bed, lease)
    })

  await context.test(
    'the holder comes back as often as it is cut off, and locks its row again',
    async (at) => {
      const lease = await mint(bed)
      let came = 0
      let ended = false
      const comeBack = async () => {
        while (!ended) {
          const session = await connect(lease.url).catch(() => undefined)
          if (!session) continue
          came += 1
          await session.query(`BEGIN READ WRITE; ${ownRow}; SELECT pg_sleep(60)`).catch(() => undefined)
          await session.end().catch(() => undefined)
        }
      }
      const visitors = [comeBack(), comeBack(), comeBack()]
      while (came < 2) await bed.admin('SELECT pg_sleep(0.01)')
      await revoke(bed, lease.leaseId)
      ended = true
      await Promise.all(visitors)
      await isGone(bed, lease)
      at.diagnostic(`it came ${came} times`)
    },
  )

  await context.test('the holder of one credential holds the lock of another: both end', async () => {
    const [hostile, other] = [await mint(bed), await mint(bed)]
    const session = await connect(hostile.url)
    await session.query(`SELECT ${leaseLock(`'${other.leaseId}'`)}`)
    await revoke(bed, other.leaseId)
    await isGone(bed, other)
    await assert.rejects(session.query('SELECT * FROM public.orders'))
    await revoke(bed, hostile.leaseId)
  })

  await context.test('of a lease that has no role yet, too: the session that holds it is ended', async () => {
    const [hostile, none] = [await mint(bed), newLeaseId()]
    const session = await connect(hostile.url)
    await session.query(`SELECT ${leaseLock(`'${none}'`)}`)
    await revoke(bed, none)
    await assert.rejects(session.query('SELECT 1'))
    await revoke(bed, hostile.leaseId)
  })

  await context.test(
    'the lock of grants is held by a credential, or by anybody: roles are made all the same',
    async () => {
      const hostile = await mint(bed)
      for (const [url, table] of [
        [hostile.url, 'first'],
        [appUrl, 'second'],
      ] as const) {
        await bed.admin(
          `CREATE TABLE public.${table} (id int)`,
          `GRANT SELECT ON public.${table} TO sallyport WITH GRANT OPTION`,
        )
        const session = await connect(url)
        await session.query(grantsLock)
        const lease = await mint(bed, `public.${table}`)
        assert.equal(await tryStatements(lease.url, `SELECT * FROM public.${table}`), 'accepted')
        await session.end().catch(() => undefined)
        await revoke(bed, lease.leaseId)
      }
      await revoke(bed, hostile.leaseId)
    },
  )

  await context.test('functions that somebody else makes are not called as the broker', async () => {
    await bed.admin('CREATE TABLE payroll (id int)', 'GRANT SELECT ON payroll TO sallyport WITH GRANT OPTION')
    const steal = 'LANGUAGE plpgsql AS $$ BEGIN GRANT SELECT ON public.payroll TO app; RETURN true; END $$'
    await run(appUrl, [
      `CREATE FUNCTION public.pg_terminate_backend(integer, integer) RETURNS boolean ${steal}`,
      `CREATE FUNCTION public.has_schema_privilege(text, oid, text) RETURNS boolean ${steal}`,
    ])
    const late = await createTestProvider(bed.brokerUrl)
    const leaseId = newLeaseId()
    const { credential } = await late.mint(orderFor(leaseId), live())
    const session = await connect(urlOf(credential))
    await late.revoke({ leaseId, handle: '', providerNotAfter: 0 }, live())
    await assert.rejects(session.query('SELECT 1'))
    await late.close?.()
    assert.equal(await tryStatements(appUrl, 'SELECT * FROM payroll'), '42501')
  })
})

async function mint(bed: Testbed, resource?: string): Promise<{ leaseId: string; url: string }> {
  const leaseId = newLeaseId()
  const { credential } = await bed.provider.mint(orderFor(leaseId, resource ? { resource } : {}), live())
  return { leaseId, url: urlOf(credential) }
}

/** With the time that the broker gives one attempt. */
function revoke(bed: Testbed, leaseId: string): Promise<void> {
  return bed.provider.revoke({ leaseId, handle: '', providerNotAfter: 0 }, AbortSignal.timeout(10_000))
}

async function isGone(bed: Testbed, { leaseId, url }: { leaseId: string; url: string }): Promise<void> {
  assert.equal(await tryStatements(url, 'SELECT 1'), '28P01')
  assert.deepEqual(await bed.admin(`SELECT 1 FROM pg_roles WHERE rolname = '${leaseId}'`), [])
}
