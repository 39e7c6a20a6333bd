import { once } from 'node:events'
import { openPlanes, systemClock } from '../catalog/index.ts'
import { requireContract } from '../contract/index.ts'
import type { Verdict } from '../planes/index.ts'
import { Failure } from '../primitives/index.ts'
import { createForwardAuth } from '../server/forward-auth/index.ts'
import { readContractFile } from './contract-file.ts'
import { listenAt } from './listen-at.ts'
import { jsonText, type Terminal, untilSignal } from './terminal.ts'

export type ServePlanesOptions = {
  readonly contract: string
  readonly trust?: string
  readonly listen: string
}

/** `planes serve`: the forward-auth endpoint of one environment, until SIGTERM. Refusals are JSON lines on stderr. */
export async function servePlanes(io: Terminal, options: ServePlanesOptions): Promise<number> {
  const stopped = untilSignal()
  const { host, port } = loopback(options.listen)
  const opened = await openPlanes({
    contract: requireContract(readContractFile(options.contract)),
    variables: process.env,
    ...(options.trust === undefined ? {} : { trustFile: options.trust }),
    clock: systemClock,
  })
  const server = createForwardAuth({ gatekeeper: opened.gatekeeper, observe: createRefusalLog(io) })
  server.listen(port, host)
  await once(server, 'listening').catch((cause) => {
    throw new Failure('option_invalid', `Nothing can listen on ${options.listen}.`, { cause })
  })
  const address = server.address()
  const at = typeof address === 'object' && address !== null ? `http://${host}:${address.port}` : ''
  const planes = Object.fromEntries(opened.credentials)
  if (io.json) io.data({ mode: opened.mode, url: at, planes })
  else {
    io.out(`mode      ${opened.mode}\nlistening ${at}`)
    for (const [plane, credentials] of opened.credentials) io.out(`${plane.padEnd(9)} ${credentials}`)
  }
  await stopped
  server.close()
  server.closeIdleConnections()
  setTimeout(() => server.closeAllConnections(), drainMilliseconds).unref()
  await once(server, 'close')
  return 0
}

const drainMilliseconds = 2_000

/** Proxies talk to it in plain HTTP, with credentials inside, so it stands beside them: on the same host or in the same pod. */
function loopback(text: string): { host: string; port: number } {
  const at = listenAt(text)
  if (at.host === '127.0.0.1' || at.host === '::1' || at.host === 'localhost') return at
  throw new Failure(
    'option_invalid',
    `Credentials pass in the clear, so it listens on loopback alone, not on ${at.host}.`,
    {
      next: 'run it beside the proxy: the same host, or the same pod',
    },
  )
}

const refusalLinesPerSecondMax = 50

/** Refusals are told, so that a crossing is seen; an attacker cannot fill the disk with them. */
function createRefusalLog(io: Terminal) {
  let [second, lines] = [0, 0]
  return (verdict: Verdict, request: { readonly method: string; readonly path: string }) => {
    if (verdict.kind === 'admitted') return
    const now = Math.floor(Date.now() / 1000)
    if (now !== second) {
      if (lines > refusalLinesPerSecondMax)
        io.say(
          jsonText({
            level: 'warn',
            message: `${lines - refusalLinesPerSecondMax} more refusals in that second`,
          }),
        )
      second = now
      lines = 0
    }
    lines += 1
    if (lines > refusalLinesPerSecondMax) return
    const { code, status, plane } = verdict
    const { method, path } = request
    const time = new Date().toISOString()
    io.say(
      jsonText({
        time,
        level: 'warn',
        message: 'refused',
        code,
        status,
        plane,
        method,
        path: path.slice(0, pathCharactersMax),
      }),
    )
  }
}

const pathCharactersMax = 256
