import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Client, createClient } from '../../client/src/index.ts'
import { openSqliteStore } from '../../src/adapters/stores/sqlite/index.ts'
import { createLog, createLogKey, parseLogKey, parseWitnessKey, verifyExport } from '../../src/audit/index.ts'
import { verifyFile } from '../../src/cli/audit.ts'
import { type Dev, startDev } from '../../src/cli/dev.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { Secret } from '../../src/primitives/index.ts'
import { entryFixture } from '../../src/testing/ledger.ts'
import { type ListeningWitness, startWitness } from '../../src/witness/testbed.fixture.ts'
import { createWire } from '../running.ts'

const name = 'witness.example.test/w1'
const key = createLogKey(name)
const { vkey } = parseWitnessKey(key)

let folder = ''
let dev: Dev
let witness: ListeningWitness
let port = 0
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-witnessed-'))
  const probe = await startWitness({ key, logs: [] })
  port = Number(new URL(probe.url).port)
  await probe.remove()
  dev = await start()
})
after(async () => {
  await dev?.stop()
  await witness?.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** The witness is named from the beginning, whether it runs or not. */
function start(): Promise<Dev> {
  const witnessed = { witness: [`http://127.0.0.1:${port}`], witnessKey: [vkey], witnessInterval: '1s' }
  const options = { dir: join(folder, 'dev'), port: 0, humanPort: 0, ...witnessed }
  return startDev(options, { note: () => undefined, environment: {} })
}

const logKey = () => dev.running.assembled.log.vkey
const dataFile = (file: string) => join(dev.files.data, file)

async function asAgent<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const { files, running } = dev
  const [certificate, certificateKey] = [files.certificate, files.certificateKey].map((file) =>
    readFileSync(file, 'utf8'),
  )
  const client = createClient({
    url: running.machineUrl,
    ca: readFileSync(files.ca, 'utf8'),
    identity: { kind: 'certificate', certificate: certificate ?? '', key: certificateKey ?? '' },
  })
  return use(client).finally(() => client.close())
}

async function issue(): Promise<void> {
  const request = { service: 'orders-api', action: 'read-order', resource: 'order-7' }
  const answer = await asAgent((client) => client.request(request))
  assert.equal(answer.kind, 'issued')
}

const statusOf = () => dev.running.assembled.cosigning?.status() ?? assert.fail()

/** `sallyport audit verify` over the log as it is now, with the witness pinned. */
async function verify(options: { checkpoint?: string } = {}): Promise<{ exit: number; said: unknown }> {
  const file = join(folder, 'export.jsonl')
  const chunks: Uint8Array[] = []
  for await (const chunk of dev.running.assembled.log.export()) chunks.push(chunk)
  writeFileSync(file, Buffer.concat(chunks))
  const plain = await verifyExport(new Blob(chunks.map((chunk) => Buffer.from(chunk))).stream(), {
    vkeys: [logKey()],
  })
  assert.equal(plain.kind, 'verified')
  let said: unknown
  const io: Terminal = {
    json: true,
    out: () => undefined,
    say: () => undefined,
    data: (value) => (said = value),
  }
  const exit = await verifyFile(io, file, { logKey: logKey(), witnessKey: [vkey], ...options })
  return { exit, said }
}

describe('a broker whose log is witnessed', { timeout: 90_000 }, () => {
  test('issues while its witness is down, and says how far the witness is behind', async () => {
    for (let round = 0; round < 3; round += 1) await issue()
    const { lagEntries, cosignedAt } = statusOf()
    assert.equal(lagEntries, dev.running.assembled.log.size())
    assert.equal(cosignedAt, undefined)
    await eventually(async () => statusOf().witnesses.get(name) === 'unreachable')
    const metrics = await metricsOf()
    assert.match(metrics, new RegExp(`^sallyport_witness_lag_entries ${lagEntries}$`, 'm'))
    assert.match(metrics, /^sallyport_witness_up\{witness="witness.example.test\/w1"\} 0$/m)
    assert.equal((await get('/log/cosigned-checkpoint')).status, 404)
    assert.equal((await verify()).exit, 12)
  })

  test('has it cosign by itself when it is there, and hands the cosigned checkpoint out', async () => {
    witness = await startWitness({ key, port, logs: [logKey()] })
    await eventually(async () => statusOf().lagEntries === 0)
    const answer = await get('/log/cosigned-checkpoint')
    assert.equal(answer.status, 200)
    assert.match(answer.text, /\n— witness\.example\.test\/w1 \S+\n$/)
    assert.match(await metricsOf(), /^sallyport_witness_lag_entries 0$/m)
    const { exit, said } = await verify()
    const { kind, witnessed } = Object(said)
    assert.deepEqual([exit, kind, witnessed], [0, 'verified', dev.running.assembled.log.size()])
  })

  test('does not start with a store that is older than what was cosigned', async () => {
    await dev.stop()
    cpSync(dataFile('sallyport.db'), join(folder, 'older.db'))
    dev = await start()
    await issue()
    await eventually(async () => statusOf().lagEntries === 0)
    await dev.stop()
    cpSync(dataFile('sallyport.db'), join(folder, 'newest.db'))
    cpSync(join(folder, 'older.db'), dataFile('sallyport.db'))
    await assert.rejects(start(), { code: 'store_invalid' })
    cpSync(join(folder, 'newest.db'), dataFile('sallyport.db'))
    dev = await start()
    await issue()
    await eventually(async () => statusOf().lagEntries === 0)
  })

  test('whose whole log was rewritten with the stolen log key passes plain verification, and is caught by the witness', async () => {
    const cosigned = join(folder, 'cosigned')
    writeFileSync(cosigned, (await get('/log/cosigned-checkpoint')).text)
    const size = dev.running.assembled.log.size()
    await dev.stop()
    // Root on the broker's host: takes the key, writes another history, and removes every trace of the first.
    const stolen = parseLogKey(new Secret(readFileSync(join(dev.files.data, 'keys', 'log.key'), 'utf8')))
    for (const file of ['sallyport.db', 'sallyport.db-wal', 'cosigned-checkpoint', 'keys/high-water'])
      rmSync(dataFile(file), { force: true })
    const store = openSqliteStore({ path: dataFile('sallyport.db') })
    const log = await createLog({ storage: store.storage, signer: stolen })
    for (let index = 0; index < size + 3; index += 1)
      await log.record({
        entry: entryFixture({ outcome: 'nothing happened', timestamp: new Date().toISOString() }),
      })
    await log.close()
    store.close()

    dev = await start()
    await eventually(async () => statusOf().witnesses.get(name) === 'forked')
    await issue()
    assert.equal((await get('/log/cosigned-checkpoint')).status, 404)
    // verify() asserts that without a witness the file is verified.
    assert.equal((await verify()).exit, 12)
    const { exit, said } = await verify({ checkpoint: cosigned })
    assert.deepEqual([exit, Object(said).kind], [10, 'tampered'])
    assert.ok(witness.told.some(({ refused }) => refused === 'unproven'))
  })
})

async function get(path: string): Promise<{ status: number; text: string }> {
  const wire = createWire(readFileSync(dev.files.ca, 'utf8'))
  return wire.ask(dev.running.humanUrl, { path }).finally(() => wire.close())
}

async function metricsOf(): Promise<string> {
  return (await get('/metrics')).text
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await holds()) return
    await pause(50)
  }
  assert.fail('It did not come to be within fifteen seconds.')
}
