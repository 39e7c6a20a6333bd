import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type Client, SallyportError } from '../client/src/index.ts'
import { contractText } from '../test/end-to-end/contract.ts'
import { awsProvider } from './contract.ts'

export const listRequest = { action: 'list-buckets', resource: 'bucket-123' } as const
/** What a caller waits, where a provider does not answer. */
export const waitSeconds = 2

/** Asks once; `issued`, or the code of what came instead. */
export async function ask(client: Client, service: string): Promise<string> {
  try {
    return (await client.request({ service, ...listRequest }, { waitSeconds })).kind
  } catch (thrown) {
    return thrown instanceof SallyportError ? thrown.code : String(thrown)
  }
}

export function tally(words: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ')
}

/** An STS of a test's own on loopback. */
export async function listen(answer: RequestListener) {
  const server = createServer((request, response) => {
    request.resume()
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('It does not listen.')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${address.port}`, close }
}

/** A provider of the kind `aws` at each of these endpoints, and a healthy one that needs no network. */
export function awsContract(endpoints: readonly (readonly [name: string, url: string])[]): string {
  const role = 'arn:aws:iam::000000000000:role/agents'
  const aws = ([name, endpoint]: readonly [string, string]) =>
    awsProvider({ name, endpoint, role, keys: 'AWS', revocation: 'none' })
  const service = (name: string, means: string) => `${name}:
  provider: ${name}
  actions:
    list-buckets: { resource: "{bucket}", means: ${means} }`
  const grant = (name: string, tenant: string) => `- id: ${tenant}-lists-${name}
  tenant: ${tenant}
  agents: ["*"]
  service: ${name}
  actions: [list-buckets]
  resources: ["bucket-*"]
  modes: [TEST]
  maxDuration: 15m`
  const names = endpoints.map(([name]) => name)
  const s3 = '{ actions: ["s3:ListBucket"], resources: ["arn:aws:s3:::{bucket}"] }'
  const jwt =
    'healthy: { kind: jwt, config: { issuer: "https://a.example.test", audience: "https://b.example.test" } }'
  return contractText({
    providers: [...endpoints.map(aws), jwt].join('\n'),
    services: [
      ...names.map((name) => service(name, s3)),
      service('healthy', '{ scope: "buckets:list" }'),
    ].join('\n'),
    grants: [...names, 'healthy']
      .flatMap((name) => ['acme', 'globex'].map((tenant) => grant(name, tenant)))
      .join('\n'),
  })
}

/** The broker's own keys; nothing here looks at a signature. */
export const awsKeys = { AWS_ID: 'AKIAEXAMPLE', AWS_KEY: 'none' } as const
/** More than anything here asks for. */
export const highRates = ['--agent-rate', '100000', '--tenant-rate', '100000'] as const
