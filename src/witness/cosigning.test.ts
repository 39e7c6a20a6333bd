import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  type AuditLog,
  createLogKey,
  openCheckpoint,
  parseLogKey,
  parseVerifier,
  parseWitnessKey,
  parseWitnessVerifier,
  readCosignatures,
  verifyExport,
} from '../audit/index.ts'
import { createTestClock } from '../testing/index.ts'
import { createCosigning, createKeptCheckpoint, type WitnessPolicy } from './index.ts'
import {
  append,
  createRecorder,
  type ListeningWitness,
  listen,
  logOf,
  signer,
  startWitness,
} from './testbed.fixture.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-cosigning-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const newFile = () => {
  files += 1
  return join(folder, `cosigned-${files}`)
}

function cosigningOf(log: AuditLog, policy: Omit<WitnessPolicy, 'intervalMs'>, file = newFile()) {
  const kept = createKeptCheckpoint(file)
  const alerter = createRecorder()
  const clock = createTestClock()
  const told: Readonly<Record<string, unknown>>[] = []
  const cosigning = createCosigning({
    log,
    policy: { ...policy, intervalMs: 1_000 },
    kept,
    clock,
    alerter,
    note: (line) => told.push(line),
  })
  const turn = () => cosigning.turn(new AbortController().signal)
  return { cosigning, kept, alerter, clock, told, turn, file }
}

const addressOf = ({ url, vkey }: ListeningWitness) => ({ url, vkey })

describe('a log with a witness', () => {
  test('has its newest checkpoint cosigned, and again when it has grown', async () => {
    const witness = await startWitness()
    const log = await logOf({ a: 5 })
    const { cosigning, kept, turn, told } = cosigningOf(log, { witnesses: [addressOf(witness)], needed: 1 })
    assert.deepEqual([cosigning.status().lagEntries, cosigning.status().cosignedAt], [5, undefined])
    await turn()
    assert.equal(cosigning.status().lagEntries, 0)
    assert.deepEqual([...cosigning.status().witnesses.values()], ['cosigned'])
    await append(log, 'b', 300)
    assert.equal(cosigning.status().lagEntries, 300)
    await turn()
    const note = kept.current()?.checkpoint ?? ''
    const opened = openCheckpoint(note, [parseVerifier(signer.vkey)])
    assert.ok(opened.kind === 'opened' && opened.checkpoint.size === 305)
    const read = readCosignatures(note, [parseWitnessVerifier(witness.vkey)])
    assert.deepEqual(read.kind === 'read' && read.names, ['witness.example.test/w1'])
    assert.equal(told.length, 1)
    await witness.remove()
  })

  test('that does not grow is cosigned again after a minute, and not before', async () => {
    const witness = await startWitness()
    const log = await logOf({ a: 5 })
    const { kept, clock, turn } = cosigningOf(log, { witnesses: [addressOf(witness)], needed: 1 })
    let cosignings = 0
    const keep = kept.keep.bind(kept)
    kept.keep = (head) => {
      cosignings += 1
      return keep(head)
    }
    for (const milliseconds of [0, 59_999, 1]) {
      await clock.advance(milliseconds)
      await turn()
    }
    assert.equal(cosignings, 2)
    await witness.remove()
  })

  test('that has witnesses enough goes on when one of them is down; with too few the lag says so', async () => {
    const [one, two] = [
      await startWitness({ name: 'w1.example.test' }),
      await startWitness({ name: 'w2.example.test' }),
    ]
    const down = { url: 'http://127.0.0.1:9', vkey: parseWitnessKey(createLogKey('w3.example.test')).vkey }
    const log = await logOf({ a: 5 })
    const witnesses = [addressOf(one), addressOf(two), down]
    const enough = cosigningOf(log, { witnesses, needed: 2 })
    await enough.turn()
    assert.equal(enough.cosigning.status().lagEntries, 0)
    assert.deepEqual(
      [...enough.cosigning.status().witnesses.values()],
      ['cosigned', 'cosigned', 'unreachable'],
    )
    assert.match(JSON.stringify(enough.told), /fetch failed \([^)]+\)/)
    const all = cosigningOf(log, { witnesses, needed: 3 })
    await all.turn()
    assert.equal(all.cosigning.status().lagEntries, 5)
    assert.equal(all.kept.current(), undefined)
    assert.deepEqual(all.alerter.alerts, [])
    await one.remove()
    await two.remove()
  })

  test('goes on issuing while every witness is down, hangs or lies; the lag grows, and is gone when one is back', async () => {
    const hanging = createServer(() => undefined)
    const lying = createServer((_, response) => response.end('— witness.example.test/w1 AAAAAAAA\n'))
    const log = await logOf({ a: 1 })
    const name = 'witness.example.test/w1'
    const key = createLogKey(name)
    const { vkey } = parseWitnessKey(key)
    const port = portOf(await listen(lying, 0))
    const address = { url: `http://127.0.0.1:${port}`, vkey }
    const { cosigning, turn } = cosigningOf(log, { witnesses: [address], needed: 1 })
    await turn()
    assert.deepEqual([...cosigning.status().witnesses.values()], ['refused'])
    await close(lying)

    await listen(hanging, port)
    const stop = new AbortController()
    const turning = cosigning.turn(stop.signal)
    await append(log, 'issued all the same', 10)
    stop.abort()
    await turning
    await close(hanging)
    await turn()
    assert.deepEqual(
      [cosigning.status().lagEntries, [...cosigning.status().witnesses.values()]],
      [11, ['unreachable']],
    )

    const back = await startWitness({ key, port })
    await turn()
    assert.equal(cosigning.status().lagEntries, 0)
    await back.remove()
  })

  test('that was rewritten, forked or rolled back raises a critical alert for as long as it is', async () => {
    const witness = await startWitness()
    const policy = { witnesses: [addressOf(witness)], needed: 1 }
    await cosigningOf(await logOf({ a: 20 }), policy).turn()
    const bad: readonly [AuditLog, string][] = [
      [await logOf({ b: 20 }), 'forked'],
      [await logOf({ b: 30 }), 'forked'],
      [await logOf({ a: 10 }), 'shrunk'],
    ]
    for (const [log, outcome] of bad) {
      const { cosigning, alerter, kept, turn } = cosigningOf(log, policy)
      await turn()
      await turn()
      assert.deepEqual([...cosigning.status().witnesses.values()], [outcome])
      assert.deepEqual(
        alerter.alerts.map(({ name, severity }) => [name, severity]),
        Array(2).fill(['Audit Log Forked', 'critical']),
      )
      assert.equal(kept.current(), undefined)
    }
    await witness.remove()
  })

  test('whose witness cosigned something newer meanwhile is neither forked nor rolled back', async () => {
    const witness = await startWitness()
    const log = await logOf({ a: 5 })
    const old = log.checkpoint()
    await append(log, 'b', 5)
    const policy = { witnesses: [addressOf(witness)], needed: 1 }
    await cosigningOf(log, policy).turn()
    const late = cosigningOf({ ...log, checkpoint: () => old }, policy)
    await late.turn()
    assert.deepEqual([...late.cosigning.status().witnesses.values()], ['overtaken'])
    assert.deepEqual(late.alerter.alerts, [])
    await witness.remove()
  })

  test('that the witness does not know, or with another key, is told so', async () => {
    const witness = await startWitness()
    const policy = { witnesses: [addressOf(witness)], needed: 1 }
    for (const key of [
      parseLogKey(createLogKey('log.example.test/unknown')),
      parseLogKey(createLogKey(signer.name)),
    ]) {
      const { cosigning, turn, told } = cosigningOf(await logOf({ a: 2 }, key), policy)
      await turn()
      assert.deepEqual([...cosigning.status().witnesses.values()], ['refused'])
      assert.match(String(told[0]?.['message']), /40[34]/)
    }
    await witness.remove()
  })
})

test('an answer is read up to a limit, and a redirect is not followed', async () => {
  const endless = createServer((_, response) => {
    const write = () => {
      if (response.destroyed) return
      response.write('x'.repeat(65_536))
      setImmediate(write)
    }
    write()
  })
  const redirecting = createServer((_, response) =>
    response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end(),
  )
  const { vkey } = parseWitnessKey(createLogKey('witness.example.test'))
  for (const server of [endless, redirecting]) {
    const url = await listen(server, 0)
    const { cosigning, turn } = cosigningOf(await logOf({ a: 1 }), { witnesses: [{ url, vkey }], needed: 1 })
    await turn()
    assert.deepEqual([...cosigning.status().witnesses.values()], ['unreachable'])
    await close(server)
  }
})

test('a policy that cannot hold is refused before anything is sent', async () => {
  const log = await logOf({})
  const { vkey } = parseWitnessKey(createLogKey('witness.example.test'))
  const other = parseWitnessKey(createLogKey('witness.example.test')).vkey
  const at = (url: string, key = vkey) => ({ url, vkey: key })
  const refused: readonly Omit<WitnessPolicy, 'intervalMs'>[] = [
    { witnesses: [], needed: 1 },
    { witnesses: [at('https://witness.example.test')], needed: 0 },
    { witnesses: [at('https://witness.example.test')], needed: 2 },
    { witnesses: [at('https://a.test'), at('https://b.test', other)], needed: 1 },
    { witnesses: [at('http://witness.example.test')], needed: 1 },
    { witnesses: [at('witness.example.test')], needed: 1 },
    { witnesses: [at('https://witness.example.test', signer.vkey)], needed: 1 },
  ]
  for (const policy of refused) assert.throws(() => cosigningOf(log, policy), { code: 'option_invalid' })
})

describe('the kept checkpoint', () => {
  test('outlives the process in a private file, and never becomes an older one', async () => {
    const witness = await startWitness()
    const log = await logOf({ a: 5 })
    const { kept, turn, file } = cosigningOf(log, { witnesses: [addressOf(witness)], needed: 1 })
    await turn()
    assert.equal(statSync(file).mode & 0o777, 0o600)
    await append(log, 'b', 5)
    const again = createKeptCheckpoint(file)
    await again.open(log)
    assert.deepEqual(again.current(), kept.current())
    await kept.keep({ size: 4, checkpoint: 'older' })
    assert.equal(kept.current()?.size, 5)
    await witness.remove()
  })

  test('refuses to start with a log that does not continue it: rolled back, forked, or of another name', async () => {
    const witness = await startWitness()
    const { turn, file } = cosigningOf(await logOf({ a: 20 }), { witnesses: [addressOf(witness)], needed: 1 })
    await turn()
    const others = [
      await logOf({ a: 19 }),
      await logOf({ b: 25 }),
      await logOf({ b: 20 }),
      await logOf({ a: 20 }, parseLogKey(createLogKey('log.example.test/other'))),
    ]
    for (const log of others)
      await assert.rejects(createKeptCheckpoint(file).open(log), { code: 'store_invalid' })
    await createKeptCheckpoint(file).open(await logOf({ a: 25 }))
    writeFileSync(file, readFileSync(file, 'utf8').replace('\n20\n', '\n2\n'))
    await assert.rejects(createKeptCheckpoint(file).open(await logOf({ a: 25 })), { code: 'store_invalid' })
    await witness.remove()
  })

  test('is nothing when there was none', async () => {
    const kept = createKeptCheckpoint(newFile())
    const log = await logOf({ a: 1 })
    await kept.open(log)
    assert.equal(kept.current(), undefined)
    assert.equal((await verifyExport(log.export(), { vkeys: [signer.vkey] })).kind, 'verified')
  })
})

function portOf(url: string): number {
  return Number(new URL(url).port)
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}
