import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'
import { Failure, Secret } from '../../../primitives/index.ts'
import { grantedQuestion, isPolicyUnavailable } from '../../../testing/index.ts'
import { answerBytesMax, openOpaServer } from './index.ts'

const never = new AbortController().signal
const allow = { allow: true, grant: 'g' }

/** A server of our own that answers like an OPA server in trouble; the real one is in the peer test. */
async function answering(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: stop }
}

function json(document: unknown, status = 200): RequestListener {
  return (_, response) => response.writeHead(status).end(JSON.stringify(document))
}

test('it asks as the REST API wants it, and reads an allow and a denial', async () => {
  const seen: unknown[] = []
  using server = await answering(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method, url, headers } = request
    seen.push([method, url, headers.authorization, JSON.parse(Buffer.concat(chunks).toString())])
    response.end(JSON.stringify({ result: seen.length === 1 ? allow : { allow: false, reason: 'mode' } }))
  })
  const engine = openOpaServer({ url: `${server.url}/opa/`, token: new Secret('t0ken') })
  assert.deepEqual(await engine.decide(grantedQuestion, never), allow)
  assert.deepEqual(await engine.decide(grantedQuestion, never), { allow: false, reason: 'mode' })
  assert.deepEqual(seen[0], [
    'POST',
    '/opa/v1/data/sallyport/decision',
    'Bearer t0ken',
    { input: grantedQuestion },
  ])
  assert.equal(engine.revision, `opa-server ${server.url}/opa/v1/data/sallyport/decision`)
  assert.ok(!inspect(engine, { depth: 9 }).includes('t0ken'))
})

test('a reason that only the user knows is custom, and further members beside the result are let be', async () => {
  using server = await answering(json({ decision_id: '1', result: { allow: false, reason: 'holiday' } }))
  const answer = await openOpaServer({ url: server.url }).decide(grantedQuestion, never)
  assert.deepEqual(answer, { allow: false, reason: 'custom' })
})

const troubles: Readonly<Record<string, RequestListener>> = {
  'an undefined decision': json({}),
  'a bare true': json({ result: true }),
  'an allow that is no boolean': json({ result: { allow: 'true', grant: 'g' } }),
  'an allow without its grant': json({ result: { allow: true } }),
  'an allow with a reason beside it': json({ result: { ...allow, reason: 'mode' } }),
  'an array of answers': json({ result: [allow] }),
  'a null': json(null),
  'an allow with status 500': json({ result: allow }, 500),
  'an allow with status 401': json({ result: allow }, 401),
  'an allow with status 203': json({ result: allow }, 203),
  'half a document': (_, response) => response.end('{"result":{"allow":true,"grant":"g"}'),
  'a connection that breaks': (request) => request.socket.destroy(),
  'a body that never ends': (_, response) => response.write('{"result":'),
  'a body over the limit': json({ result: allow, padding: ' '.repeat(answerBytesMax) }),
}

for (const [trouble, listener] of Object.entries(troubles))
  test(`${trouble} is no decision`, async () => {
    using server = await answering(listener)
    const engine = openOpaServer({ url: server.url, timeoutMilliseconds: 300 })
    await assert.rejects(engine.decide(grantedQuestion, never), isPolicyUnavailable)
  })

test('an answer of exactly the limit is read', async () => {
  const bare = JSON.stringify({ result: allow, padding: '' }).length
  using server = await answering(json({ result: allow, padding: ' '.repeat(answerBytesMax - bare) }))
  assert.deepEqual(await openOpaServer({ url: server.url }).decide(grantedQuestion, never), allow)
})

test('a redirect is not followed', async () => {
  let asked = 0
  using other = await answering((_, response) => {
    asked += 1
    response.end(JSON.stringify({ result: allow }))
  })
  using server = await answering((_, response) => response.writeHead(307, { location: other.url }).end())
  await assert.rejects(openOpaServer({ url: server.url }).decide(grantedQuestion, never), isPolicyUnavailable)
  assert.equal(asked, 0)
})

test('a slow server is given up after the timeout, and at once when the caller goes', async () => {
  using server = await answering(() => undefined)
  const patient = openOpaServer({ url: server.url, timeoutMilliseconds: 60_000 })
  const impatient = openOpaServer({ url: server.url, timeoutMilliseconds: 20 })
  await assert.rejects(impatient.decide(grantedQuestion, never), isPolicyUnavailable)
  const caller = new AbortController()
  const decided = assert.rejects(patient.decide(grantedQuestion, caller.signal), isPolicyUnavailable)
  await pause(20)
  caller.abort()
  await decided
})

test('a server that is gone is policy_unavailable, and the caller does not learn its address', async () => {
  const server = await answering(json({ result: allow }))
  server[Symbol.dispose]()
  await assert.rejects(openOpaServer({ url: server.url }).decide(grantedQuestion, never), (thrown) => {
    assert.ok(thrown instanceof Failure && isPolicyUnavailable(thrown))
    assert.ok(!`${thrown.message}${thrown.next}`.includes('127.0.0.1'))
    return thrown.internal?.includes(server.url) === true
  })
})

test('only an address that nobody can listen in on is taken', () => {
  for (const url of [
    'https://opa.internal:8181',
    'http://127.0.0.1:8181',
    'http://[::1]:1',
    'http://localhost:1',
  ])
    openOpaServer({ url })
  const refused = [
    'http://opa.internal:8181',
    'http://127.0.0.1.evil.test',
    'ftp://127.0.0.1',
    'https://user:word@opa.internal',
    'https://opa.internal/?a=b',
    'https://opa.internal/#a',
    'opa.internal',
    '',
  ]
  for (const url of refused)
    assert.throws(
      () => openOpaServer({ url }),
      (thrown) => thrown instanceof Failure && thrown.code === 'option_invalid',
      url,
    )
})
