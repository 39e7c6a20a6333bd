import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, describe, type TestContext, test } from 'node:test'
import type { Unavailable } from '../../../testing/provider.ts'
import { type Access, accessesMax, accessStatements, findAccess, remember } from './access.ts'
import { exactness } from './exactness.ts'
import {
  connect,
  createTestProvider,
  failsWith,
  groupOf,
  live,
  newLeaseId,
  openTestDatabase,
  orderFor,
  startTestbed,
  type Testbed,
  tryStatements,
  urlOf,
} from './testbed.fixture.ts'

let starting: Promise<Testbed | Unavailable> | undefined
const testbed = () => (starting ??= startTestbed())
after(async () => {
  const bed = await testbed()
  if ('skip' in bed) return
  await bed.provider.close?.()
  await bed.server.stop()
})

describe('the group that holds a grant', () => {
  const withTable =
    (work: (bed: Testbed, table: string) => Promise<void>) => async (context: TestContext) => {
      const bed = await testbed()
      if ('skip' in bed) return context.skip(bed.skip)
      const table = `public.t_${randomBytes(4).toString('hex')}`
      await makeTable(bed, table)
      await work(bed, table)
    }
  const makeTable = (bed: Testbed, table: string) =>
    bed.admin(
      `CREATE TABLE ${table} (id int, total int)`,
      `GRANT SELECT, INSERT ON ${table} TO sallyport WITH GRANT OPTION`,
    )
  const mint = async (
    { provider }: Pick<Testbed, 'provider'>,
    over: Parameters<typeof orderFor>[1],
  ): Promise<{ leaseId: string; url: string; end: () => Promise<void> }> => {
    const leaseId = newLeaseId()
    const { credential } = await provider.mint(orderFor(leaseId, over), live())
    const end = () => provider.revoke({ leaseId, handle: '', providerNotAfter: 0 }, live())
    return { leaseId, url: urlOf(credential), end }
  }
  const groupsOf = async (bed: Testbed, table: string): Promise<readonly string[]> => {
    const rows = await bed.admin(
      `SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') LIKE 'sallyport group: % on ${table}%' ORDER BY oid`,
    )
    return rows.map((row) => String(Object.values(row ?? {})[0]))
  }
  test(
    'is shared by every lease and broker that wants the same, and by nobody else',
    withTable(async (bed, resource) => {
      const second = await createTestProvider(bed.brokerUrl)
      const same = [await mint(bed, { resource }), await mint({ provider: second }, { resource })]
      const others = [
        await mint(bed, { resource, privilege: 'INSERT' }),
        await mint(bed, { resource, columns: ['id'] }),
      ]
      const groups = await Promise.all([...same, ...others].map(({ leaseId }) => groupOf(bed, leaseId)))
      assert.equal(groups[0], groups[1])
      assert.equal(new Set(groups).size, 3)
      assert.equal((await groupsOf(bed, resource)).length, 3)
      for (const one of [...same, ...others]) await one.end()
      const planted = (await bed.provider.planted?.(live())) ?? []
      assert.ok(planted.every((name) => name.startsWith('lse_')))
      await second.close?.()
    }),
  )

  test(
    'is made once, however many brokers ask for it at the same moment',
    withTable(async (bed, resource) => {
      const brokers = await Promise.all(Array.from({ length: 4 }, () => createTestProvider(bed.brokerUrl)))
      const leases = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          mint({ provider: brokers[index % 4] ?? bed.provider }, { resource }),
        ),
      )
      for (const { url } of leases)
        assert.equal(await tryStatements(url, `SELECT * FROM ${resource}`), 'accepted')
      assert.equal((await groupsOf(bed, resource)).length, 1)
      for (const broker of brokers) await broker.close?.()
    }),
  )

  const widened: [string, (group: string, table: string) => string][] = [
    ['another verb on the table', (group, table) => `GRANT INSERT ON ${table} TO ${group}`],
    ['another table', (group) => `GRANT SELECT ON public.bills TO ${group}`],
    ['a column of another table', (group) => `GRANT SELECT (id) ON public.bills TO ${group}`],
    ['the maintenance of its table', (group, table) => `GRANT MAINTAIN ON ${table} TO ${group}`],
    ['more in the schema', (group) => `GRANT CREATE ON SCHEMA public TO ${group}`],
    ['more in the database', (group) => `GRANT TEMPORARY ON DATABASE postgres TO ${group}`],
    ['a membership', (group) => `GRANT pg_read_all_data TO ${group}`],
    ['a parameter', (group) => `GRANT SET ON PARAMETER log_statement TO ${group}`],
    ['a table of its own', (group) => `ALTER TABLE public.bills OWNER TO ${group}`],
    ['rows by a policy', (group, table) => `CREATE POLICY all_rows ON ${table} TO ${group}`],
    ['what others make later', (group) => `ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO ${group}`],
  ]
  for (const [what, statement] of widened)
    test(
      `that was given ${what} is not used again`,
      withTable(async (bed, resource) => {
        const before = await mint(bed, { resource })
        const group = await groupOf(bed, before.leaseId)
        await bed.admin(statement(group, resource))
        const later = await mint(bed, { resource })
        const fresh = await createTestProvider(bed.brokerUrl)
        const elsewhere = await mint({ provider: fresh }, { resource })
        const clean = await groupOf(bed, later.leaseId)
        assert.notEqual(clean, group)
        assert.equal(await groupOf(bed, elsewhere.leaseId), clean)
        assert.equal(await tryStatements(later.url, `SELECT * FROM ${resource}`), 'accepted')
        await bed.admin('ALTER TABLE public.bills OWNER TO postgres', `DROP OWNED BY ${group}`)
        await fresh.close?.()
      }),
    )

  test(
    'that was dropped is made again',
    withTable(async (bed, resource) => {
      const first = await mint(bed, { resource })
      const group = await groupOf(bed, first.leaseId)
      await first.end()
      // As the documentation says.
      await bed.admin(
        'SET ROLE sallyport',
        `GRANT ${group} TO CURRENT_USER`,
        `DROP OWNED BY ${group}`,
        `DROP ROLE ${group}`,
      )
      assert.deepEqual(await groupsOf(bed, resource), [])
      const second = await mint(bed, { resource })
      assert.equal(await tryStatements(second.url, `SELECT * FROM ${resource}`), 'accepted')
    }),
  )

  test(
    'that is not exact any more is dropped when it is replaced, unless a lease is still in it',
    withTable(async (bed, resource) => {
      const widen = async (leaseId: string) => {
        const group = await groupOf(bed, leaseId)
        await bed.admin('SET ROLE sallyport', `GRANT INSERT ON ${resource} TO ${group}`)
        return group
      }
      const first = await mint(bed, { resource })
      await widen(first.leaseId)
      await first.end()
      const second = await mint(bed, { resource })
      const lived = await widen(second.leaseId)
      assert.deepEqual(await groupsOf(bed, resource), [lived])
      const third = await mint(bed, { resource })
      assert.deepEqual(await groupsOf(bed, resource), [lived, await groupOf(bed, third.leaseId)])
    }),
  )

  test(
    'does not follow a table that is dropped or renamed to the one that takes its name',
    withTable(async (bed, resource) => {
      const dropped = await mint(bed, { resource })
      await bed.admin(`DROP TABLE ${resource}`)
      await assert.rejects(mint(bed, { resource }), failsWith('provider_refused', /no table/))
      await makeTable(bed, resource)
      const renamed = await mint(bed, { resource })
      assert.equal(await tryStatements(renamed.url, `SELECT * FROM ${resource}`), 'accepted')
      assert.equal(await tryStatements(dropped.url, `SELECT * FROM ${resource}`), '42501')
      await bed.admin(`ALTER TABLE ${resource} RENAME TO ${resource.replace('public.', '')}_old`)
      await makeTable(bed, resource)
      const last = await mint(bed, { resource })
      assert.equal(await tryStatements(last.url, `SELECT * FROM ${resource}`), 'accepted')
      assert.equal(await tryStatements(last.url, `SELECT * FROM ${resource}_old`), '42501')
      assert.equal(await tryStatements(renamed.url, `SELECT * FROM ${resource}`), '42501')
    }),
  )

  test(
    'cannot be acted as, nor spoilt for others, by a holder',
    withTable(async (bed, resource) => {
      const [hostile, victim] = [await mint(bed, { resource }), await mint(bed, { resource })]
      const group = await groupOf(bed, hostile.leaseId)
      const session = await connect(hostile.url)
      await session.query('SET default_transaction_read_only = off')
      const [{ object } = { object: 0 }] = (await session.query('SELECT lo_create(0) AS object')).rows
      const tries = [
        `SET ROLE ${group}`,
        `SET SESSION AUTHORIZATION ${group}`,
        `DROP OWNED BY ${group}`,
        `DROP ROLE ${group}`,
        `GRANT ${group} TO PUBLIC`,
        `REVOKE ${group} FROM ${victim.leaseId}`,
        `REVOKE SELECT ON ${resource} FROM ${group}`,
        `ALTER ROLE ${group} LOGIN`,
        `ALTER ROLE ${group} SET statement_timeout = 1`,
        `ALTER LARGE OBJECT ${object} OWNER TO ${group}`,
        `ALTER DEFAULT PRIVILEGES FOR ROLE ${group} GRANT SELECT ON TABLES TO PUBLIC`,
        `ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO ${group}`,
        `GRANT SELECT ON LARGE OBJECT ${object} TO ${group}`,
      ]
      for (const statement of tries) await session.query(statement).catch(() => undefined)
      await assert.rejects(session.query(`SET ROLE ${group}`), /permission denied/)
      assert.equal(await tryStatements(victim.url, `SELECT * FROM ${resource}`), 'accepted')
      const later = await mint(bed, { resource })
      assert.equal(await tryStatements(later.url, `SELECT * FROM ${resource}`), 'accepted')
      assert.equal(await tryStatements(later.url, `SELECT lo_get(${object})`), '42501')
      await hostile.end()
      assert.deepEqual(await bed.admin(`SELECT 1 FROM pg_roles WHERE rolname = '${hostile.leaseId}'`), [])
      assert.deepEqual(await bed.admin(`SELECT 1 FROM pg_largeobject_metadata WHERE oid = ${object}`), [])
      await session.end()
    }),
  )

  test(
    'is left out where a member could act as it: the role has the grant itself, and ends like any other',
    withTable(async (bed, resource) => {
      const database = openTestDatabase(bed.brokerUrl, 1)
      const [schema = '', table = ''] = resource.split('.')
      const target = { privilege: 'SELECT', schema, table, name: resource } as const
      const found = await findAccess(database, { target, random: randomBytes }, live())
      const access = { ...found, group: undefined }
      const leaseId = newLeaseId()
      const [row] = await database.transaction(live(), (ask) =>
        ask(
          [
            `CREATE ROLE ${leaseId} LOGIN NOINHERIT`,
            `COMMENT ON ROLE ${leaseId} IS 'sallyport lease of sallyport-test, request x'`,
            ...accessStatements(access, [leaseId]),
            exactness([leaseId], access),
          ].join(';'),
        ),
      )
      assert.deepEqual(row, { exact: true })
      assert.deepEqual(
        await bed.admin(`SELECT 1 FROM pg_auth_members WHERE member = '${leaseId}'::regrole`),
        [],
      )
      await bed.provider.revoke({ leaseId, handle: '', providerNotAfter: 0 }, live())
      assert.deepEqual(await bed.admin(`SELECT 1 FROM pg_roles WHERE rolname = '${leaseId}'`), [])
      await database.close()
    }),
  )
})

test('a thousand accesses are remembered; the next one begins anew', () => {
  const accesses = new Map<string, Access>()
  const access: Access = {
    target: { privilege: 'SELECT', schema: 'public', table: 'orders', name: 'public.orders' },
    server: { version: 180_000, databaseOid: 5 },
    group: 'sallyport_0_0',
    opens: { schema: true, database: true },
  }
  for (let nth = 1; nth <= accessesMax; nth += 1) remember(accesses, `table ${nth}`, access)
  remember(accesses, 'table 1', access)
  assert.equal(accesses.size, accessesMax)
  remember(accesses, 'one more', access)
  assert.deepEqual([...accesses.keys()], ['one more'])
})
