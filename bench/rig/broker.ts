import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority } from '../../src/adapters/identity/certificate/index.ts'
import { buildEntry } from '../../tools/build.ts'
import { agentsOf, benchContract, cast, spiffeIdOf } from './contract.ts'
import { type Issuer, startIssuer } from './issuer.ts'
import { type Load, requestText } from './load.ts'
import { cores, type Pinned, startPinned } from './pinned.ts'

/** The published program, but not in `dist/`: that may be built anew meanwhile. */
const program = join(import.meta.dirname, '../../.sallyport/bench/sallyport.js')

/** What brokers are started with. One over HTTP and one over TLS can run at the same time. */
export type BrokerHome = {
  readonly issuer: Issuer
  readonly tls: Tls
  /** Starts the published program on one core. Without TLS the machine plane is plain HTTP on loopback. */
  start(over: Transport): Promise<RunningBroker>
  /** Its store and keys, kept over several starts. */
  dataFolder(over: Transport): string
}

type Transport = 'http' | 'mutual TLS'

export type RunningBroker = {
  readonly process: Pinned
  readonly port: number
}

/** PEM texts: of the server, and of agents of every tenant as clients. */
type Tls = {
  readonly server: { key: string; cert: string; ca: string }
  readonly client: Load['tls'] & object
}

export async function createBrokerHome(
  world: AsyncDisposableStack,
  options: { readonly postgresUrl?: string } = {},
): Promise<BrokerHome> {
  const { postgresUrl } = options
  await buildEntry({ source: 'src/cli/main.ts', target: program, kind: 'program' })
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  world.defer(() => rmSync(folder, { recursive: true, force: true }))
  const issuer = await startIssuer()
  world.defer(() => issuer.stop())
  const contract = join(folder, 'sallyport.yaml')
  writeFileSync(contract, benchContract({ issuer: issuer.url, withPostgres: postgresUrl !== undefined }))
  const tls = await createTls(folder)
  const serve = ['serve', '--json', '--contract', contract]
  const file = (name: string) => join(folder, name)
  const tlsFlags = [
    '--tls-cert',
    file('server.pem'),
    '--tls-key',
    file('server.key'),
    '--client-ca',
    file('ca.pem'),
  ]
  const home: BrokerHome = {
    issuer,
    tls,
    dataFolder: (over) => join(folder, over === 'http' ? 'data' : 'data-tls'),
    async start(over) {
      const own = ['--data', home.dataFolder(over), '--machine', '127.0.0.1:0', '--human', '127.0.0.1:0']
      const process_ = startPinned(
        [process.execPath, program, ...serve, ...own, ...(over === 'http' ? [] : tlsFlags)],
        {
          core: cores.server,
          env: {
            SALLYPORT_MODE: 'bench',
            ...(postgresUrl === undefined ? {} : { BENCH_POSTGRES: postgresUrl }),
          },
        },
      )
      world.defer(() => process_.stop())
      const line = await process_.line()
      const started: { machine?: string } = JSON.parse(line)
      if (started.machine === undefined) throw new Error(`The broker did not start: ${line}`)
      return { process: process_, port: Number(new URL(started.machine).port) }
    },
  }
  return home
}

/** What is asked, unless a bench asks for something else. */
export const orderRequest = { service: 'orders-api', action: 'read-order', resource: 'order-7' } as const

/** One request of each agent, whole, with its token; of the agents of every tenant unless one is named. */
export function agentRequests(
  issuer: Issuer,
  options: { readonly tenant?: string; readonly path?: string; readonly body?: object } = {},
): readonly string[] {
  const { tenant, path = '/v1/credentials', body = orderRequest } = options
  // Tenant after tenant for one agent, then for the next one.
  const agents = Array.from({ length: cast.agentsEach }, (_, index) =>
    (tenant === undefined ? cast.tenants : [tenant]).map((name) => agentsOf(name)[index] ?? ''),
  )
  return agents.flat().map((agent) => {
    const headers = { authorization: `Bearer ${issuer.token(agent)}` }
    return requestText({ method: 'POST', path, headers, body })
  })
}

/** The agents that show a certificate: as many as there are connections at most. */
const certifiedAgents = cast.tenants.flatMap((tenant) => agentsOf(tenant).slice(0, 8))

async function createTls(folder: string): Promise<Tls> {
  const life = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 86_400_000 }
  const authority = await createAuthority({ commonName: 'Bench CA', ...life })
  const server = await authority.issue({ purpose: 'server', addresses: ['127.0.0.1'], ...life })
  const ca = authority.own.certPem
  const clients: { cert: string; key: string }[] = []
  for (const agent of certifiedAgents) {
    const { certPem, keyPem } = await authority.issue({
      purpose: 'client',
      uris: [spiffeIdOf(agent)],
      ...life,
    })
    clients.push({ cert: certPem, key: keyPem })
  }
  const files = { 'server.pem': server.certPem, 'server.key': server.keyPem, 'ca.pem': ca }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
  return { server: { key: server.keyPem, cert: server.certPem, ca }, client: { ca, clients } }
}
