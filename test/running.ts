import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:tls'
import { type Entry, parseEntry } from '../src/audit/index.ts'
import type { ProviderDefinition } from '../src/broker/index.ts'
import { type Authority, createAuthority, createMachineKey, systemClock } from '../src/catalog/index.ts'
import { type RunningBroker, type RunOptions, runBroker } from '../src/cli/running-broker.ts'
import type { TlsMaterial } from '../src/server/http/index.ts'
import { createFakeProvider, type FakeProvider } from '../src/testing/index.ts'
import { startTestIssuer, type TestIssuer } from '../src/testing/issuer.ts'

export type Pem = { readonly certPem: string; readonly keyPem: string }

/** What one identity of the contract can show; each proof is valid by itself. */
export type Shown = {
  readonly certificate?: Pem
  readonly bearer?: string
  readonly machineKey?: string
}

/** One request on the wire, with everything that may come with it. */
export type WireRequest = {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** An object is sent as JSON, a text as it is. */
  readonly body?: unknown
  readonly as?: Shown
  readonly signal?: AbortSignal
}

export type WireAnswer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON that is an object; empty when it is none. */
  readonly json: Readonly<Record<string, unknown>>
}

/** A whole broker with both listeners on real TLS, its issuers and everybody who may call. */
export type Running = {
  readonly broker: RunningBroker
  readonly folder: string
  readonly tls: TlsMaterial
  readonly authority: Authority
  readonly issuers: { readonly machine: TestIssuer; readonly human: TestIssuer }
  /** The provider behind the service `vault`. */
  readonly fake: FakeProvider
  /** Lines of the operator's log. */
  readonly notes: readonly Readonly<Record<string, unknown>>[]
  readonly people: Readonly<Record<Person, Shown>>
  readonly machines: Readonly<Record<Machine, Required<Shown>>>
  machine(request: WireRequest): Promise<WireAnswer>
  human(request: WireRequest): Promise<WireAnswer>
  entries(): Promise<readonly Entry[]>
  /** From now on the store takes every commit, refuses it, or holds it up. */
  setStore(state: StoreState): void
  /** Commits that are held up. */
  heldCommits(): number
  close(): Promise<void>
}

export type StoreState = 'whole' | 'broken' | 'held'
export type Machine = 'agent-7' | 'agent-8' | 'robot' | 'warden'
export type Person = 'dana' | 'gwen' | 'paula'

const machines: Readonly<Record<Machine, { tenant: string; roles?: string }>> = {
  'agent-7': { tenant: 'acme' },
  'agent-8': { tenant: 'acme' },
  robot: { tenant: 'globex' },
  warden: { tenant: 'acme', roles: 'platform' },
}
const people: Readonly<Record<Person, { tenant: string; roles: string }>> = {
  dana: { tenant: 'acme', roles: 'operator, auditor' },
  gwen: { tenant: 'globex', roles: 'auditor' },
  paula: { tenant: 'acme', roles: 'platform' },
}
export const tokenIssuer = 'https://sallyport.example.test'
export const tokenAudience = 'https://orders.example.test'
export const spiffeId = (machine: Machine) =>
  `spiffe://demo.test/tenant/${machines[machine].tenant}/agent/${machine}`
export const seedRequest = { service: 'aws-s3', action: 'list-buckets', resource: 'bucket-123' } as const
const hour = 3_600_000

export async function startRunning(
  more: Pick<RunOptions, 'providers' | 'rates'> & { readonly contract?: (text: string) => string } = {},
): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-wire-'))
  const [machineIssuer, humanIssuer] = await Promise.all([startTestIssuer(), startTestIssuer()])
  const life = { notBefore: Date.now() - hour, notAfter: Date.now() + hour }
  const authority = await createAuthority({ commonName: 'Wire CA', ...life })
  const server = await authority.issue({ purpose: 'server', addresses: ['127.0.0.1'], ...life })
  const tls = { key: server.keyPem, certificate: server.certPem, clientCa: authority.own.certPem }
  const keys = recordOf(names(machines), () => createMachineKey(randomBytes))
  const contractFile = join(folder, 'sallyport.yaml')
  const text = contractText({
    machineIssuer,
    humanIssuer,
    digests: recordOf(names(machines), (name) => keys[name].digest),
  })
  await writeFile(contractFile, more.contract?.(text) ?? text)
  const fake = createFakeProvider({ clock: systemClock })
  const fakeKind: ProviderDefinition = { kind: 'fake', developmentOnly: true, create: async () => fake }
  const notes: Readonly<Record<string, unknown>>[] = []
  const store: { state: StoreState; held: number } = { state: 'whole', held: 0 }
  const broker = await runBroker({
    contractFile,
    dataFolder: join(folder, 'data'),
    environment: { WIRE_MODE: 'test' },
    machine: { host: '127.0.0.1', port: 0 },
    human: { host: '127.0.0.1', port: 0 },
    tls,
    note: (line) => notes.push(line),
    // Everything comes from one address here, and much of it is refused.
    rates: {
      agentPerSecond: 1e6,
      agentBurst: 1e6,
      tenantPerSecond: 1e6,
      tenantBurst: 1e6,
      refusedBurst: 1e6,
      entriesEach: 1e6,
      ...more.rates,
    },
    providers: [fakeKind, ...(more.providers ?? [])],
    storage: (storage) => ({
      ...storage,
      commit: async (batch) => {
        if (store.state === 'broken') throw new Error('ENOSPC: no space left on device')
        if (store.state === 'held') {
          store.held += 1
          while (store.state === 'held') await pause(5)
          store.held -= 1
        }
        return storage.commit(batch)
      },
    }),
  })
  const wire = createWire(authority.own.certPem)
  return {
    broker,
    folder,
    tls,
    authority,
    issuers: { machine: machineIssuer, human: humanIssuer },
    fake,
    notes,
    machines: {
      'agent-7': await showMachine('agent-7'),
      'agent-8': await showMachine('agent-8'),
      robot: await showMachine('robot'),
      warden: await showMachine('warden'),
    },
    people: {
      dana: { bearer: await humanIssuer.token('user_dana') },
      gwen: { bearer: await humanIssuer.token('user_gwen') },
      paula: { bearer: await humanIssuer.token('user_paula') },
    },
    machine: (request) => wire.ask(broker.machineUrl, request),
    human: (request) => wire.ask(broker.humanUrl, request),
    async entries() {
      const found: Entry[] = []
      const { log } = broker.assembled
      while (found.length < log.size())
        for (const bytes of await log.entries(found.length, 1000)) {
          const entry = parseEntry(bytes)
          if (!entry) throw new Error('An entry cannot be read.')
          found.push(entry)
        }
      return found
    },
    setStore(state) {
      store.state = state
    },
    heldCommits: () => store.held,
    async close() {
      wire.close()
      await broker.stop()
      await Promise.all([machineIssuer.close(), humanIssuer.close()])
      await rm(folder, { recursive: true })
    },
  }

  async function showMachine(name: Machine): Promise<Required<Shown>> {
    const certificate = await authority.issue({ purpose: 'client', uris: [spiffeId(name)], ...life })
    const bearer = await machineIssuer.token(`system:serviceaccount:${name}`)
    return { certificate, bearer, machineKey: keys[name].key.reveal() }
  }
}

/** Asks over TLS that trusts the authority alone; one connection pool for each client certificate. */
export function createWire(ca: string) {
  const pools = new Map<string, Agent>()
  const poolOf = (certificate: Pem | undefined) => {
    const name = certificate?.certPem ?? ''
    const known = pools.get(name)
    if (known) return known
    const identity = certificate ? { cert: certificate.certPem, key: certificate.keyPem } : {}
    const pool = new Agent({ ca, keepAlive: true, maxSockets: 16, ...identity })
    pools.set(name, pool)
    return pool
  }
  return {
    async ask(
      url: string,
      { method = 'GET', path, body, as = {}, ...rest }: WireRequest,
    ): Promise<WireAnswer> {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
      const headers = {
        ...(body !== undefined && typeof body !== 'string' ? { 'content-type': 'application/json' } : {}),
        ...(as.bearer === undefined ? {} : { authorization: `Bearer ${as.bearer}` }),
        ...(as.machineKey === undefined ? {} : { 'x-aos-key': as.machineKey }),
        ...rest.headers,
        ...(text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }),
      }
      const agent = poolOf(as.certificate)
      const signal = rest.signal ?? AbortSignal.timeout(20_000)
      const request = httpsRequest(`${url}${path}`, { method, headers, agent, signal })
      request.end(text)
      const [response] = await once(request, 'response')
      const pieces: Buffer[] = []
      for await (const piece of response) pieces.push(piece)
      const answer = Buffer.concat(pieces).toString('utf8')
      return { status: response.statusCode, headers: response.headers, text: answer, json: objectOf(answer) }
    },
    close() {
      for (const pool of pools.values()) pool.destroy()
    },
  }
}

/** Sends these bytes over TLS as they are, from that address of this machine if one is named, and gives everything that comes back until the broker closes. */
export async function sendRaw(
  { url, ca, certificate, from }: { url: string; ca: string; certificate?: Pem; from?: string },
  text: string | Buffer,
): Promise<string> {
  const { hostname, port } = new URL(url)
  const identity = certificate ? { cert: certificate.certPem, key: certificate.keyPem } : {}
  const address = from === undefined ? {} : { localAddress: from }
  const socket = connect({ host: hostname, port: Number(port), ca, ...identity, ...address })
  const pieces: Buffer[] = []
  socket.on('data', (piece) => pieces.push(piece))
  socket.write(text)
  await once(socket, 'close', { signal: AbortSignal.timeout(20_000) })
  return Buffer.concat(pieces).toString('utf8')
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function names<Name extends string>(record: Readonly<Record<Name, unknown>>): readonly Name[] {
  const found: Name[] = []
  for (const name in record) found.push(name)
  return found
}

function recordOf<Name extends string, Value>(
  keys: readonly Name[],
  make: (name: Name) => Value,
): Record<Name, Value> {
  const made: Partial<Record<Name, Value>> = {}
  for (const key of keys) made[key] = make(key)
  const isWhole = (record: Partial<Record<Name, Value>>): record is Record<Name, Value> =>
    keys.every((key) => key in record)
  if (!isWhole(made)) throw new Error('A name has no value.')
  return made
}

function contractText(world: {
  machineIssuer: TestIssuer
  humanIssuer: TestIssuer
  digests: Readonly<Record<Machine, string>>
}): string {
  return `contract: environment/v1
metadata: { name: wire, onMismatch: fail-stop }
discriminators: [WIRE_MODE]
modes:
  TEST:
    class: test
    match: { WIRE_MODE: test }
    ceiling: { duration: 1h }
planes:
  machine:
    scheme: { type: apiKey, in: header, name: X-AOS-Key }
  human:
    scheme: { type: http, scheme: bearer, bearerFormat: JWT }
tenants: [acme, globex]
issuers:
  cluster: { plane: machine, issuer: "${world.machineIssuer.issuer}", audience: sallyport, algorithms: [ES256] }
  clerk: { plane: human, issuer: "${world.humanIssuer.issuer}", audience: sallyport, algorithms: [ES256] }
identities:
${names(machines)
  .map(
    (name) => `  ${name}:
    tenant: ${machines[name].tenant}
    plane: machine${machines[name].roles ? `\n    roles: [${machines[name].roles}]` : ''}
    proofs:
      - spiffe: ${spiffeId(name)}
      - key: ${world.digests[name]}
      - token: { issuer: cluster, claims: { sub: "system:serviceaccount:${name}" } }`,
  )
  .join('\n')}
${names(people)
  .map(
    (name) => `  ${name}:
    tenant: ${people[name].tenant}
    plane: human
    roles: [${people[name].roles}]
    proofs:
      - token: { issuer: clerk, claims: { sub: user_${name} } }`,
  )
  .join('\n')}
providers:
  tokens:
    kind: jwt
    config: { issuer: "${tokenIssuer}", audience: "${tokenAudience}" }
  vault:
    kind: fake
    config: {}
services:
  aws-s3:
    provider: tokens
    actions:
      list-buckets: { title: List one bucket, resource: "{bucket}", means: { scope: "s3:list" } }
  vault:
    provider: vault
    actions:
      read: { resource: "{thing+}", means: {} }
grants:
${['acme', 'globex']
  .map(
    (tenant) => `  - id: ${tenant}-lists-buckets
    tenant: ${tenant}
    agents: ["*"]
    planes: [machine, human]
    service: aws-s3
    actions: [list-buckets]
    resources: ["bucket-*"]
    modes: [TEST]
    maxDuration: 30m
  - id: ${tenant}-reads-the-vault
    tenant: ${tenant}
    agents: ["*"]
    planes: [machine, human]
    service: vault
    actions: [read]
    resources: ["${tenant}/**"]
    modes: [TEST]
    maxDuration: 30m`,
  )
  .join('\n')}
`
}
