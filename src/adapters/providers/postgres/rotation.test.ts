import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  connect,
  createTestProvider,
  failsWith,
  live,
  startTestbed,
  tryStatements,
} from './testbed.fixture.ts'

test('the password of a named role', async (context) => {
  const bed = await startTestbed()
  if ('skip' in bed) return context.skip(bed.skip)
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-rotation-'))
  const file = join(folder, 'app-password')
  const provider = await createTestProvider(bed.brokerUrl, { rotates: [{ role: 'app', file }] })
  context.after(async () => {
    await provider.close?.()
    await bed.server.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const urlWith = (password: string) => bed.server.url.replace(/\/\/[^@]+@/, `//app:${password}@`)
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
    await bed.admin("ALTER ROLE app PASSWORD 'changed-before-the-crash'")
    await writeFile(`${file}.next`, 'changed-before-the-crash', { mode: 0o600 })
    await bed.admin('REVOKE app FROM sallyport')
    await assert.rejects(provider.rotate('app', live()), failsWith('provider_refused'))
    assert.equal(await readFile(file, 'utf8'), 'changed-before-the-crash')
    await bed.admin('GRANT app TO sallyport WITH ADMIN OPTION')
    await provider.rotate('app', live())
    assert.equal(await tryStatements(urlWith(await readFile(file, 'utf8')), 'SELECT 1'), 'accepted')
  })

  await context.test('a crash before the database changed costs nothing', async () => {
    const before = await readFile(file, 'utf8')
    await writeFile(`${file}.next`, 'never-reached-the-database', { mode: 0o600 })
    await provider.rotate('app', live())
    assert.equal(await tryStatements(urlWith(before), 'SELECT 1'), '28P01')
    assert.equal(await tryStatements(urlWith(await readFile(file, 'utf8')), 'SELECT 1'), 'accepted')
  })

  await context.test('a role that the contract does not name is not rotated', async () => {
    await assert.rejects(provider.rotate('postgres', live()), failsWith('rotation_unsupported'))
    await assert.rejects(provider.rotate('sallyport', live()), failsWith('rotation_unsupported'))
  })

  await context.test('while the database is down, the only valid password is not overwritten', async () => {
    await writeFile(`${file}.next`, 'perhaps-valid', { mode: 0o600 })
    await bed.server.crash()
    await assert.rejects(provider.rotate('app', live()), failsWith('provider_unreachable'))
    assert.equal(await readFile(`${file}.next`, 'utf8'), 'perhaps-valid')
  })
})
