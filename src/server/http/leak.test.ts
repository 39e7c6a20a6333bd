import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { z } from 'zod'
import { seedRequest, startRunning, type WireRequest } from '../../../test/running.ts'
import { Failure } from '../../primitives/index.ts'
import { getReadyz } from '../../protocol/index.ts'
import { open } from './exchange.ts'
import { createListener } from './listener.ts'
import { createMetrics } from './metrics.ts'

const running = await startRunning()
after(() => running.close())
const { machines, people } = running
const agent = { certificate: machines['agent-7'].certificate }
const counts = { jwt: 1_200, fake: 1_200 }

/** What was released to its one caller, by the part that nobody else can have: a signature, a random value. */
const released = new Set<string>()
const issued = z.looseObject({
  lease_id: z.string(),
  credential: z.looseObject({ access_token: z.string().optional(), value: z.string().optional() }),
})

/** The markers in a text, whatever stands beside them, and anything else that looks like a token. */
function leaksIn(text: string): readonly string[] {
  // What has no capital is an id or a digest, never a signature.
  const runs = (text.match(/[A-Za-z0-9_-]{86,}/g) ?? []).filter((run) => /[A-Z]/.test(run))
  const windows = runs.flatMap((run) =>
    Array.from({ length: run.length - 85 }, (_, at) => run.slice(at, at + 86)),
  )
  const values = text.match(/fake-[0-9a-f]{32}/g) ?? []
  const tokens = text.match(/eyJ[\w-]{10,}\.eyJ[\w-]{10,}/g) ?? []
  return [...[...windows, ...values].filter((word) => released.has(word)), ...tokens]
}

async function mint(body: object, more: Partial<WireRequest> = {}): Promise<string> {
  const answer = await running.machine({ method: 'POST', path: '/v1/credentials', body, as: agent, ...more })
  assert.equal(answer.status, 201, answer.text)
  const { credential, lease_id } = issued.parse(answer.json)
  const marker = credential.value ?? credential.access_token?.split('.')[2]
  assert.ok(marker)
  released.add(marker)
  return lease_id
}

async function inParallel(times: number, work: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let at = next++; at < times; at = next++) await work(at)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

describe('no credential is anywhere but in the one answer that released it', { timeout: 60_000 }, () => {
  test('thousands are minted, and ended, and asked for again', async () => {
    await inParallel(counts.jwt, () => mint(seedRequest))
    await inParallel(counts.fake, async (at) => {
      const headers = { 'idempotency-key': `key-${at}` }
      const vault = {
        service: 'vault',
        action: 'read',
        resource: `acme/thing-${at}`,
        purpose: `purpose ${at}`,
      }
      const lease = await mint(vault, { headers })
      if (at % 10 === 0) await mint(vault, { headers })
      if (at % 7 === 0) await running.machine({ method: 'DELETE', path: `/v1/leases/${lease}`, as: agent })
      if (at % 50 === 0)
        await running.machine({
          method: 'POST',
          path: '/v1/credentials',
          headers,
          body: seedRequest,
          as: agent,
        })
    })
    assert.equal(released.size, counts.jwt + counts.fake)
    console.log(`${released.size} credentials minted over the wire`)
  })

  test('not in the database, its write-ahead log, or any other file of the broker', () => {
    const copy = join(running.folder, 'copy')
    // Another process reads: closing a file of this one would drop the store's lock.
    execFileSync('cp', ['-r', join(running.folder, 'data'), copy])
    const files = globSync('**/*', { cwd: copy }).filter((name) => statSync(join(copy, name)).isFile())
    assert.ok(
      files.some((name) => name.endsWith('.db')) && files.some((name) => name.endsWith('-wal')),
      `${files}`,
    )
    let bytes = 0
    for (const name of files) {
      const text = readFileSync(join(copy, name), 'latin1')
      bytes += text.length
      assert.deepEqual(leaksIn(text), [], name)
    }
    for (const planted of [[...released].at(0), [...released].at(-1)])
      assert.equal(leaksIn(`\u0000x${planted}yz`).length, 1, 'the search finds what is there')
    console.log(`${bytes} bytes in ${files.length} files, no hit`)
  })

  test('not in the exported log, the metrics, or the lines of the operator’s log', async () => {
    const exported = await running.human({ path: '/v1/log/export', as: people.paula })
    assert.ok(exported.text.length > 1_000_000)
    assert.deepEqual(leaksIn(exported.text), [])
    assert.deepEqual(leaksIn((await running.machine({ path: '/metrics' })).text), [])
    assert.deepEqual(leaksIn(JSON.stringify(running.notes)), [])
  })

  test('not in any answer to another caller', async () => {
    const asked: Promise<{ readonly text: string }>[] = []
    const human = (path: string) => asked.push(running.human({ path, as: people.paula }))
    human('/v1/leases?limit=1000')
    human('/v1/leases?limit=1000&state=ended')
    for (let from = 0; from < 6_000; from += 256) human(`/v1/log/entries?from=${from}&count=256`)
    for (let tile = 0; tile < 20; tile += 1) human(`/log/tile/entries/${String(tile).padStart(3, '0')}`)
    const colleague = { machineKey: machines['agent-8'].machineKey }
    for (const at of [0, 1, 7, 10])
      asked.push(
        running.machine({
          method: 'POST',
          path: '/v1/credentials',
          headers: { 'idempotency-key': `key-${at}` },
          body: { service: 'vault', action: 'read', resource: `acme/thing-${at}` },
          as: colleague,
        }),
      )
    const answers = await Promise.all(asked)
    const bytes = answers.reduce((sum, { text }) => sum + text.length, 0)
    for (const { text } of answers) assert.deepEqual(leaksIn(text.slice(0, 1_000_000)), [])
    console.log(`${bytes} bytes of answers to others, no hit`)
  })

  test('not in a failure, whatever the provider put into it', async () => {
    const [marker = ''] = released
    const cause = new Error(`could not store ${marker}`)
    const failure = new Failure('provider_refused', 'The provider refused.', { cause, internal: cause.name })
    running.fake.enqueue({ mint: [{ kind: 'fail', failure }] })
    const answer = await running.machine({
      method: 'POST',
      path: '/v1/credentials',
      body: { service: 'vault', action: 'read', resource: 'acme/failing' },
      as: agent,
    })
    assert.ok(answer.status >= 500)
    assert.deepEqual(leaksIn(answer.text), [])
    assert.deepEqual(leaksIn(JSON.stringify([running.notes, await running.entries()])), [])
  })
})

describe('a field that no operation declares does not leave', () => {
  const listener = async (operation: typeof getReadyz, value: object, status: number) => {
    const { broker, identifier } = running.broker.assembled
    const notes: unknown[] = []
    const app = createListener(
      {
        plane: 'machine',
        broker,
        identifier,
        metrics: createMetrics(),
        evidence: () => ({ plane: 'machine' }),
        log: (line) => notes.push(line),
      },
      [open(operation, async () => ({ status, value }))],
    )
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    const answer = await fetch(`${url}${operation.path}`, { headers: { connection: 'close' } })
    const body = await answer.text()
    await app.close()
    return { statusCode: answer.status, body, notes: JSON.stringify(notes) }
  }

  test('from an answer', async () => {
    const { statusCode, body } = await listener(getReadyz, { ready: true, checks: {}, secret: 'marker' }, 200)
    assert.deepEqual([statusCode, JSON.parse(body)], [200, { ready: true, checks: {} }])
  })

  test('from a denial', async () => {
    const denial = {
      type: 'urn:x',
      title: 'Denied',
      status: 403,
      detail: 'no',
      code: 'denied',
      request_id: '0'.repeat(32),
      retryable: false,
      secret: 'marker',
    }
    const { statusCode, body } = await listener(getReadyz, denial, 403)
    assert.equal(statusCode, 403)
    assert.ok(!body.includes('marker') && body.includes('"denied"'))
  })

  test('and an answer that is not what is declared is a failure that shows nothing of it', async () => {
    for (const status of [200, 418]) {
      const { statusCode, body, notes } = await listener(
        getReadyz,
        { ready: 'marker', value: 'marker' },
        status,
      )
      assert.equal(statusCode, 500)
      assert.ok(!body.includes('marker') && !notes.includes('marker'))
    }
  })
})
