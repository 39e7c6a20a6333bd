import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Failure } from '../../../primitives/index.ts'
import {
  connect,
  createTestProvider,
  failsWith,
  live,
  standBetween,
  startTestbed,
  type Testbed,
  tryStatements,
} from './testbed.fixture.ts'

test('the password of a named role', async (context) => {
  const bed = await startTestbed()
  if ('skip' in bed) return context.skip(bed.skip)
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-rotation-'))
  const file = join(folder, 'app-password')
  const config = { rotates: [{ role: 'app', file }] }
  const provider = await createTestProvider(bed.brokerUrl, config)
  context.after(async () => {
    await provider.close?.()
    await bed.server.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const urlWith = (password: string) => bed.server.url.replace(/\/\/[^@]+@/, `//app:${password}@`)
  /** What of both files the role logs in with. */
  const validIn = async (path: string) => {
    for (const each of [path, `${path}.next`]) {
      const password = await readFile(each, 'utf8').catch(() => undefined)
      if (password && (await tryStatements(urlWith(password), 'SELECT 1')) === 'accepted') return password
    }
    return undefined
  }
  await bed.admin("CREATE ROLE app LOGIN PASSWORD 'first'", 'GRANT app TO sallyport WITH ADMIN OPTION')

  await context.test('is new in its file and in the database; open sessions go on', async () => {
    assert.deepEqual(provider.capabilities.rotates, ['app'])
    const session = await connect(urlWith('first'))
    const words = await provider.rotate('app', live())
    const password = await readFile(file, 'utf8')
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.match(password, /^[A-Za-z0-9_-]{43}$/)
    assert.equal(words.includes(password), false)
    assert.equal(await tryStatements(urlWith('first'), 'SELECT 1'), '28P01')
    assert.equal(await tryStatements(urlWith(password), 'SELECT 1'), 'accepted')
    assert.equal((await session.query('SELECT 1 AS one')).rows.length, 1)
    assert.equal((await bed.log()).includes(password), false)
    await session.end()
  })

  await context.test('a crash after the database changed is put right by the next rotation', async () => {
    await bed.admin(`ALTER ROLE app PASSWORD '${left}'`)
    await writeFile(`${file}.next`, left, { mode: 0o600 })
    await provider.rotate('app', live())
    assert.deepEqual(await readdir(folder), ['app-password'])
    assert.equal(await tryStatements(urlWith(left), 'SELECT 1'), '28P01')
    assert.equal(await tryStatements(urlWith(await readFile(file, 'utf8')), 'SELECT 1'), 'accepted')
  })

  await context.test('a crash before the database changed costs nothing', async () => {
    const before = await readFile(file, 'utf8')
    await writeFile(`${file}.draft`, left.slice(0, 20), { mode: 0o600 })
    await writeFile(`${file}.next`, left, { mode: 0o600 })
    await provider.rotate('app', live())
    assert.deepEqual(await readdir(folder), ['app-password'])
    for (const old of [before, left]) assert.equal(await tryStatements(urlWith(old), 'SELECT 1'), '28P01')
    assert.equal(await tryStatements(urlWith(await readFile(file, 'utf8')), 'SELECT 1'), 'accepted')
  })

  for (const [why, barred, freed] of [
    [
      'may not connect to this database',
      'REVOKE CONNECT ON DATABASE postgres FROM PUBLIC',
      'GRANT CONNECT ON DATABASE postgres TO PUBLIC',
    ],
    ['may not log in', 'ALTER ROLE app NOLOGIN', 'ALTER ROLE app LOGIN'],
    [
      'has a password that ran out',
      "ALTER ROLE app VALID UNTIL '2001-01-01'",
      "ALTER ROLE app VALID UNTIL 'infinity'",
    ],
  ] as const)
    await context.test(`a password that a crash left is kept when its role ${why}`, async () => {
      await bed.admin(
        `ALTER ROLE app PASSWORD '${left}'`,
        barred,
        'REVOKE ADMIN OPTION FOR app FROM sallyport',
      )
      await writeFile(`${file}.next`, left, { mode: 0o600 })
      await assert.rejects(provider.rotate('app', live()), failsWith('provider_refused'))
      await bed.admin(freed, 'GRANT app TO sallyport WITH ADMIN OPTION')
      assert.equal(await validIn(file), left)
      await provider.rotate('app', live())
      assert.equal(await tryStatements(urlWith(await readFile(file, 'utf8')), 'SELECT 1'), 'accepted')
    })

  await context.test('what no rotation wrote is neither used nor thrown away', async () => {
    const before = await readFile(file, 'utf8')
    await writeFile(`${file}.next`, 'somebody-elses', { mode: 0o600 })
    await assert.rejects(provider.rotate('app', live()), failsWith('provider_refused', /app-password\.next/))
    assert.equal(await readFile(`${file}.next`, 'utf8'), 'somebody-elses')
    assert.equal(await validIn(file), before)
    await rm(`${file}.next`)
  })

  await context.test('rotations that are asked for at once come one after another', async () => {
    await Promise.all(Array.from({ length: 4 }, () => provider.rotate('app', live())))
    assert.deepEqual(await readdir(folder), ['app-password'])
    assert.equal(await tryStatements(urlWith(await readFile(file, 'utf8')), 'SELECT 1'), 'accepted')
  })

  await context.test(
    'a rotation that nobody waits for any more when its turn comes does nothing',
    async () => {
      const leaving = new AbortController()
      const first = provider.rotate('app', live())
      const second = assert.rejects(provider.rotate('app', leaving.signal), failsWith('provider_timeout'))
      leaving.abort(new Failure('provider_timeout', 'Nobody waits.'))
      await first
      const password = await readFile(file, 'utf8')
      await second
      assert.equal(await readFile(file, 'utf8'), password)
    },
  )

  await context.test('several processes that rotate it at once never lose it', async (at) => {
    const rounds = 20
    const processes = [
      provider,
      ...(await Promise.all([1, 2].map(() => createTestProvider(bed.brokerUrl, config)))),
    ]
    const came = { rotated: 0, throttled: 0 }
    for (let round = 0; round < rounds; round += 1) {
      const outcomes = await Promise.allSettled(processes.map((each) => each.rotate('app', live())))
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') came.rotated += 1
        else if (failsWith('provider_throttled')(outcome.reason)) came.throttled += 1
        else throw outcome.reason
      }
      assert.notEqual(await validIn(file), undefined)
    }
    for (const other of processes.slice(1)) await other.close?.()
    at.diagnostic(
      `${came.rotated} rotations by 3 processes, ${came.throttled} were told to wait; none lost it`,
    )
    assert.ok(came.rotated >= rounds)
    await provider.rotate('app', live())
    assert.equal(await tryStatements(urlWith(await readFile(file, 'utf8')), 'SELECT 1'), 'accepted')
  })

  await context.test('a rotation that is cut off anywhere leaves a password that is valid', async (at) => {
    let cuts = 0
    for (const heard of [true, false])
      for (let place = 0, over = false; !over; place += 1) {
        over = await cutOff(bed, { place, heard }, config)
        if (!over) cuts += 1
        assert.notEqual(await validIn(file), undefined, `after ${place} pieces`)
        // Every other cut falls into what an earlier one left.
        if (place % 2 === 0) await provider.rotate('app', live())
      }
    at.diagnostic(`${cuts} rotations were cut off; no password was lost`)
    assert.ok(cuts > 10)
  })

  await context.test('without a folder for the file nothing changes, and the file is named', async () => {
    const nowhere = join(folder, 'missing', 'app-password')
    const lost = await createTestProvider(bed.brokerUrl, { rotates: [{ role: 'app', file: nowhere }] })
    await provider.rotate('app', live())
    await assert.rejects(
      lost.rotate('app', live()),
      (thrown) => failsWith('provider_refused', /missing/)(thrown) && /ENOENT/.test(Object(thrown).internal),
    )
    assert.equal(await tryStatements(urlWith(await readFile(file, 'utf8')), 'SELECT 1'), 'accepted')
    await lost.close?.()
  })

  await context.test('a role that the contract does not name is not rotated', async () => {
    await assert.rejects(provider.rotate('postgres', live()), failsWith('rotation_unsupported'))
    await assert.rejects(provider.rotate('sallyport', live()), failsWith('rotation_unsupported'))
  })

  await context.test('while the database is down, the only valid password is not overwritten', async () => {
    await writeFile(`${file}.next`, left, { mode: 0o600 })
    await bed.server.crash()
    await assert.rejects(provider.rotate('app', live()), failsWith('provider_unreachable'))
    assert.equal(await readFile(`${file}.next`, 'utf8'), left)
  })
})

/** As a rotation would have left it. */
const left = 'left-by-a-crash'.padEnd(43, '_')

/** Rotates until so many pieces of what it says have passed, and cuts it off at the next, which the server hears or not; true when there was none. */
async function cutOff(bed: Testbed, cut: { place: number; heard: boolean }, config: Record<string, unknown>) {
  let passed = 0
  let isCut = false
  const between = await standBetween(bed, (bytes, { client, upstream }) => {
    passed += 1
    if (passed <= cut.place) return void upstream.write(bytes)
    isCut = true
    client.destroy()
    if (cut.heard) upstream.end(bytes)
    else upstream.destroy()
  })
  const provider = await createTestProvider(between.url, config)
  await provider.rotate('app', live()).catch(() => undefined)
  await provider.close?.()
  between.close()
  return !isCut
}
