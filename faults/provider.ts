import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { type Client, SallyportError } from '../client/src/index.ts'
import { systemClock } from '../src/catalog/index.ts'
import { Failure } from '../src/primitives/index.ts'
import { createFakeProvider, type FakeStep } from '../src/testing/fake-provider.ts'
import { contractText } from '../test/end-to-end/contract.ts'
import { makeSite, type Serving } from '../test/end-to-end/site.ts'
import { checkAftermath } from './aftermath.ts'
import { apiContract } from './contract.ts'
import type { Fault, FaultOptions, Row } from './harness.ts'
import { inThisProcess, nobodyTold, requestId } from './in-process.ts'

/** What a provider does to a broker. */
export const provider: Fault = {
  name: 'provider',
  title:
    'a provider that is slow, refuses, throttles, answers garbage or half, or mints and loses its answer',
  run: async (options) => [
    ...(await answering(options)),
    await losingAnswers(options),
    await besideDead(options),
  ],
}

const fault = 'provider'

/** How an STS on the wire may behave, and every word by which the broker may call it. */
const manners: Readonly<Record<string, { answer: RequestListener; codes: readonly string[] }>> = {
  slow: {
    answer: () => undefined,
    codes: ['credential_minting_failure'],
  },
  refusing: {
    answer: (_, response) => response.writeHead(403).end(errorXml('AccessDenied')),
    codes: ['provider_refused'],
  },
  garbage: {
    answer: (_, response) => response.end('<html>Welcome to nginx!</html>'),
    codes: ['provider_answer_invalid'],
  },
  empty: { answer: (_, response) => response.end(), codes: ['provider_answer_invalid'] },
  half: {
    answer(_, response) {
      response.writeHead(200, { 'content-length': 1000 }).write('<AssumeRoleResponse><AssumeRoleResult>')
      setTimeout(() => response.destroy(), 20)
    },
    codes: ['credential_minting_failure', 'provider_answer_invalid'],
  },
  broken: {
    answer: (_, response) => response.destroy(),
    codes: ['credential_minting_failure'],
  },
  throttling: {
    answer: (_, response) => response.writeHead(400).end(errorXml('Throttling')),
    codes: ['credential_minting_failure'],
  },
  huge: {
    answer: (_, response) => response.end('x'.repeat(20_000_000)),
    codes: ['provider_answer_invalid', 'credential_minting_failure'],
  },
}

function errorXml(code: string): string {
  return `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>words</Message></Error></ErrorResponse>`
}

const requestsEach = { short: 6, long: 60 } as const
const waitSeconds = 2
/** Beyond the deadline: what it takes to record and answer on a busy machine. */
const graceMs = 3_000

/** Each manner at its own endpoint behind the real `aws` adapter: a named outcome, in time, an entry each, and nothing issued. */
async function answering({ length, progress }: FaultOptions): Promise<readonly Row[]> {
  const servers = await Promise.all(Object.values(manners).map(({ answer }) => listen(answer)))
  const names = Object.keys(manners)
  const site = await makeSite(awsContract(names.map((name, at) => [name, servers[at]?.url ?? ''])))
  try {
    const serving = await site.serve({ environment: { AWS_ID: 'AKIAEXAMPLE', AWS_KEY: 'none' } })
    const rows: Row[] = []
    for (const [name, { codes }] of Object.entries(manners)) {
      progress(name)
      rows.push(await oneManner(serving, { name, codes, requests: requestsEach[length] }))
    }
    return rows
  } finally {
    await site.close()
    for (const server of servers) server.close()
  }
}

async function oneManner(
  serving: Serving,
  { name, codes, requests }: { name: string; codes: readonly string[]; requests: number },
): Promise<Row> {
  const came: string[] = []
  const lost: string[] = []
  const client = serving.client('agent-7')
  const askOnce = async () => {
    const began = performance.now()
    came.push(await ask(client, name))
    const late = performance.now() - began - waitSeconds * 1000 - graceMs
    if (late > 0) lost.push(`an answer came ${Math.round(late)} ms too late`)
  }
  // The first alone, so that all its tries are its own.
  await askOnce()
  await Promise.all(Array.from({ length: requests - 1 }, askOnce))
  client.close()
  // Once it is known to be down, it is left alone.
  const known = [...codes, 'provider_circuit_open']
  lost.push(...came.filter((code) => !known.includes(code)).map((code) => `it was called ${code}`))
  const entries = await failuresOf(serving, name)
  if (entries !== requests) lost.push(`${requests - entries} requests have no entry`)
  return { fault, what: `${name} (aws)`, injected: requests, lost, told: tally(came) }
}

async function ask(client: Client, service: string): Promise<string> {
  try {
    const wanted = { service, action: 'list-buckets', resource: 'bucket-123' }
    return (await client.request(wanted, { waitSeconds })).kind
  } catch (thrown) {
    return thrown instanceof SallyportError ? thrown.code : String(thrown)
  }
}

async function failuresOf(serving: Serving, provider: string): Promise<number> {
  const client = serving.client('ops')
  let found = 0
  let from = 0
  for (;;) {
    const page = await client.entries({ from, count: 256 })
    for (const entry of page.entries)
      if (entry['event'] === 'credential_failed' && entry['provider'] === provider) found += 1
    if (page.next === from) break
    from = page.next
  }
  client.close()
  return found
}

function tally(words: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ')
}

const lostAnswers = { short: 100, long: 2_000 } as const
const unreachable = new Failure('provider_unreachable', 'The connection dropped.')
const steps: readonly FakeStep[] = [
  { kind: 'drop', failure: unreachable },
  { kind: 'drop', failure: new Failure('provider_timeout', 'The answer was lost.') },
  { kind: 'drop', failure: new Failure('provider_answer_invalid', 'The answer was cut.') },
  { kind: 'drop-and-hang' },
]

/** It mints, and nobody gets the answer: what was minted dies within one turn, whatever the retries did. */
async function losingAnswers({ length, progress }: FaultOptions): Promise<Row> {
  const site = await makeSite(apiContract('fake'))
  const fake = createFakeProvider({ clock: systemClock })
  const acknowledged = nobodyTold()
  const came: string[] = []
  const lost: string[] = []
  let enqueued = 0
  try {
    while (fake.mints < lostAnswers[length]) {
      progress(`answers lost: ${fake.mints}`)
      // Each round is a new process in miniature: its breaker has not seen the failures of the round before.
      const world = await inThisProcess(site, (inner) => inner, fake)
      const missing = stepsPerRound - (enqueued - Math.min(enqueued, fake.mints))
      fake.enqueue({ mint: Array.from({ length: missing }, anyStep) })
      enqueued += missing
      came.push(...(await Promise.all([world.issue(acknowledged), world.issue(acknowledged)])))
      await world.assembled.broker.reconcile({ requestId, sweep: true })
      lost.push(...(await checkAftermath(world.assembled, acknowledged, world.standing)))
      await world.assembled.close()
    }
  } finally {
    await site.close()
  }
  const injected = Math.min(enqueued, fake.mints)
  return { fault, what: 'mints, and the answer is lost', injected, lost, told: tally(came) }
}

/** Fewer than two requests try in a row, so that some of them are issued in the end. */
const stepsPerRound = 4

function anyStep(): FakeStep {
  return steps[Math.floor(Math.random() * steps.length)] ?? { kind: 'work' }
}

const rounds = { short: 5, long: 15 } as const
const measureMs = 1_500
const healthyCallers = 4
const deadCallers = 8
/** What a caller of a dead provider rests before it asks again; far less than the `Retry-After` that it is told. */
const deadPauseMs = 500
/** Of its throughput alone, that a healthy provider keeps beside a dead one. A short run on a busy machine says too little to be that strict. */
const keptMin = { short: 0.5, long: 0.9 } as const

/** Throughput of a healthy provider alone and beside a dead one, in interleaved rounds; the median of the ratios counts. */
async function besideDead({ length, progress }: FaultOptions): Promise<Row> {
  const dead = await listen(() => undefined)
  const site = await makeSite(awsContract([['slow', dead.url]]))
  try {
    const environment = { AWS_ID: 'AKIAEXAMPLE', AWS_KEY: 'none' }
    const rates = ['--agent-rate', '100000', '--tenant-rate', '100000']
    const serving = await site.serve({ environment, words: rates })
    await throughput(serving, 0)
    const ratios: number[] = []
    for (let round = 0; round < rounds[length]; round += 1) {
      progress(`round ${round + 1} of ${rounds[length]}`)
      const alone = [await throughput(serving, 0)]
      const beside = [await throughput(serving, deadCallers), await throughput(serving, deadCallers)]
      alone.push(await throughput(serving, 0))
      ratios.push(sum(beside) / sum(alone))
    }
    const kept = ratios.toSorted((left, right) => left - right)[ratios.length >> 1] ?? 0
    const lost = kept >= keptMin[length] ? [] : [`a healthy provider keeps only ${kept.toFixed(2)}`]
    const told = `a healthy provider keeps ${kept.toFixed(2)} of its throughput`
    return { fault, what: 'dead, beside a healthy one', injected: rounds[length] * 2, lost, told }
  } finally {
    await site.close()
    dead.close()
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Issuances of the healthy provider in a while, with so many callers of the dead one beside. */
async function throughput(serving: Serving, besides: number): Promise<number> {
  const end = performance.now() + measureMs
  let issued = 0
  const healthy = async () => {
    const client = serving.client('agent-7')
    while (performance.now() < end) {
      await client.request({ service: 'healthy', action: 'list-buckets', resource: 'bucket-123' })
      issued += 1
    }
    client.close()
  }
  const dying = async () => {
    const client = serving.client('agent-8')
    while (performance.now() < end) {
      await ask(client, 'slow')
      await pause(deadPauseMs)
    }
    client.close()
  }
  const dead = Array.from({ length: besides }, dying)
  await Promise.all(Array.from({ length: healthyCallers }, healthy))
  await Promise.all(dead)
  return issued
}

async function listen(answer: RequestListener) {
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
function awsContract(endpoints: readonly (readonly [name: string, url: string])[]): string {
  const aws = ([name, url]: readonly [string, string]) => `${name}:
  kind: aws
  config:
    region: us-east-1
    role: arn:aws:iam::000000000000:role/agents
    endpoint: ${url}
    iamEndpoint: ${url}
    s3Endpoint: ${url}
    credentials: { accessKeyId: { env: AWS_ID }, secretAccessKey: { env: AWS_KEY } }`
  const service = (name: string, means: string) => `${name}:
  provider: ${name}
  actions:
    list-buckets: { resource: "{bucket}", means: ${means} }`
  const grant = (name: string) => `- id: acme-lists-${name}
  tenant: acme
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
    grants: [...names, 'healthy'].map(grant).join('\n'),
  })
}
