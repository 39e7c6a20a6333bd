import { existsSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { closeServer, listen, type Scene, setScene } from '../server/forward-auth/scene.fixture.ts'
import {
  type ExpressRequest,
  type ExpressResponse,
  expressPlanes,
  type HonoContext,
  honoPlanes,
  type Passage,
} from './index.ts'
import { holdsThePlanes } from './middleware.fixture.ts'

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

test('Express 5: every endpoint takes its own plane’s credential alone', { skip }, () =>
  holdsThePlanes(scene, async (gatekeeper) => {
    let handled = 0
    const express: () => ExpressApp = load('express')
    const app = express()
    app.use(expressPlanes(gatekeeper))
    app.use((request, response) => {
      handled += 1
      response.json({ caller: request.sallyport })
    })
    const server = createServer(app)
    return {
      url: `http://127.0.0.1:${await listen(server)}`,
      handled: () => handled,
      close: () => closeServer(server),
    }
  }),
)

test('Hono 4 on Node: every endpoint takes its own plane’s credential alone', { skip }, () =>
  holdsThePlanes(scene, async (gatekeeper) => {
    let handled = 0
    const { Hono }: { Hono: new () => HonoApp } = load('hono')
    const { getRequestListener }: NodeServer = load('@hono/node-server')
    const app = new Hono()
    app.use(honoPlanes(gatekeeper))
    app.get('*', (context) => {
      handled += 1
      return context.json({ caller: context.get('sallyport') })
    })
    const server = createServer(getRequestListener(app.fetch))
    return {
      url: `http://127.0.0.1:${await listen(server)}`,
      handled: () => handled,
      close: () => closeServer(server),
    }
  }),
)
