import { createServer } from 'node:http'
import { enforce } from './guard.ts'

// The first thing that happens: outside the contract nothing below runs, and the process ends with 78.
const env = enforce()

/** In LOCAL there may be no database, and the compiler knows it; in the other modes it knows that there is one. */
const store = env.mode === 'LOCAL' ? (env.DATABASE_URL ?? 'memory') : env.DATABASE_URL

const server = createServer((request, response) => {
  // `DEBUG_PAGES` is `false` in STAGE and PROD, in the types as well.
  if (env.DEBUG_PAGES && request.url === '/debug')
    return response.end(`${env.mode} on ${URL.parse(store)?.host}\n`)
  response.statusCode = request.url === '/' ? 200 : 404
  response.end(request.url === '/' ? 'orders\n' : 'not found\n')
})
server.listen(env.PORT, '127.0.0.1', () => console.log(`${env.mode}: http://127.0.0.1:${env.PORT}`))
process.once('SIGTERM', () => server.close())
