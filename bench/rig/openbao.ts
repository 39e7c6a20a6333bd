import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../src/testing/free-port.ts'
import { cores, type Pinned, startPinned } from './pinned.ts'

const program = resolve(
  import.meta.dirname,
  '../..',
  process.env['SALLYPORT_PEERS'] ?? '.peers',
  'py/bin/bao',
)

/** An OpenBao as it is run: durable (raft), with a file as audit device, unsealed, on the server's core. */
export type OpenBao = {
  readonly process: Pinned
  readonly port: number
  readonly rootToken: string
  /** Calls its API as root, or with another token; gives the answer's JSON. */
  call(method: 'GET' | 'POST', path: string, body?: object, token?: string): Promise<Answer>
}

type Answer = {
  readonly data?: Readonly<Record<string, unknown>>
  readonly auth?: { readonly client_token: string }
  readonly keys_base64?: readonly string[]
  readonly root_token?: string
}

/** Why there is no OpenBao to measure against; `undefined` when there is one. */
export function openBaoMissing(): string | undefined {
  return existsSync(program) ? undefined : `no OpenBao at ${program}; npm run test:peers installs it`
}

export async function startOpenBao(world: AsyncDisposableStack): Promise<OpenBao> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-openbao-'))
  const [port, clusterPort] = [await freePort(), await freePort()]
  mkdirSync(join(folder, 'raft'))
  writeFileSync(join(folder, 'openbao.hcl'), configuration(folder, { port, clusterPort }))
  // Its operational log is not what is measured.
  const command = ['sh', '-c', `exec ${program} server -config=${folder}/openbao.hcl >${folder}/log 2>&1`]
  const process_ = startPinned(command, { core: cores.server, env: { GOMAXPROCS: '1', HOME: folder } })
  world.defer(async () => {
    await process_.stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  let rootToken = ''
  const call: OpenBao['call'] = async (method, path, body, token = rootToken) => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': token },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`OpenBao answered ${path} with ${response.status}: ${text}`)
    const answer: Answer = text === '' ? {} : JSON.parse(text)
    return answer
  }
  await retried(() => fetch(`http://127.0.0.1:${port}/v1/sys/seal-status`))
  const { keys_base64: keys = [], root_token: root = '' } = await call('POST', 'sys/init', {
    secret_shares: 1,
    secret_threshold: 1,
  })
  await call('POST', 'sys/unseal', { key: keys[0] ?? '' })
  rootToken = root
  await retried(() => call('GET', 'auth/token/lookup-self'))
  return { process: process_, port, rootToken, call }
}

function configuration(folder: string, { port, clusterPort }: { port: number; clusterPort: number }): string {
  return `
disable_mlock = true
api_addr = "http://127.0.0.1:${port}"
cluster_addr = "http://127.0.0.1:${clusterPort}"
storage "raft" { path = "${folder}/raft" node_id = "bench" }
listener "tcp" { address = "127.0.0.1:${port}" cluster_address = "127.0.0.1:${clusterPort}" tls_disable = true }
audit "file" "bench" { options = { file_path = "${folder}/audit.log" } }
`
}

async function retried<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (thrown) {
      if (tries === 150) throw thrown
      await pause(100)
    }
  }
}
