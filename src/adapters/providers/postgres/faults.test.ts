import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { startPostgres } from '../../../testing/postgres.ts'
import {
  connect,
  createTestProvider,
  failsWith,
  live,
  newLeaseId,
  orderFor,
  startTestbed,
  tryStatements,
  urlOf,
} from './testbed.fixture.ts'

test('a provider is made while its database is down, and says that it cannot be reached', async () => {
  const provider = await createTestProvider('postgres://sallyport:x@127.0.0.1:9/postgres')
  await assert.rejects(
    provider.mint(orderFor(newLeaseId()), live()),
    (thrown) => failsWith('provider_unreachable')(thrown) && Object(thrown).unsent === true,
  )
  const reference = { leaseId: newLeaseId(), handle: '', providerNotAfter: 0 }
  await assert.rejects(provider.revoke(reference, live()), failsWith('provider_unreachable'))
  await provider.close?.()
})

test('a server that takes the connection and never answers is a timeout', async (context) => {
  const taken: Socket[] = []
  const server = createServer((socket) => taken.push(socket)).listen(0, '127.0.0.1')
  context.after(() => {
    for (const socket of taken) socket.destroy()
    server.close()
  })
  const address = await new Promise((resolve) => server.once('listening', () => resolve(server.address())))
  assert.ok(typeof address === 'object' && address && 'port' in address)
  const provider = await createTestProvider(`postgres://sallyport:x@127.0.0.1:${address.port}/postgres`)
  const minting = provider.mint(orderFor(newLeaseId()), AbortSignal.timeout(200))
  await assert.rejects(minting, failsWith('provider_timeout'))
})

test('a server that crashes under a live credential is unreachable, and revoking works when it is back', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-pg-test-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  const bed = await startTestbed({ folder })
  if ('skip' in bed) return context.skip(bed.skip)
  const { provider } = bed
  const leaseId = newLeaseId()
  const { credential, handle, providerNotAfter } = await provider.mint(orderFor(leaseId), live())
  const reference = { leaseId, handle, providerNotAfter }

  await bed.server.crash()
  await assert.rejects(provider.mint(orderFor(newLeaseId()), live()), failsWith('provider_unreachable'))
  await assert.rejects(provider.revoke(reference, live()), failsWith('provider_unreachable'))
  assert.equal(await provider.probe?.(reference, credential, live()), 'unknown')

  const again = await startPostgres({ folder, port: bed.server.port })
  assert.ok(again.kind === 'running')
  assert.equal(await provider.probe?.(reference, credential, live()), 'accepted')
  await provider.revoke(reference, live())
  assert.equal(await provider.probe?.(reference, credential, live()), 'refused')
  await provider.close?.()
  await again.stop()
})

test('with one server that stays', async (context) => {
  const bed = await startTestbed()
  if ('skip' in bed) return context.skip(bed.skip)
  const { provider } = bed
  context.after(async () => {
    await provider.close?.()
    await bed.server.stop()
  })

  await context.test('a mint that is aborted anywhere leaves nothing once it is revoked', async (at) => {
    const came = { minted: 0, aborted: 0 }
    for (let round = 0; round < 40; round += 1) {
      const leaseId = newLeaseId()
      const abort = new AbortController()
      const minting = provider.mint(orderFor(leaseId), abort.signal)
      const outcome = minting.then(
        () => 'minted' as const,
        () => 'aborted' as const,
      )
      await pause(round * 0.4)
      abort.abort(new Error('the caller left'))
      came[await outcome] += 1
      await provider.revoke({ leaseId, handle: '', providerNotAfter: 0 }, live())
      assert.deepEqual(await bed.admin(`SELECT 1 FROM pg_roles WHERE rolname = '${leaseId}'`), [])
    }
    at.diagnostic(
      `${came.aborted} mints were aborted, ${came.minted} were done first; nothing was left of any`,
    )
    assert.ok(came.aborted > 0)
    assert.deepEqual(await provider.planted?.(live()), [])
  })

  await context.test('a mint that the server begins when it was revoked already leaves nothing', async () => {
    const first = newLeaseId()
    await provider.mint(orderFor(first), live())
    await provider.revoke({ leaseId: first, handle: '', providerNotAfter: 0 }, live())
    const sessions = "SELECT pid FROM pg_stat_activity WHERE usename = 'sallyport'"
    const pids = (await bed.admin(sessions)).map((row) => Number(Object(row).pid))
    const leaseId = newLeaseId()
    const minting = provider.mint(orderFor(leaseId), AbortSignal.timeout(300))
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    await assert.rejects(minting, failsWith('provider_timeout'))
    await provider.revoke({ leaseId, handle: '', providerNotAfter: 0 }, live())
    for (const pid of pids) process.kill(pid, 'SIGCONT')
    const gone = `SELECT 1 FROM pg_stat_activity WHERE pid IN (${pids.join()})`
    while ((await bed.admin(gone)).length > 0) await pause(20)
    const log = await bed.log()
    assert.ok(log.includes(`CREATE ROLE "${leaseId}"`), 'the server did begin it')
    assert.deepEqual(await bed.admin(`SELECT 1 FROM pg_roles WHERE rolname = '${leaseId}'`), [])
  })

  await context.test('sessions of the broker that an operator ends are replaced', async () => {
    const leaseId = newLeaseId()
    await provider.mint(orderFor(leaseId), live())
    await bed.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sallyport'")
    await pause(50)
    await provider.revoke({ leaseId, handle: '', providerNotAfter: 0 }, live())
    assert.deepEqual(await provider.planted?.(live()), [])
  })

  await context.test('somebody else who grants on the same table does not stop a mint', async () => {
    await bed.admin('CREATE ROLE bystander')
    const other = await connect(bed.server.url)
    const mints = Array.from({ length: 10 }, () => provider.mint(orderFor(newLeaseId()), live()))
    const settled = Promise.all(mints)
    for (let turn = 0; turn < 60; turn += 1) {
      // Whoever comes second may fail; the mint must be the one that tries again.
      await other.query('GRANT SELECT ON public.orders TO bystander').catch(() => undefined)
      await other.query('REVOKE SELECT ON public.orders FROM bystander').catch(() => undefined)
    }
    for (const { credential } of await settled)
      assert.equal(await tryStatements(urlOf(credential), 'SELECT * FROM public.orders'), 'accepted')
    await other.end()
  })

  await context.test('a lock that somebody holds on the grants is a timeout, not a hang', async () => {
    const late = await createTestProvider(bed.brokerUrl)
    const other = await connect(bed.server.url)
    await other.query('BEGIN')
    await other.query('SELECT pg_advisory_xact_lock(1935765614, 0)')
    const minting = late.mint(orderFor(newLeaseId()), AbortSignal.timeout(300))
    await assert.rejects(minting, failsWith('provider_timeout'))
    await provider.mint(orderFor(newLeaseId()), live())
    await other.query('ROLLBACK')
    await other.end()
    await late.close?.()
  })

  await context.test('a server with no free connection is throttling', async () => {
    await bed.admin('ALTER ROLE sallyport CONNECTION LIMIT 0')
    const late = await createTestProvider(bed.brokerUrl)
    await assert.rejects(late.mint(orderFor(newLeaseId()), live()), failsWith('provider_throttled'))
    await bed.admin('ALTER ROLE sallyport CONNECTION LIMIT -1')
    await late.mint(orderFor(newLeaseId()), live())
    await late.close?.()
  })

  await context.test("a broker whose own login is refused says so, and not the server's words", async () => {
    const wrong = await createTestProvider(bed.brokerUrl.replace(/:[^:@]+@/, ':wrong@'))
    const minting = wrong.mint(orderFor(newLeaseId()), live())
    await assert.rejects(
      minting,
      failsWith('provider_refused', /^The database refuses the broker's own login\.$/),
    )
    await wrong.close?.()
  })

  await context.test('a server without TLS is refused when the contract asks for TLS', async () => {
    const strict = await createTestProvider(bed.brokerUrl, { tls: {} })
    await assert.rejects(strict.mint(orderFor(newLeaseId()), live()), failsWith('provider_refused'))
    await strict.close?.()
  })
})
