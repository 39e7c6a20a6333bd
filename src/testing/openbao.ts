import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from './free-port.ts'

/** A real OpenBao in development mode that a test started. */
export type OpenBao = {
  /** A call with its root token; resolves to `data` of the answer, throws for any status that is not 2xx. */
  call(method: string, path: string, body: Json): Promise<Json>
  stop(): Promise<void>
}

type Json = Readonly<Record<string, unknown>>

const root = resolve(import.meta.dirname, '../..')
const readyLooksMax = 150

/** Starts `.peers/py/bin/bao` on a free loopback port. `skip` says why when it is not installed. */
export async function startOpenBao(): Promise<OpenBao | { readonly skip: string }> {
  const bao = resolve(root, process.env['SALLYPORT_PEERS'] ?? '.peers', 'py/bin/bao')
  if (!existsSync(bao)) return { skip: `no OpenBao at ${bao}` }
  const address = `127.0.0.1:${await freePort()}`
  const token = randomBytes(16).toString('hex')
  const flags = [
    '-dev',
    '-dev-no-store-token',
    `-dev-listen-address=${address}`,
    `-dev-root-token-id=${token}`,
  ]
  const child = spawn(bao, ['server', ...flags], { stdio: 'ignore', env: { ...process.env, HOME: tmpdir() } })
  await untilReady(`http://${address}/v1/sys/health`, child)
  return {
    async call(method, path, body) {
      const response = await fetch(`http://${address}/v1/${path}`, {
        method,
        headers: { 'x-vault-token': token },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(10_000),
      })
      const answer = await response.text()
      if (!response.ok) throw new Error(`OpenBao answered ${path} with ${response.status}: ${answer}`)
      return answer === '' ? {} : Object(JSON.parse(answer)).data
    },
    stop: () => stop(child),
  }
}

/** A certificate authority in its `pki` that signs X.509-SVIDs for `trustDomain`. */
export type OpenBaoAuthority = {
  /** The authority's own certificate, PEM. */
  readonly certPem: string
  issue(
    order: Readonly<Record<string, string>>,
    role?: 'workload' | 'unsuited',
  ): Promise<{ certPem: string; keyPem: string }>
}

/** Sets up the engine with a role for workloads, and one whose certificates are not for clients. */
export async function openAuthority(bao: OpenBao, trustDomain: string): Promise<OpenBaoAuthority> {
  await bao.call('POST', 'sys/mounts/pki', { type: 'pki' })
  const order = { common_name: 'Machine CA', key_type: 'ec', ttl: '2h' }
  const authority = await bao.call('POST', 'pki/root/generate/internal', order)
  const role = {
    allowed_uri_sans: `spiffe://${trustDomain}/*`,
    allow_any_name: true,
    require_cn: false,
    key_type: 'ec',
    key_bits: 256,
    key_usage: ['DigitalSignature'],
    server_flag: false,
    client_flag: true,
    max_ttl: '1h',
  }
  await bao.call('POST', 'pki/roles/workload', role)
  await bao.call('POST', 'pki/roles/unsuited', { ...role, key_usage: ['CertSign'] })
  return {
    certPem: text(authority, 'certificate'),
    async issue(wanted, as = 'workload') {
      const issued = await bao.call('POST', `pki/issue/${as}`, { ttl: '10m', ...wanted })
      return { certPem: text(issued, 'certificate'), keyPem: text(issued, 'private_key') }
    },
  }
}

function text(answer: Json, name: string): string {
  const value = answer[name]
  if (typeof value === 'string') return value
  throw new Error(`OpenBao gave no ${name}.`)
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  for (let looks = 0; looks < readyLooksMax && child.exitCode === null; looks += 1) {
    const ready = await fetch(url, { signal: AbortSignal.timeout(1000) }).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    await pause(100)
  }
  await stop(child)
  throw new Error('OpenBao did not start.')
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
