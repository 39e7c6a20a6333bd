import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { verifyExport, verifyReceipt } from '../../src/audit/index.ts'
import { failureCodes } from '../../src/primitives/index.ts'
import { seedRequest } from '../../test/running.ts'
import { failsWith } from './fails-with.fixture.ts'
import * as door from './index.ts'
import { createClient, type Issued, SallyportError } from './index.ts'
import { agent, ca, connect, identity, running, url } from './running.fixture.ts'

const { machines, people, fake } = running
const warden = connect({
  url,
  ca,
  identity: { kind: 'machine-key', key: machines.warden.machineKey, header: 'X-AOS-Key' },
})

async function issued(client = agent, options = {}): Promise<Issued> {
  const answer = await client.request(seedRequest, options)
  if (answer.kind === 'denied') assert.fail(answer.detail)
  return answer
}

describe('against a running broker', () => {
  test('request gives a credential with the truth about it', async () => {
    const answer = await issued()
    assert.match(answer.lease_id, /^lse_/)
    assert.equal(answer.credential.type, 'jwt')
    assert.ok(answer.expires_in > 890 && answer.replayed === false)
    assert.deepEqual(answer.effective.resources, ['bucket-123'])
  })

  test('a denial is a value, with its rule and its remedy', async () => {
    const answer = await agent.request({ ...seedRequest, resource: 'other' })
    if (answer.kind !== 'denied') assert.fail('it was issued')
    assert.deepEqual([answer.rule, answer.contract.file.endsWith('sallyport.yaml')], ['resource', true])
    assert.ok(answer.next && answer.detail && answer.receipt.leaf_hash)
  })

  test('explain says the same and mints nothing', async () => {
    const before = fake.mints
    const vault = { service: 'vault', action: 'read', resource: 'acme/x' }
    assert.equal((await agent.explain(vault)).decision, 'allow')
    assert.equal((await agent.explain({ ...vault, resource: 'globex/x' })).decision, 'deny')
    assert.equal(fake.mints, before)
  })

  test('an idempotency key gives the same credential again, and traceparent its request id', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const options = { idempotencyKey: 'client-1', traceparent: `00-${trace}-b7ad6b7169203331-01` }
    const [one, again] = [await issued(agent, options), await issued(agent, options)]
    assert.deepEqual([one.request_id, one.replayed, again.replayed], [trace, false, true])
    assert.equal(again.lease_id, one.lease_id)
  })

  test('leases are listed, read and ended, one by one and all that match', async () => {
    const one = await issued()
    assert.equal((await agent.lease(one.lease_id)).state, 'live')
    const page = await agent.leases({ limit: 1, state: 'live' })
    assert.deepEqual([page.leases.length, page.leases[0]?.lease_id], [1, one.lease_id])
    assert.ok(page.next)
    const { lease, proof } = await agent.revoke(one.lease_id)
    assert.deepEqual([lease.state, proof], ['ended', 'unproven'])
    await issued()
    const done = await agent.revokeWhere({ service: 'aws-s3' })
    assert.ok(done.unproven >= 1 && done.pending === 0)
    assert.deepEqual((await agent.leases({ state: 'live', service: 'aws-s3' })).leases, [])
  })

  test('tokens are introspected and revoked', async () => {
    const token = String((await issued()).credential['access_token'])
    assert.equal((await agent.introspect(token)).active, true)
    await agent.revokeToken(token)
    assert.deepEqual(await agent.introspect(token), { active: false })
    await agent.revokeToken('nonsense')
  })

  test('the log is read, proven and exported', async () => {
    const vkeys = [running.broker.assembled.log.vkey]
    const { receipt } = await issued()
    const proof = await agent.inclusionProof({ index: receipt.index })
    const verdict = verifyReceipt({
      entry: { leafHash: receipt.leaf_hash },
      index: receipt.index,
      proof: proof.hashes.map((hash) => Buffer.from(hash, 'hex')),
      checkpoint: proof.checkpoint ?? '',
      vkeys,
    })
    assert.equal(verdict.kind, 'verified')
    assert.match(await agent.checkpoint(), /^wire\n/)
    const { entries, next } = await warden.entries({ from: 0, count: 3 })
    assert.deepEqual([entries.length, next], [3, 3])
    assert.equal((await verifyExport(await warden.exportLog(), { vkeys })).kind, 'verified')
  })

  test('a person may use it on the human plane, where secrets are rotated', async () => {
    const person = connect({
      url: running.broker.humanUrl,
      ca,
      identity: { kind: 'token', token: people.paula.bearer ?? '' },
    })
    assert.match(await person.rotate('tokens', 'signing-key'), /^signing-key is now /)
    await assert.rejects(person.rotate('tokens', 'x'), failsWith('rotation_unsupported', { status: 422 }))
    await assert.rejects(agent.rotate('tokens', 'signing-key'), failsWith('not_found', { status: 404 }))
  })

  test('a token function is asked anew for each call', async () => {
    let asked = 0
    const token = () => {
      asked += 1
      return asked === 2 ? 'x' : machines['agent-7'].bearer
    }
    const client = connect({ url, ca, identity: { kind: 'token', token } })
    await client.leases()
    await assert.rejects(client.leases(), failsWith('token_malformed', { status: 401 }))
    await client.leases()
    assert.equal(asked, 3)
  })

  test('the whole log is for the role platform alone', async () => {
    await assert.rejects(agent.exportLog(), failsWith('not_permitted', { status: 403 }))
  })
})

describe('what is no answer is an error with a code', () => {
  test('a problem of the broker, with its words', async () => {
    await assert.rejects(agent.lease('lse_none'), (thrown: unknown) => {
      failsWith('lease_unknown', { status: 404, retryable: false })(thrown)
      assert.ok(
        thrown instanceof SallyportError && thrown.next && /^[0-9a-f]{32}$/.test(thrown.requestId ?? ''),
      )
      return true
    })
    running.setStore('broken')
    await assert.rejects(
      agent.request(seedRequest),
      failsWith('log_unwritable', { status: 503, retryable: true }),
    )
    running.setStore('whole')
    await agent.request(seedRequest).catch(() => undefined)
  })

  test('a broker that is not there, or is not the one of this CA', async () => {
    const gone = connect({ url: 'https://127.0.0.1:1', ca, identity })
    await assert.rejects(gone.leases(), failsWith('unreachable', { status: 0, retryable: true }))
    const stranger = connect({ url, identity })
    await assert.rejects(stranger.leases(), failsWith('untrusted', { status: 0, retryable: false }))
  })

  test('an id of a lease that would be another path is not sent', async () => {
    for (const id of ['..', '.', '', 'a/b', '%2e%2e', 'x'.repeat(65)]) {
      await assert.rejects(agent.revoke(id), failsWith('option_invalid'))
      await assert.rejects(agent.lease(id), failsWith('option_invalid'))
    }
  })

  test('a call that its caller gave up', async () => {
    fake.enqueue({ mint: [{ kind: 'hang' }] })
    const gone = new AbortController()
    const asked = agent.request(
      { service: 'vault', action: 'read', resource: 'acme/slow' },
      { signal: gone.signal },
    )
    setTimeout(() => gone.abort(), 50)
    await assert.rejects(asked, failsWith('aborted', { retryable: false }))
  })
})

describe('plain http', () => {
  test('is refused beyond loopback, before anything is sent', () => {
    for (const bad of [
      'http://broker.example.test',
      'http://127.0.0.2',
      'http://10.0.0.1',
      'ftp://127.0.0.1',
      'nonsense',
    ])
      assert.throws(() => createClient({ url: bad, identity }), failsWith('option_invalid'))
    for (const good of [
      'http://127.0.0.1:1',
      'http://localhost:1',
      'http://[::1]:1',
      'https://broker.example.test',
    ])
      connect({ url: good, identity })
  })
})

describe('a broker that answers as it should not', () => {
  const answers: Record<string, (response: ServerResponse) => void> = {
    '/v1/leases/lse_silent': () => {},
    '/v1/leases/lse_half': (response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"lease_id"')
      setTimeout(() => response.destroy(), 20)
    },
    '/v1/leases/lse_html': (response) => response.end('<html>'),
    '/v1/leases/lse_list': (response) => response.end('[]'),
    '/v1/leases/lse_error': (response) => response.writeHead(502).end('bad gateway'),
    '/v1/leases/lse_elsewhere': (response) =>
      response.writeHead(302, { location: '/v1/leases/lse_good' }).end(),
    '/v1/leases/lse_huge': (response) => response.end('x'.repeat(5_000_000)),
    '/v1/log/export': (response) => {
      const drip = async () => {
        for (let piece = 0; piece < 6; piece += 1) {
          response.write('piece\n')
          await pause(60)
        }
        response.destroy()
      }
      void drip()
    },
  }
  let server: Server | undefined
  after(() => {
    server?.closeAllConnections()
    server?.close()
  })
  const client = async (timeoutMs: number) => {
    server ??= createServer((request, response) => answers[request.url ?? '']?.(response)).listen(
      0,
      '127.0.0.1',
    )
    if (!server.listening) await once(server, 'listening')
    const address = server.address()
    if (typeof address !== 'object' || !address) assert.fail('no address')
    return connect({
      url: `http://127.0.0.1:${address.port}`,
      identity: { kind: 'token', token: 'x' },
      timeoutMs,
    })
  }

  test('is an error with a code, each time', async () => {
    const patient = await client(5_000)
    await assert.rejects(patient.lease('lse_half'), failsWith('unreachable', { retryable: true }))
    await assert.rejects(patient.lease('lse_html'), failsWith('answer_invalid', { status: 200 }))
    await assert.rejects(patient.lease('lse_list'), failsWith('answer_invalid'))
    await assert.rejects(patient.lease('lse_error'), failsWith('answer_invalid', { status: 502 }))
    await assert.rejects(patient.lease('lse_elsewhere'), failsWith('answer_invalid', { status: 302 }))
    await assert.rejects(patient.lease('lse_huge'), failsWith('answer_invalid'))
  })

  test('silence is a timeout', async () => {
    await assert.rejects((await client(50)).lease('lse_silent'), failsWith('timeout', { retryable: true }))
  })

  test('a stream is waited for piece by piece, and its end before its time is an error', async () => {
    const pieces: string[] = []
    const reading = async () => {
      for await (const piece of await (await client(200)).exportLog())
        pieces.push(Buffer.from(piece).toString())
    }
    await assert.rejects(reading(), failsWith('unreachable'))
    assert.equal(pieces.join(''), 'piece\n'.repeat(6))
  })
})

describe('the package', () => {
  const manifest: Readonly<Record<string, unknown>> = JSON.parse(
    readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'),
  )

  test('has no dependency, and its door is a client and an error', () => {
    for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies'])
      assert.equal(manifest[kind], undefined, kind)
    assert.deepEqual(Object.keys(door).toSorted(), ['SallyportError', 'createClient'])
  })

  test('names no code of its own that the broker uses for something else', () => {
    for (const own of ['unreachable', 'untrusted', 'timeout', 'aborted', 'answer_invalid'])
      assert.ok(!failureCodes.some((code) => code === own))
    assert.ok(failureCodes.includes('option_invalid'))
  })
})
