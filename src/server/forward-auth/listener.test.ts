import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { ShownRequest, Verdict } from '../../planes/index.ts'
import { createForwardAuth } from './index.ts'
import { forwardAuthLimits } from './listener.ts'
import { ask, closeServer, listen } from './scene.fixture.ts'

const admitted: Verdict = { kind: 'admitted', plane: 'machine', subject: 'ci-runner' }
const gone: Verdict = { kind: 'refused', code: 'not_found', status: 404, body: { error: 'not_found' } }

let server: Server
let url: string
const judged: ShownRequest[] = []
let verdict: Verdict | Promise<Verdict> = admitted

before(async () => {
  server = createForwardAuth({
    gatekeeper: {
      judge(request) {
        judged.push(request)
        return verdict
      },
    },
  })
  url = `http://127.0.0.1:${await listen(server)}`
})
after(() => closeServer(server))

async function judgedFor(path: string, headers: readonly string[], method = 'GET') {
  judged.length = 0
  const { status } = await ask(url, path, headers, method)
  const [request] = judged
  return request ? `${request.method} ${request.target}` : status
}

test('each proxy says in its own way what it was asked for', async () => {
  verdict = admitted
  const nginx = ['X-Original-Method', 'POST', 'X-Original-URI', '/a%20b?c=d']
  const forwarded = ['X-Forwarded-Method', 'POST', 'X-Forwarded-Uri', '/a%20b?c=d']
  assert.equal(await judgedFor('/nginx', nginx), 'POST /a%20b?c=d')
  assert.equal(await judgedFor('/traefik', forwarded), 'POST /a%20b?c=d')
  assert.equal(await judgedFor('/caddy?c=d', forwarded), 'POST /a%20b?c=d')
  assert.equal(await judgedFor('/envoy/a%20b?c=d', [], 'POST'), 'POST /a%20b?c=d')
  assert.equal(await judgedFor('/envoy//x/../y', forwarded), 'GET //x/../y')
})

test('the headers of another proxy’s way count for nothing', async () => {
  const nginx = ['X-Original-Method', 'GET', 'X-Original-URI', '/mine']
  const forwarded = ['X-Forwarded-Method', 'GET', 'X-Forwarded-Uri', '/forged']
  assert.equal(await judgedFor('/nginx', [...forwarded, ...nginx]), 'GET /mine')
  assert.equal(await judgedFor('/nginx', forwarded), 500)
  assert.equal(await judgedFor('/traefik', nginx), 500)
})

test('a proxy that does not say it once is told nothing', async () => {
  const uri = ['X-Original-URI', '/a']
  assert.equal(await judgedFor('/nginx', uri), 500)
  assert.equal(await judgedFor('/nginx', [...uri, ...uri, 'X-Original-Method', 'GET']), 500)
})

test('nothing but a verdict that admits is answered with 2xx', async () => {
  for (const path of [
    '/',
    '/health',
    '/envoy',
    '/nginx/',
    '/NGINX',
    '/toString',
    '/__proto__',
    '//nginx',
    '/caddy/x',
    '*',
  ])
    assert.equal(await judgedFor(path, []), 404, path)
})

test('an admitted caller is told in headers, as soon as a promise holds', async () => {
  for (const answer of [admitted, Promise.resolve(admitted)]) {
    verdict = answer
    const { status, headers, body } = await ask(url, '/envoy/x')
    assert.deepEqual(
      [status, headers['x-sallyport-plane'], headers['x-sallyport-subject'], headers['cache-control'], body],
      [200, 'machine', 'ci-runner', 'no-store', ''],
    )
  }
})

test('a refusal carries its status and body, for nginx in headers, and an identity of nobody', async () => {
  verdict = gone
  const direct = await ask(url, '/envoy/x')
  assert.deepEqual([direct.status, direct.body], [404, '{"error":"not_found"}'])
  const nginx = await ask(url, '/nginx', ['X-Original-Method', 'GET', 'X-Original-URI', '/x'])
  assert.equal(nginx.status, 403)
  for (const { headers } of [direct, nginx])
    assert.deepEqual(
      [
        headers['x-deny-status'],
        headers['x-deny-body'],
        headers['x-sallyport-plane'],
        headers['x-sallyport-subject'],
      ],
      ['404', '{"error":"not_found"}', 'none', 'none'],
    )
})

test('a 401 stays one for nginx, and challenges', async () => {
  verdict = { kind: 'refused', code: 'identity_missing', status: 401, body: { error: 'identity_missing' } }
  const { status, headers } = await ask(url, '/nginx', ['X-Original-Method', 'GET', 'X-Original-URI', '/x'])
  assert.deepEqual([status, headers['www-authenticate']], [401, 'Bearer'])
})

test('headers have so many bytes, and not one more', async () => {
  const filled = async (bytes: number) => {
    const { port } = new URL(url)
    const counted = `/nginxHost127.0.0.1:${port}ConnectioncloseA`.length
    return (await ask(url, '/nginx', ['A', 'a'.repeat(bytes - counted)])).status
  }
  assert.notEqual(await filled(forwardAuthLimits.headerBytesMax - 1), 431)
  assert.equal(await filled(forwardAuthLimits.headerBytesMax), 431)
})

test('connections are so many, and not one more', async () => {
  assert.equal(server.maxConnections, forwardAuthLimits.connectionsMax)
  const small = createForwardAuth({ gatekeeper: { judge: () => admitted }, connectionsMax: 2 })
  const port = await listen(small)
  const kept = [1, 2].map(() => connect(port, '127.0.0.1'))
  await Promise.all(kept.map((socket) => once(socket, 'connect')))
  const asked = () =>
    ask(`http://127.0.0.1:${port}`, '/nginx', ['X-Original-Method', 'GET', 'X-Original-URI', '/x'])
  await assert.rejects(asked(), 'one more is closed')
  const [first = assert.fail()] = kept
  first.destroy()
  await once(first, 'close')
  while ((await connections(small)) > 1) await turn()
  assert.equal((await asked()).status, 200)
  await closeServer(small)
})

function connections(of: Server): Promise<number> {
  return new Promise((resolve) => of.getConnections((_, count) => resolve(count)))
}
