import { existsSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import type { Gatekeeper } from '../planes/index.ts'
import { closeServer, listen, type Scene, setScene } from '../server/forward-auth/scene.fixture.ts'
import {
  type ExpressRequest,
  type ExpressResponse,
  expressPlanes,
  type HonoContext,
  honoPlanes,
  type Passage,
} from './index.ts'
import {
  gatedRoutes,
  holdsThePlanes,
  keepsGatesClosed,
  type Planted,
  probeTellsCrossings,
} from './middleware.fixture.ts'

const folder = resolve(import.meta.dirname, '../..', process.env['SALLYPORT_PEERS'] ?? '.peers', 'middleware')
const load = createRequire(join(folder, 'index.js'))
const skip = !existsSync(join(folder, 'node_modules/express')) && `no Express and Hono in ${folder}`

type Next = () => void
type ExpressApp = RequestListener & {
  use(
    handler: (
      request: ExpressRequest,
      response: ExpressResponse & { json(body: unknown): void },
      next: Next,
    ) => unknown,
  ): void
  get(path: string, handler: (request: unknown, response: { json(body: unknown): void }) => void): void
}
type HonoApp = {
  use(handler: (context: HonoContext, next: () => Promise<void>) => Promise<Response | undefined>): void
  get(
    path: string,
    handler: (context: { get(key: string): Passage; json(body: unknown): Response }) => Response,
  ): void
  readonly fetch: (request: Request) => Promise<Response>
}
type NodeServer = { getRequestListener(fetch: HonoApp['fetch']): RequestListener }

let scene: Scene
before(async () => {
  scene = await setScene()
})
after(() => scene.close())

/** Each framework with its middleware before a handler for everything, and before that what is planted. */
const frameworks = {
  'Express 5': (gatekeeper: Gatekeeper, planted: Planted, handled: () => void): RequestListener => {
    const express: () => ExpressApp = load('express')
    const app = express()
    app.use((request, response, next) =>
      planted(request.url, request.headers['x-aos-key']) ? response.json({}) : next(),
    )
    app.use(expressPlanes(gatekeeper))
    app.use((request, response) => {
      handled()
      response.json({ caller: request.sallyport })
    })
    return app
  },
  'Hono 4 on Node': (gatekeeper: Gatekeeper, planted: Planted, handled: () => void): RequestListener => {
    const { Hono }: { Hono: new () => HonoApp } = load('hono')
    const { getRequestListener }: NodeServer = load('@hono/node-server')
    const app = new Hono()
    app.use(async ({ req: { raw } }, next) => {
      if (planted(new URL(raw.url).pathname, raw.headers.get('x-aos-key'))) return new Response('{}')
      await next()
      return undefined
    })
    app.use(honoPlanes(gatekeeper))
    app.get('*', (context) => {
      handled()
      return context.json({ caller: context.get('sallyport') })
    })
    return getRequestListener(app.fetch)
  },
}

/** Each framework with a handler for each gated route, and the spellings that it takes there by its defaults. */
const gatedServices = {
  'Express 5': {
    create(gatekeeper: Gatekeeper, handled: () => void): RequestListener {
      const express: () => ExpressApp = load('express')
      const app = express()
      app.use(expressPlanes(gatekeeper))
      for (const path of gatedRoutes)
        app.get(path.replace('!', '\\!').replace('*', '*rest'), (_, response) => {
          handled()
          response.json({})
        })
      return app
    },
    reached: ['/__debug/openapi_nocache/', '/__debug/OPENAPI_nocache', '/__debug/Table/users/'],
  },
  'Hono 4 on Node': {
    create(gatekeeper: Gatekeeper, handled: () => void): RequestListener {
      const { Hono }: { Hono: new () => HonoApp } = load('hono')
      const { getRequestListener }: NodeServer = load('@hono/node-server')
      const app = new Hono()
      app.use(honoPlanes(gatekeeper))
      for (const path of gatedRoutes)
        app.get(path, (context) => {
          handled()
          return context.json({})
        })
      return getRequestListener(app.fetch)
    },
    reached: ['/__debug/7%21purge', '/__debug/table', '/__debug/table/'],
  },
}

for (const [framework, { create, reached }] of Object.entries(gatedServices))
  test(`${framework}: no spelling that it takes to a gated handler passes the closed gate`, { skip }, () =>
    keepsGatesClosed(
      scene,
      async (gatekeeper) => {
        let count = 0
        const server = createServer(
          create(gatekeeper, () => {
            count += 1
          }),
        )
        const url = `http://127.0.0.1:${await listen(server)}`
        return { url, handled: () => count, close: () => closeServer(server) }
      },
      reached,
    ),
  )

for (const [framework, create] of Object.entries(frameworks)) {
  const start = async (gatekeeper: Gatekeeper, planted: Planted) => {
    let count = 0
    const server = createServer(
      create(gatekeeper, planted, () => {
        count += 1
      }),
    )
    const url = `http://127.0.0.1:${await listen(server)}`
    return { url, handled: () => count, close: () => closeServer(server) }
  }
  test(`${framework}: every endpoint takes its own plane’s credential alone`, { skip }, () =>
    holdsThePlanes(scene, (gatekeeper) => start(gatekeeper, () => false)),
  )
  test(`${framework}: the probe finds no crossing, and the one that is planted by its name`, { skip }, () =>
    probeTellsCrossings(scene, start),
  )
}
