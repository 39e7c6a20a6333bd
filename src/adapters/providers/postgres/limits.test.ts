import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from './database.ts'
import { endRole } from './ending.ts'
import {
  createTestProvider,
  failsWith,
  live,
  newLeaseId,
  openTestDatabase,
  orderFor,
  run,
  standBetween,
  startTestbed,
  type Testbed,
} from './testbed.fixture.ts'
import { togetherLimits } from './together.ts'

test('against a server', async (context) => {
  const bed = await startTestbed()
  if ('skip' in bed) return context.skip(bed.skip)
  const database = openTestDatabase(bed.brokerUrl, 2)
  context.after(async () => {
    await database.close()
    await bed.provider.close?.()
    await bed.server.stop()
  })

  await context.test(
    'a transaction whose rows others change is tried eight times, and not once more',
    async () => {
      const tries = async (racing: number) => {
        let count = 0
        const came = await database
          .transaction(live(), async (ask) => {
            count += 1
            if (count <= racing) await ask(`DO $$ BEGIN RAISE SQLSTATE '40001'; END $$`)
            return 'done'
          })
          .catch((thrown: unknown) => (failsWith('provider_throttled')(thrown) ? 'throttled' : thrown))
        return [came, count]
      }
      assert.deepEqual(await tries(7), ['done', 8])
      assert.deepEqual(await tries(8), ['throttled', 8])
    },
  )

  await context.test(
    'sessions that come back are ended, and after that five times, and not once more',
    async () => {
      const ending = async (returning: number) => {
        const leaseId = newLeaseId()
        await bed.provider.mint(orderFor(leaseId), live())
        await endRole(withSessions(database, returning), leaseId, live())
        return bed.admin(`SELECT 1 FROM pg_roles WHERE rolname = '${leaseId}'`)
      }
      assert.deepEqual(await ending(5), [])
      await assert.rejects(ending(6), failsWith('provider_timeout', /session/))
    },
  )

  await context.test(
    'a mint that finds a role of its lease begins anew four times, and not once more',
    async () => {
      const minted = async (planted: number) => {
        const leaseId = newLeaseId()
        const between = await plantBefore(bed, leaseId, planted)
        const provider = await createTestProvider(between.url)
        try {
          return (await provider.mint(orderFor(leaseId), live())).handle === `role ${leaseId}`
        } finally {
          await provider.close?.()
          between.close()
          await bed.provider.revoke({ leaseId, handle: '', providerNotAfter: 0 }, live())
        }
      }
      assert.equal(await minted(4), true)
      await assert.rejects(minted(5), failsWith('provider_throttled', /Somebody else mints/))
    },
  )
})

/** The database, in which the first so many looks for sessions find one that was just ended. */
function withSessions(database: Database, returning: number): Database {
  let left = returning
  return {
    ...database,
    session: (signal, work) =>
      database.session(signal, (ask) =>
        work(async (sql, values) => {
          if (!sql.includes('pg_terminate_backend') || left === 0) return ask(sql, values)
          left -= 1
          return [{ pg_terminate_backend: true }]
        }),
      ),
  }
}

/** Stands before the server; each of the first so many times that a role of the lease is about to be made, somebody else has just made it. */
async function plantBefore(bed: Testbed, leaseId: string, times: number) {
  let left = times
  const plant = () =>
    run(bed.brokerUrl, [
      `CREATE ROLE ${leaseId}`,
      `COMMENT ON ROLE ${leaseId} IS 'sallyport lease of another, request 1'`,
    ])
  return standBetween(bed, async (bytes, { upstream }) => {
    // Each try is one that could be shared, and then, because that fails, one alone.
    const making =
      left > 0 &&
      bytes.includes(`CREATE ROLE "${leaseId}"`) &&
      bytes.includes(`'lock_timeout', '${togetherLimits.lockMs}'`)
    if (making) left -= 1
    if (making) await plant()
    upstream.write(bytes)
  })
}
