import { statSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createSecureContext } from 'node:tls'
import { createLogKey, createPrivateFile, parseWitnessKey } from '../audit/index.ts'
import { Failure, Secret } from '../primitives/index.ts'
import { createWitness, createWitnessListener, openWitnessState } from '../witness/index.ts'
import { read } from './connection.ts'
import { fileFailure } from './file-failure.ts'
import { listenAt, refuseOpenBind } from './listen-at.ts'
import { pathWord } from './path-word.ts'
import { jsonText, type Terminal, untilSignal } from './terminal.ts'

/** `sallyport witness key new`: the private key goes into a file of its own, never to a terminal. */
export function newWitnessKey(
  io: Terminal,
  options: { readonly name: string; readonly key: string },
): number {
  const key = createLogKey(options.name)
  const { vkey } = parseWitnessKey(key)
  try {
    createPrivateFile(options.key, key)
  } catch (thrown) {
    const told = fileFailure(thrown, options.key, 'written')
    if (!(told instanceof Failure)) throw told
    const next = 'name a file that is not there yet, in a folder of yours; a key is never written over'
    throw new Failure(told.code, told.message, { cause: thrown, next })
  }
  if (io.json) io.data({ key: options.key, vkey })
  else io.out(vkey)
  io.say(`The private key is in ${options.key}; what stands on standard output is public, for others to pin.`)
  return 0
}

export type WitnessServeOptions = {
  readonly key: string
  readonly state: string
  readonly log: readonly string[]
  readonly listen: string
  readonly tlsCert?: string
  readonly tlsKey?: string
}

/** `sallyport witness serve`: cosigns the checkpoints of these logs until SIGTERM. Its log is JSON lines on stderr. */
export async function serveWitness(io: Terminal, options: WitnessServeOptions): Promise<number> {
  // Before there is anything to close: a stop that comes early is a stop all the same.
  const stopped = untilSignal()
  const at = listenAt(options.listen)
  const tls = tlsOf(options)
  if (!tls) refuseOpenBind(at.host, 'witness')
  const cosigner = parseWitnessKey(readPrivateKey(options.key))
  const state = openWitnessState(options.state)
  const witness = createWitness({ cosigner, logs: options.log, state, now: () => Date.now() })
  const server = createWitnessListener({
    witness,
    ...(tls ? { tls } : {}),
    log: (line) => io.say(jsonText({ time: new Date().toISOString(), ...line })),
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new Failure('option_invalid', `${options.listen} cannot be listened on (${cause.message}).`, {
          cause,
        }),
      ),
    )
    server.listen(at.port, at.host, resolve)
  })
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  const url = `${tls ? 'https' : 'http'}://${host}:${portOf(server.address())}`
  if (io.json) io.data({ url, vkey: cosigner.vkey })
  else io.out(`url   ${url}\nvkey  ${cosigner.vkey}`)
  await stopped
  await new Promise((resolve) => {
    server.close(resolve)
    server.closeIdleConnections()
  })
  state.close()
  return 0
}

function tlsOf({ tlsCert, tlsKey }: WitnessServeOptions) {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined)
    throw new Failure('option_invalid', '--tls-cert and --tls-key go together.')
  const [certificate, key] = [read(tlsCert), read(tlsKey)]
  try {
    createSecureContext({ cert: certificate, key })
  } catch (cause) {
    const message = `${tlsCert} and ${tlsKey} are not a certificate and its key.`
    throw new Failure('option_invalid', message, { cause, next: 'give both as PEM' })
  }
  return { certificate, key }
}

/** Whoever else can read it can cosign a fork. */
function readPrivateKey(file: string): Secret {
  const text = new Secret(read(file))
  if ((statSync(file).mode & 0o077) === 0) return text
  throw new Failure('option_invalid', `Others than its owner may read ${file}, which is a private key.`, {
    next: `chmod 600 ${pathWord(file)}`,
  })
}

function portOf(address: string | AddressInfo | null): number {
  return typeof address === 'object' && address ? address.port : 0
}
