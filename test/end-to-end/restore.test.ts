import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Client, createClient } from '../../client/src/index.ts'
import { openSqliteStore } from '../../src/adapters/stores/sqlite/index.ts'
import { createLogKey, parseEntry, parseLogKey, verifyExport } from '../../src/audit/index.ts'
import { checkBackup, restoreBackup } from '../../src/catalog/index.ts'
import { type RunningBroker, runBroker } from '../../src/cli/running-broker.ts'
import { Secret } from '../../src/primitives/index.ts'
import { unprivileged } from '../../src/testing/unprivileged.ts'
import { createWire, type Running, startRunning, type WireAnswer } from '../running.ts'

let running: Running
let paula: Client
/** What was issued before the backup `before.db` was taken. */
let early: { readonly token: Issued; readonly thing: Issued }
let beforeFile: string
before(async () => {
  running = await startRunning()
  paula = clientOf(running.broker, running.people.paula.bearer)
  early = { token: await issue(bucket), thing: await issue(thing('early')) }
  beforeFile = join(running.folder, 'before.db')
  await takeBackup(beforeFile)
})
after(async () => {
  paula?.close()
  await running?.close()
})

function clientOf(broker: RunningBroker, token = ''): Client {
  return createClient({
    url: broker.humanUrl,
    ca: running.authority.own.certPem,
    identity: { kind: 'token', token },
  })
}

type Issued = Readonly<Record<string, unknown>>

async function issue(request: object): Promise<Issued> {
  const as = { certificate: running.machines['agent-7'].certificate }
  const answer = await running.machine({ method: 'POST', path: '/v1/credentials', body: request, as })
  assert.equal(answer.status, 201, answer.text)
  return answer.json
}

async function takeBackup(file: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of await paula.backup()) pieces.push(piece)
  const bytes = Buffer.concat(pieces)
  await writeFile(file, bytes)
  return bytes
}

const post = { method: 'POST', path: '/v1/backups' }
const bucket = { service: 'aws-s3', action: 'list-buckets', resource: 'bucket-1' }
const thing = (name: string) => ({ service: 'vault', action: 'read', resource: `acme/${name}` })

describe('a backup', { timeout: 60_000 }, () => {
  test('is for the role platform, on the human plane alone; who may not is an entry', async () => {
    const denied = await running.human({ ...post, as: running.people.dana })
    assert.deepEqual([denied.status, denied.json['code']], [403, 'not_permitted'])
    const last = (await running.entries()).at(-1)
    assert.deepEqual([last?.event, last?.agent_id, last?.scope], ['request_refused', 'dana', 'backup'])
    // This machine has the role; its plane has no such operation.
    const machine = running.machines.warden
    assert.equal((await running.machine({ ...post, as: { certificate: machine.certificate } })).status, 404)
    assert.equal((await running.human(post)).status, 401)
  })

  test('is a whole copy whose digest stands in the answer and in the log, and holds no key', async () => {
    const file = join(running.folder, 'first.db')
    const bytes = await takeBackup(file)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const last = (await running.entries()).at(-1)
    assert.deepEqual(
      [last?.event, last?.agent_id, last?.detail?.['sha256']],
      ['backup_taken', 'paula', sha256],
    )
    const answer = await running.human({ ...post, as: running.people.paula })
    assert.match(String(answer.headers['repr-digest']), /^sha-256=:[A-Za-z0-9+/]{43}=:$/)
    assert.equal(answer.headers['content-type'], 'application/vnd.sqlite3')
    const { vkey } = running.broker.assembled.log
    assert.ok((await checkBackup(file, vkey)).checkpoint.size > 0)
    const keys = await readdir(join(running.folder, 'data', 'keys'))
    for (const name of keys.filter((one) => /key$|jwks/.test(one))) {
      const key = (await readFile(join(running.folder, 'data', 'keys', name), 'utf8')).trim()
      const inKeySet = [...key.matchAll(/"d": "([^"]+)"/g)].map((match) => match[1] ?? '')
      const secrets = name === 'log.key' ? [key.slice(-40)] : inKeySet
      assert.ok(secrets.length > 0, name)
      for (const secret of secrets) assert.ok(!bytes.includes(secret))
    }
    assert.deepEqual(
      (await readdir(join(running.folder, 'data'))).filter((name) => name.includes('copy')),
      [],
    )
  })

  test('may be asked for again by whoever has the whole of it, at once', async () => {
    for (let nth = 0; nth < 20; nth += 1) {
      const copy = await running.broker.assembled.copyStore()
      let read = 0
      for await (const piece of copy.read()) {
        read += piece.byteLength
        if (read < copy.bytes) continue
        const next = await running.broker.assembled.copyStore()
        await next.discard()
      }
    }
  })

  test('is taken one at a time, and who goes away leaves the next one room', async () => {
    const copy = await running.broker.assembled.copyStore()
    const busy = await running.human({ ...post, as: running.people.paula })
    await copy.discard()
    assert.deepEqual([busy.status, busy.json['code']], [503, 'overloaded'])
    const gone = new AbortController()
    const asked = running.human({ ...post, as: running.people.paula, signal: gone.signal })
    setImmediate(() => gone.abort())
    await asked.catch(() => undefined)
    await eventually(async () => (await running.human({ ...post, as: running.people.paula })).status === 200)
  })

  test('that cannot be recorded is not handed out', async () => {
    running.setStore('broken')
    const ask = () => running.human({ ...post, as: running.people.paula })
    const refused = eventually(async () => (await ask()).json['code'] === 'log_unwritable')
    await refused.finally(() => running.setStore('whole'))
    await eventually(async () => (await ask()).status === 200)
  })
})

describe('a restoration that cannot be', { timeout: 60_000 }, () => {
  const restore = (backupFile: string, dataFolder: string) =>
    restoreBackup({ backupFile, dataFolder, vkey: running.broker.assembled.log.vkey })

  test('of a damaged backup names the file and leaves nothing', async () => {
    const damaged = join(running.folder, 'damaged.db')
    const dataFolder = join(running.folder, 'from-damaged')
    const bytes = await readFile(beforeFile)
    // Every page but the first, whose head says what the file is.
    await writeFile(damaged, bytes.fill(0xa5, 4_096))
    await assert.rejects(restore(damaged, dataFolder), { code: 'store_invalid', message: /damaged\.db/ })
    await assert.rejects(restore(join(running.folder, 'absent.db'), dataFolder), {
      code: 'store_invalid',
      message: /absent\.db/,
    })
    assert.deepEqual(
      (await readdir(running.folder)).filter((name) => name.startsWith('from-damaged')),
      [],
    )
  })

  test('leaves a folder alone that somebody began to use meanwhile, and takes no file for one', async () => {
    const dataFolder = join(running.folder, 'raced')
    const restoring = restore(beforeFile, dataFolder)
    mkdirSync(dataFolder)
    writeFileSync(join(dataFolder, 'mine'), 'mine')
    await assert.rejects(restoring, { code: 'option_invalid' })
    assert.deepEqual(await readdir(dataFolder), ['mine'])
    for (const folder of [join(dataFolder, 'mine'), ''])
      await assert.rejects(restore(beforeFile, folder), { code: 'option_invalid' })
  })
})

describe('a broker that was restored from a backup', { timeout: 60_000 }, () => {
  test('goes on issuing in a new epoch; what was minted or revoked after the backup is dead', async () => {
    const { certificate } = running.machines['agent-7']
    const oldKey = running.broker.assembled.log.vkey
    // All this the backup does not know of.
    const revoked = await running.machine({
      method: 'DELETE',
      path: `/v1/leases/${early.token['lease_id']}`,
      as: { certificate },
    })
    assert.equal(revoked.status, 200)
    const late = { token: await issue(bucket), thing: await issue(thing('late')) }
    const lost = running.broker.assembled.log.checkpoint()
    await running.broker.stop()
    assert.equal(running.fake.live.size, 2)

    const dataFolder = join(running.folder, 'restored')
    const restored = await restoreBackup({ backupFile: beforeFile, dataFolder, vkey: oldKey })
    assert.deepEqual(
      [restored.origin, restored.from.origin, restored.leasesEnding],
      ['wire/epoch-2', 'wire', 2],
    )
    assert.equal(restored.entries, restored.from.entries + 1 + 2)

    const broker = await startRestored(dataFolder)
    const wire = createWire(running.authority.own.certPem)
    const ask = (path: string, body: object | string, headers = {}): Promise<WireAnswer> =>
      wire.ask(broker.machineUrl, { method: 'POST', path, body, headers, as: { certificate } })
    try {
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      for (const issued of [early.token, late.token]) {
        const { access_token: token = '' } = Object(issued['credential'])
        const seen = await ask('/oauth2/introspect', new URLSearchParams({ token }).toString(), form)
        assert.deepEqual([seen.status, seen.json], [200, { active: false }])
      }
      await eventually(async () => running.fake.live.size === 0)
      const again = await ask('/v1/credentials', thing('again'))
      assert.equal(again.status, 201, again.text)
      assert.equal(running.fake.live.size, 1)
      const events = await eventsOf(broker)
      assert.ok(events.includes(`orphan_found ${late.thing['lease_id']} killed`))
      assert.ok(events.includes(`lease_ended ${early.thing['lease_id']} orphaned`))
      const chunks: Uint8Array[] = []
      for await (const chunk of broker.assembled.log.export()) chunks.push(chunk)
      const verify = (knownCheckpoint?: string) =>
        verifyExport(new Blob(chunks.map((chunk) => Buffer.from(chunk))).stream(), {
          vkeys: [restored.vkey, oldKey],
          ...(knownCheckpoint === undefined ? {} : { knownCheckpoint }),
        })
      assert.equal((await verify()).kind, 'verified')
      assert.equal((await verify(lost)).kind, 'truncated')
    } finally {
      wire.close()
      await broker.stop()
    }
  })

  test('can be backed up and restored once more, and still knows what it planted', async () => {
    const first = join(running.folder, 'restored')
    const broker = await startRestored(first)
    const { vkey } = broker.assembled.log
    const again = clientOf(broker, running.people.paula.bearer)
    const file = join(running.folder, 'second.db')
    const pieces: Uint8Array[] = []
    for await (const piece of await again.backup()) pieces.push(piece)
    writeFileSync(file, Buffer.concat(pieces))
    again.close()
    await broker.stop()
    const second = join(running.folder, 'restored-again')
    const restored = await restoreBackup({ backupFile: file, dataFolder: second, vkey, epoch: 5 })
    assert.equal(restored.origin, 'wire/epoch-5')
    const names = [first, second].map((folder) => readFile(join(folder, 'broker-name'), 'utf8'))
    const [one, two] = await Promise.all(names)
    assert.equal(one, two)
    assert.match(one ?? '', /^wire\.[0-9a-f]{8}\n$/)
  })
})

describe('a restoration', { timeout: 60_000 }, () => {
  const restore = (more: Partial<Parameters<typeof restoreBackup>[0]>) =>
    restoreBackup({
      backupFile: beforeFile,
      dataFolder: join(running.folder, 'new'),
      vkey: running.broker.assembled.log.vkey,
      ...more,
    })

  test('touches nothing that is there, and refuses what the key did not sign; nothing is left of it then', async () => {
    const [dataFolder, occupied] = [join(running.folder, 'new'), join(running.folder, 'data')]
    await assert.rejects(restore({ dataFolder: occupied }), { code: 'option_invalid' })
    const vkey = parseLogKey(createLogKey('wire')).vkey
    await assert.rejects(restore({ vkey }), { code: 'store_invalid' })
    await assert.rejects(restore({ backupFile: join(running.folder, 'sallyport.yaml') }), {
      code: 'store_invalid',
    })
    await assert.rejects(restore({ backupFile: join(running.folder, 'nothing.db') }), {
      code: 'store_invalid',
    })
    const bytes = await readFile(beforeFile)
    const at = bytes.indexOf('credential_issued')
    const damaged = join(running.folder, 'damaged.db')
    await writeFile(damaged, Buffer.from(bytes).fill('X', at, at + 1))
    await assert.rejects(restore({ backupFile: damaged }), { code: 'store_invalid' })
    assert.equal(existsSync(dataFolder), false)
    assert.deepEqual(
      (await readdir(running.folder)).filter((name) => name.includes('restoring')),
      [],
    )
  })

  test('tells a provider nothing that only the table of leases in the backup says', async () => {
    const forged = join(running.folder, 'forged.db')
    await writeFile(forged, await readFile(beforeFile))
    const database = new DatabaseSync(forged)
    const open = database.prepare("SELECT id, handle, provider FROM lease WHERE state = 'live'").all()
    assert.equal(open.length, 2)
    database.exec(
      "UPDATE lease SET handle = 'the role of somebody else', provider = 'another', state = 'ended'",
    )
    database.prepare('DELETE FROM lease WHERE id = ?').run(String(open[0]?.['id']))
    database.close()
    const dataFolder = join(running.folder, 'from-forged')
    assert.equal((await restore({ backupFile: forged, dataFolder })).leasesEnding, 2)
    const store = openSqliteStore({ path: join(dataFolder, 'sallyport.db') })
    for (const { id, handle, provider } of open) {
      const lease = await store.leases.find(String(id))
      assert.deepEqual([lease?.state, lease?.handle, lease?.provider], ['ending', handle, provider])
    }
    const { leases } = await store.leases.list({}, { limit: 1000 })
    assert.ok(leases.every((lease) => lease.handle !== 'the role of somebody else'))
    store.close()
  })

  const whole = ['broker-name', 'keys', 'sallyport.db']
  /** That its key and its store are of one another. */
  const assertRestored = async (dataFolder: string, vkey: string) => {
    assert.deepEqual((await readdir(dataFolder)).filter((name) => name !== 'lost+found').sort(), whole)
    assert.equal(statSync(dataFolder).mode & 0o777, 0o700)
    const signer = parseLogKey(new Secret(readFileSync(join(dataFolder, 'keys/log.key'), 'utf8')))
    assert.equal(signer.vkey, vkey)
    await checkBackup(join(dataFolder, 'sallyport.db'), vkey)
  }

  test('goes into a new folder, and into an empty one, by whatever name, that stays the one it is', async () => {
    const at = (name: string) => join(running.folder, name)
    for (const name of ['empty', 'here', 'led-to', 'own-disk']) mkdirSync(at(name))
    mkdirSync(at('own-disk/lost+found'), { mode: 0o700 })
    symlinkSync('led-to', at('link'))
    const before = process.cwd()
    for (const [dataFolder, made] of [
      [at('not-there/yet'), undefined],
      [`${at('empty')}/.`, at('empty')],
      [`${at('link')}/`, at('led-to')],
      [at('own-disk'), at('own-disk')],
      ['.', at('here')],
    ] as const) {
      if (dataFolder === '.') process.chdir(at('here'))
      const inode = made && statSync(made).ino
      const { vkey } = await restore({ dataFolder }).finally(() => process.chdir(before))
      await assertRestored(made ?? dataFolder, vkey)
      if (made) assert.equal(statSync(made).ino, inode)
    }
    assert.ok(lstatSync(at('link')).isSymbolicLink())
  })

  test('of which several are at work for one folder is done by one of them at most, and whole', async () => {
    for (const kind of ['absent', 'empty']) {
      const dataFolder = join(running.folder, `wanted-${kind}`)
      if (kind === 'empty') mkdirSync(dataFolder)
      const settled = await Promise.allSettled([0, 1, 2, 3].map(() => restore({ dataFolder })))
      const done = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value.vkey] : []))
      for (const one of settled)
        if (one.status === 'rejected') assert.equal(one.reason.code, 'option_invalid', String(one.reason))
      assert.ok(done.length <= 1)
      if (kind === 'absent') assert.equal(done.length, 1)
      const [vkey = (await restore({ dataFolder })).vkey] = done
      await assertRestored(dataFolder, vkey)
    }
    assert.deepEqual(
      (await readdir(running.folder)).filter((name) => name.includes('restoring')),
      [],
    )
  })

  test('touches nothing of what stands beside it, nor what another one left in the folder', async () => {
    const dataFolder = join(running.folder, 'beside')
    mkdirSync(`${dataFolder}.restoring`)
    writeFileSync(`${dataFolder}.restoring/notes`, 'precious')
    await assert.rejects(restore({ dataFolder, backupFile: join(running.folder, 'nothing.db') }), {
      code: 'store_invalid',
    })
    await restore({ dataFolder })
    assert.deepEqual(await readdir(`${dataFolder}.restoring`), ['notes'])
    const interrupted = join(running.folder, 'interrupted')
    mkdirSync(join(interrupted, '.restoring-a1b2c3'), { recursive: true })
    await assert.rejects(restore({ dataFolder: interrupted }), {
      code: 'option_invalid',
      next: /interrupted: then remove .*\.restoring-a1b2c3$/,
    })
    assert.deepEqual(await readdir(interrupted), ['.restoring-a1b2c3'])
  })

  test('into what is no folder, or where the system refuses it, says so and leaves nothing', async () => {
    const at = (name: string) => join(running.folder, name)
    writeFileSync(at('a-file'), '')
    symlinkSync('nowhere', at('dangling'))
    mkdirSync(at('read-only'))
    chmodSync(running.folder, 0o711)
    chmodSync(beforeFile, 0o644)
    chmodSync(at('read-only'), 0o555)
    for (const [name, told] of [
      ['a-file', /'.*a-file' is no folder/],
      ['a-file/below', /refuses the data folder .*a-file\/below \(ENOTDIR: /],
      ['dangling', /refuses the data folder .*dangling \(ENOENT: /],
      ['read-only', /refuses the data folder .*read-only \(EACCES: /],
      ['read-only/below', /refuses the data folder .*read-only\/below \(EACCES: /],
    ] as const)
      await unprivileged(() =>
        assert.rejects(restore({ dataFolder: at(name) }), { code: 'option_invalid', message: told }),
      )
    assert.deepEqual(await readdir(at('read-only')), [])
  })
})

function startRestored(dataFolder: string): Promise<RunningBroker> {
  return runBroker({
    contractFile: join(running.folder, 'sallyport.yaml'),
    dataFolder,
    environment: { WIRE_MODE: 'test' },
    machine: { host: '127.0.0.1', port: 0 },
    human: { host: '127.0.0.1', port: 0 },
    tls: running.tls,
    note: () => undefined,
    providers: [{ kind: 'fake', developmentOnly: true, create: async () => running.fake }],
  })
}

async function eventsOf(broker: RunningBroker): Promise<readonly string[]> {
  const entries = (await broker.assembled.log.entries(0, 1000)).map((bytes) => parseEntry(bytes))
  return entries.map((entry) => `${entry?.event} ${entry?.lease_id} ${entry?.outcome}`)
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await holds()) return
    await pause(50)
  }
  assert.fail('It did not come to be within ten seconds.')
}
