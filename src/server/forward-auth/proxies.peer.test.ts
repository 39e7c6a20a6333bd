import assert from 'node:assert/strict'
import type { Server } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { createForwardAuth } from './index.ts'
import { freePorts, type Ports, programOf, proxyNames, type Running, startProxy } from './proxies.fixture.ts'
import { ask, closeServer, createEcho, listen, type Scene, setScene } from './scene.fixture.ts'

const forged = ['X-Sallyport-Plane', 'human', 'X-Sallyport-Subject', 'somebody-else']

for (const name of proxyNames)
  describe(`${name} before a back end`, { skip: programOf(name) === undefined && `no ${name} here` }, () => {
    let scene: Scene
    let ports: Ports
    let proxy: Running
    let planes: Server
    const echo = createEcho()
    const human = async () => ['Authorization', `Bearer ${await scene.issuer.token('user_1')}`]
    const machine = () => ['X-AOS-Key', scene.machineKey]
    const send = (path: string, headers: readonly string[] = [], method = 'GET') =>
      ask(proxy.url, path, headers, method)

    before(async () => {
      scene = await setScene()
      ports = await freePorts()
      const { gatekeeper } = await scene.open('PROD')
      planes = createForwardAuth({ gatekeeper })
      await listen(planes, ports.planes)
      await listen(echo.server, ports.backend)
      proxy = await startProxy(name, ports)
    })
    after(async () => {
      await proxy?.stop()
      await closeServer(echo.server)
      if (planes.listening) await closeServer(planes)
      await scene.close()
    })

    test('each endpoint takes its own plane’s credential, and the back end is told whose it was', async () => {
      const person = await send('/api/v1/accounts/7?x=1', await human())
      assert.equal(person.status, 200, person.body)
      const { path, headers } = JSON.parse(person.body)
      assert.equal(path, '/api/v1/accounts/7?x=1')
      assert.equal(headers['x-sallyport-plane'], 'human')
      assert.equal(headers['x-sallyport-subject'], `${scene.issuer.issuer}#user_1`)
      const runner = await send('/api/v1/runs/7', machine(), 'POST')
      assert.equal(runner.status, 200)
      assert.equal(JSON.parse(runner.body).headers['x-sallyport-subject'], 'ci-runner')
    })

    test('every refusal comes through with its own status and body, and none reaches the back end', async () => {
      const before = echo.seen.length
      const token = await human()
      const cases: readonly (readonly [string, readonly string[], number, string])[] = [
        ['/api/v1/accounts/7', [], 401, 'identity_missing'],
        ['/api/v1/runs/7', [], 401, 'identity_missing'],
        ['/api/v1/accounts/7', machine(), 403, 'plane_crossed'],
        ['/api/v1/runs/7', token, 403, 'plane_crossed'],
        ['/api/v1/runs/7', [...token, ...machine()], 403, 'plane_crossed'],
        ['/api/v1/accounts/7', ['X-AOS-Customer-Key', scene.sandboxKey], 403, 'plane_crossed'],
        [
          '/api/v1/accounts/7',
          ['Authorization', `Bearer ${scene.issuer.sign({}, { alg: 'none' })}`],
          401,
          'token_algorithm_refused',
        ],
        ['/api/v1/runs/7', ['X-AOS-Key', `${scene.machineKey}x`], 401, 'machine_key_invalid'],
        ['/__debug/openapi_nocache', token, 404, 'not_found'],
        ['/api/v2/anything', token, 404, 'not_found'],
        ['/', [], 404, 'not_found'],
      ]
      for (const [path, headers, status, error] of cases) {
        const reply = await send(path, headers)
        assert.deepEqual([path, reply.status, reply.body], [path, status, JSON.stringify({ error })])
        assert.equal(reply.headers['content-type'], 'application/json')
        assert.equal(reply.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined)
      }
      assert.equal(echo.seen.length, before)
    })

    test('what a client writes into headers of the endpoint or of identity counts for nothing', async () => {
      const lies = [
        ...forged,
        ...['X-Original-URI', '/api/v1/runs/7', 'X-Original-Method', 'GET'],
        ...['X-Forwarded-Uri', '/api/v1/runs/7', 'X-Forwarded-Method', 'GET', 'X-Deny-Status', '200'],
      ]
      assert.equal((await send('/api/v1/accounts/7', [...machine(), ...lies])).status, 403)
      const reply = await send('/api/v1/runs/7', [...machine(), ...lies])
      assert.equal(reply.status, 200)
      const { headers } = JSON.parse(reply.body)
      assert.equal(headers['x-sallyport-plane'], 'machine')
      assert.equal(headers['x-sallyport-subject'], 'ci-runner')
    })

    test('a path that can be read in two ways reaches nobody', async () => {
      const before = echo.seen.length
      for (const path of [
        '/api/v1/runs/../accounts/7',
        '/api/v1/runs/%2e%2e/accounts/7',
        '/api/v1/runs/..%2faccounts/7',
        '/api/v1/runs/..;/accounts/7',
        '/api/v1//accounts/7',
        '/api/v1/%61ccounts/7',
        '/api/v1/runs/%5c../accounts/7',
        '/API/v1/accounts/7',
      ]) {
        const { status } = await send(path, machine())
        assert.ok([400, 403, 404].includes(status), `${path}: ${status}`)
      }
      assert.equal(echo.seen.length, before)
    })

    test('a credential that stands twice, or under a second spelling, is refused', async () => {
      const twice = await send('/api/v1/runs/7', [...machine(), 'X-AOS-Key', 'x'.repeat(30)])
      assert.ok([400, 401].includes(twice.status), String(twice.status))
      const spelt = await send('/api/v1/accounts/7', [...(await human()), 'X_AOS_Key', scene.machineKey])
      // nginx and Caddy drop such a header, so that the back end cannot see it either.
      if (spelt.status === 200) assert.ok(!spelt.body.toLowerCase().includes('x_aos_key'), spelt.body)
      else assert.equal(spelt.status, 400)
    })

    test('an issuer whose keys are not to be had lets nobody in', async () => {
      const stranger = await setScene()
      try {
        stranger.issuer.behave('broken')
        const { gatekeeper } = await stranger.open('PROD')
        await closeServer(planes)
        planes = createForwardAuth({ gatekeeper })
        await listen(planes, ports.planes)
        const reply = await send('/api/v1/accounts/7', [
          'Authorization',
          `Bearer ${await stranger.issuer.token('user_1')}`,
        ])
        assert.equal(reply.status, 503)
      } finally {
        await stranger.close()
      }
    })

    test('a dead endpoint lets nobody through', async () => {
      await closeServer(planes)
      const before = echo.seen.length
      for (const [path, headers] of [
        ['/api/v1/accounts/7', await human()],
        ['/api/v1/runs/7', machine()],
        ['/api/v1/runs/7', [...machine(), ...forged]],
        ['/', []],
      ] as const) {
        const { status } = await send(path, headers)
        assert.ok(status >= 500, `${path}: ${status}`)
      }
      assert.equal(echo.seen.length, before)
    })
  })
