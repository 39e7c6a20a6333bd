import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPlanes, systemClock } from '../../catalog/index.ts'
import { type Contract, requireContract } from '../../contract/index.ts'
import { sha256Hex } from '../../primitives/index.ts'
import { startTestIssuer, type TestIssuer, testAudience } from '../../testing/issuer.ts'

const file = join(import.meta.dirname, '../../../contracts/agenticverz.yaml')
export const seedContract = requireContract({
  file: 'contracts/agenticverz.yaml',
  text: readFileSync(file, 'utf8'),
})

/** Seed 003 with a real issuer, two machine keys and a sandbox key, all made for this run. */
export type Scene = {
  readonly issuer: TestIssuer
  readonly machineKey: string
  readonly sandboxKey: string
  readonly trustFile: string
  open(mode: keyof typeof tuples, sandbox?: string, contract?: Contract): ReturnType<typeof openPlanes>
  close(): Promise<void>
}

export const tuples = {
  LOCAL: { AOS_MODE: 'local', DB_AUTHORITY: 'local' },
  TEST: { AOS_MODE: 'test', DB_AUTHORITY: 'neon' },
  PREPROD: { AOS_MODE: 'preprod', DB_AUTHORITY: 'neon' },
  PROD: { AOS_MODE: 'prod', DB_AUTHORITY: 'neon' },
} as const

export async function setScene(): Promise<Scene> {
  const issuer = await startTestIssuer()
  const [machineKey, sandboxKey] = [newKey(), newKey()]
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-planes-'))
  const trustFile = join(folder, 'planes.json')
  const clerk = { issuer: issuer.issuer, audience: testAudience, algorithms: ['ES256'] }
  const keys = {
    machine: { 'ci-runner': digestOf(machineKey), 'load-test': digestOf(newKey()) },
    sandbox: { 'demo-customer': digestOf(sandboxKey) },
  }
  writeFileSync(trustFile, JSON.stringify({ issuers: { clerk }, keys }))
  return {
    issuer,
    machineKey,
    sandboxKey,
    trustFile,
    open: (mode, sandbox, contract = seedContract) =>
      openPlanes({
        contract,
        variables: { ...tuples[mode], CUSTOMER_SANDBOX_ENABLED: sandbox },
        trustFile,
        clock: systemClock,
      }),
    async close() {
      rmSync(folder, { recursive: true, force: true })
      await issuer.close()
    },
  }
}

function newKey(): string {
  return `aos_${randomBytes(24).toString('base64url')}`
}

export function digestOf(key: string): string {
  return `sha256:${sha256Hex(key)}`
}

export async function listen(server: Server, port = 0): Promise<number> {
  await once(server.listen(port, '127.0.0.1'), 'listening')
  const address = server.address()
  if (typeof address === 'object' && address !== null) return address.port
  throw new Error('There is no port.')
}

export async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await once(server.close(), 'close')
}

/** A back end that answers what it was sent, and counts. */
export function createEcho() {
  const seen: IncomingMessage[] = []
  const server = createServer((incoming, response) => {
    seen.push(incoming)
    incoming.resume()
    response.end(JSON.stringify({ path: incoming.url, headers: incoming.headers }))
  })
  return { server, seen }
}

export type Reply = {
  readonly status: number
  readonly body: string
  readonly headers: IncomingMessage['headers']
}

/** A request as it is written, path and repeated headers included: `fetch` would tidy both up. */
export async function ask(
  url: string,
  path: string,
  headers: readonly string[] = [],
  method = 'GET',
): Promise<Reply> {
  const { hostname, port } = new URL(url)
  const all = ['Host', `${hostname}:${port}`, 'Connection', 'close', ...headers]
  const sent = request({ hostname, port, path, method, headers: all, timeout: 15_000 })
  sent.on('timeout', () => sent.destroy(new Error('no answer')))
  sent.end()
  const [reply]: IncomingMessage[] = await once(sent, 'response')
  if (!reply) throw new Error('no answer')
  const chunks: Buffer[] = []
  for await (const chunk of reply) chunks.push(chunk)
  return { status: reply.statusCode ?? 0, body: Buffer.concat(chunks).toString(), headers: reply.headers }
}
