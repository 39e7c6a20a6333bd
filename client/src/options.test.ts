import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seedRequest } from '../../test/running.ts'
import { failsWith } from './fails-with.fixture.ts'
import { createClient, SallyportError } from './index.ts'
import { agent, ca, connect, identity, running, url } from './running.fixture.ts'

const { machines } = running

describe('a token function', () => {
  test('that fails is its own error, and not a broker that cannot be reached', async () => {
    const missing = Object.assign(new Error('no such file: /run/token'), { code: 'ENOENT' })
    const ways = [() => Promise.reject(missing), () => assert.fail(missing)]
    for (const token of ways) {
      const client = connect({ url, ca, identity: { kind: 'token', token } })
      for (const call of [client.leases, client.exportLog, () => client.request(seedRequest)])
        await assert.rejects(call(), (thrown: unknown) => {
          failsWith('option_invalid', { status: 0, retryable: false, cause: missing })(thrown)
          assert.match(String(thrown), /token could not be had \(ENOENT\)/)
          return true
        })
    }
  })

  test('that never answers is given up with the time of the call, and with its signal', async () => {
    const hanging = connect({
      url,
      ca,
      identity: { kind: 'token', token: () => new Promise<string>(() => {}) },
      timeoutMs: 50,
    })
    const late = failsWith('timeout', { message: 'The token was not had in time.', retryable: true })
    await assert.rejects(hanging.leases(), late)
    await assert.rejects(hanging.exportLog(), late)
    const patient = connect({
      url,
      ca,
      identity: { kind: 'token', token: () => new Promise<string>(() => {}) },
    })
    const gone = new AbortController()
    const asked = patient.request(seedRequest, { signal: gone.signal })
    gone.abort()
    await assert.rejects(asked, failsWith('aborted'))
    await assert.rejects(patient.request(seedRequest, { signal: gone.signal }), failsWith('aborted'))
  })

  test('is not asked for a call that was given up before, and may give up with its caller', async () => {
    let asked = 0
    const gone = new AbortController()
    const token = () => {
      asked += 1
      gone.abort()
      return Promise.reject(gone.signal.reason)
    }
    const client = connect({ url, ca, identity: { kind: 'token', token } })
    for (let call = 0; call < 2; call += 1)
      await assert.rejects(client.request(seedRequest, { signal: gone.signal }), failsWith('aborted'))
    assert.equal(asked, 1)
  })
})

describe('nothing is sent, and the caller is told what to mend, for', () => {
  test('a header that cannot be written is named, without what it holds', async () => {
    const named = (header: string, held: string) => (thrown: unknown) => {
      failsWith('option_invalid', { status: 0 })(thrown)
      if (!(thrown instanceof SallyportError)) assert.fail()
      assert.ok(thrown.message.includes(header) && thrown.next, thrown.message)
      assert.ok(!`${thrown.message}${thrown.next}`.includes(held))
      return true
    }
    const key = connect({ url, ca, identity: { kind: 'machine-key', key: 'held\n', header: 'X-AOS-Key' } })
    const token = connect({ url, ca, identity: { kind: 'token', token: 'held\n' } })
    const asked = connect({ url, ca, identity: { kind: 'token', token: () => 'held…' } })
    await assert.rejects(key.leases(), named('X-AOS-Key', 'held'))
    await assert.rejects(token.leases(), named('authorization', 'held'))
    await assert.rejects(asked.exportLog(), named('authorization', 'held'))
    await assert.rejects(
      agent.request(seedRequest, { idempotencyKey: 'held\r\nlines' }),
      named('idempotency-key', 'held'),
    )
    assert.throws(
      () => connect({ url, ca, identity: { kind: 'machine-key', key: 'x', header: 'X AOS' } }),
      failsWith('option_invalid'),
    )
  })

  test('a certificate, key or CA that is none is told before any call', () => {
    const other = machines.warden.certificate
    const wrong: readonly (readonly [string, string])[] = [
      ['agent-7.pem', 'agent-7.key'],
      ['', ''],
      [identity.certificate, ''],
      ['', identity.key],
      [identity.key, identity.key],
      [identity.certificate, other.keyPem],
    ]
    const told = (thrown: unknown) => {
      failsWith('option_invalid', { status: 0 })(thrown)
      assert.ok(thrown instanceof SallyportError && thrown.next)
      return true
    }
    for (const [certificate, key] of wrong)
      assert.throws(
        () => createClient({ url, ca, identity: { kind: 'certificate', certificate, key } }),
        told,
      )
    for (const bad of ['', 'ca.pem', identity.key])
      assert.throws(() => createClient({ url, ca: bad, identity }), told)
  })

  test('a time that is none, and what is no JSON', async () => {
    for (const timeoutMs of [0, -1, Number.NaN])
      assert.throws(() => createClient({ url, ca, identity, timeoutMs }), failsWith('option_invalid'))
    for (const waitSeconds of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      await assert.rejects(agent.request(seedRequest, { waitSeconds }), failsWith('option_invalid'))
    const held: { duration?: number; held?: object } = {}
    held.held = held
    await assert.rejects(agent.request({ ...seedRequest, ...held }), failsWith('option_invalid'))
  })

  test('a time that is longer than a timer of Node can be is the longest', async () => {
    const answer = await agent.request(seedRequest, { waitSeconds: Number.MAX_SAFE_INTEGER })
    assert.equal(answer.kind, 'issued')
    const patient = connect({ url, ca, identity, timeoutMs: Number.POSITIVE_INFINITY })
    assert.ok((await patient.leases()).leases)
  })
})
