import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import Fastify from 'fastify'
import { closeServer, listen, type Scene, setScene } from '../server/forward-auth/scene.fixture.ts'
import { type ExpressRequest, expressPlanes, fastifyPlanes, honoPlanes, type Passage } from './index.ts'
import { gatedRoutes, holdsThePlanes, keepsGatesClosed, probeTellsCrossings } from './middleware.fixture.ts'

let scene: Scene
before(async () => {
  scene = await setScene()
})
after(() => scene.close())

test('Fastify: every endpoint takes its own plane’s credential alone', () =>
  holdsThePlanes(scene, async (gatekeeper) => {
    let handled = 0
    const app = Fastify()
    app.addHook('onRequest', fastifyPlanes(gatekeeper))
    app.get('*', async (request) => {
      handled += 1
      assert.equal(request.headers['x-sallyport-tenant'], undefined)
      assert.notEqual(request.headers['x-sallyport-subject'], 'somebody-else')
      return { caller: 'sallyport' in request ? request.sallyport : undefined }
    })
    return {
      url: await app.listen({ host: '127.0.0.1', port: 0 }),
      handled: () => handled,
      close: () => app.close(),
    }
  }))

test('Fastify: no spelling that it takes to a gated handler passes the closed gate', () =>
  keepsGatesClosed(
    scene,
    async (gatekeeper) => {
      let handled = 0
      const app = Fastify({ routerOptions: { caseSensitive: false } })
      app.addHook('onRequest', fastifyPlanes(gatekeeper))
      for (const path of gatedRoutes)
        app.get(path, async () => {
          handled += 1
          return {}
        })
      const url = await app.listen({ host: '127.0.0.1', port: 0 })
      return { url, handled: () => handled, close: () => app.close() }
    },
    ['/__debug/OPENAPI_nocache', '/__debug/7%21purge', '/__debug/table/', '/__debug/Table/users'],
  ))

test('Fastify: the probe finds no crossing, and the one that is planted by its name', () =>
  probeTellsCrossings(scene, async (gatekeeper, planted) => {
    const app = Fastify()
    app.addHook('onRequest', async (request, reply) => {
      if (planted(request.url, request.headers['x-aos-key'])) return reply.send('reached')
    })
    app.addHook('onRequest', fastifyPlanes(gatekeeper))
    app.get('*', async () => 'reached')
    return { url: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() }
  }))

test('Fastify: a URL that is rewritten is judged as it is routed', async () => {
  const app = Fastify({ rewriteUrl: () => '/api/v1/accounts/7' })
  app.addHook('onRequest', fastifyPlanes((await scene.open('PROD')).gatekeeper))
  app.get('/api/v1/accounts/:id', async () => 'reached')
  const reply = await app.inject({ url: '/api/v1/runs/7', headers: { 'x-aos-key': scene.machineKey } })
  assert.deepEqual([reply.statusCode, reply.body], [403, '{"error":"plane_crossed"}'])
  await app.close()
})

test('Express’s way, on Node’s own server: every endpoint takes its own plane’s credential alone', () =>
  holdsThePlanes(scene, async (gatekeeper) => {
    let handled = 0
    const middleware = expressPlanes(gatekeeper)
    const server = createServer((request, response) => {
      const shown: ExpressRequest = request
      void middleware(shown, response, () => {
        handled += 1
        assert.equal(request.headers['x-sallyport-tenant'], undefined)
        response.end(JSON.stringify({ caller: shown.sallyport }))
      })
    })
    return {
      url: `http://127.0.0.1:${await listen(server)}`,
      handled: () => handled,
      close: () => closeServer(server),
    }
  }))

test('Express’s way: below a mounted router the whole path counts', async () => {
  const middleware = expressPlanes((await scene.open('PROD')).gatekeeper)
  const rawHeaders = ['X-AOS-Key', scene.machineKey]
  const answers: number[] = []
  const response = {
    writeHead(status: number) {
      answers.push(status)
      return { end: () => undefined }
    },
  }
  const mounted = {
    method: 'GET',
    url: '/api/v1/runs/7',
    originalUrl: '/other/api/v1/runs/7',
    rawHeaders,
    headers: {},
  }
  await middleware(mounted, response, () => answers.push(200))
  await middleware({ ...mounted, originalUrl: '/api/v1/runs/7', url: '/7' }, response, () =>
    answers.push(200),
  )
  assert.deepEqual(answers, [404, 200])
})

test('Hono’s way: every endpoint takes its own plane’s credential alone', () =>
  holdsThePlanes(scene, async (gatekeeper) => {
    let handled = 0
    const middleware = honoPlanes(gatekeeper)
    const server = createServer(async (incoming, outgoing) => {
      const headers = new Headers()
      for (let at = 0; at < incoming.rawHeaders.length; at += 2)
        headers.append(incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? '')
      let caller: Passage | undefined
      const context = {
        req: { raw: new Request(`http://service.test${incoming.url}`, { headers }) },
        set(_: 'sallyport', value: Passage) {
          caller = value
        },
      }
      const refused = await middleware(context, async () => {
        handled += 1
      })
      outgoing
        .writeHead(refused?.status ?? 200)
        .end(refused ? await refused.text() : JSON.stringify({ caller }))
    })
    return {
      url: `http://127.0.0.1:${await listen(server)}`,
      handled: () => handled,
      close: () => closeServer(server),
    }
  }))
