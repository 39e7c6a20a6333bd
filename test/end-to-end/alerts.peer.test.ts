import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { json } from 'node:stream/consumers'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { SallyportError } from '../../client/src/index.ts'
import { type Alertmanager, type ShownAlert, startAlertmanager } from '../../src/testing/alertmanager.ts'
import { contractText } from './contract.ts'
import { makeSite, type Serving, type Site } from './site.ts'

const alertName = 'Credential Minting Failure'
/** Seed 004 §6: the first try, and at most three more. */
const triesMax = 4
/** Failures in a row after which a provider is left alone. */
const failuresBeforeRest = 5

describe('a provider that is down', { timeout: 120_000 }, () => {
  let world: World | { readonly skip: string }
  before(async () => {
    world = await startWorld()
  })
  after(async () => {
    if (!('skip' in world)) await world.close()
  })
  const ready = (context: TestContext): World | undefined => {
    if (!('skip' in world)) return world
    context.skip(world.skip)
    return undefined
  }

  test('is tried four times within the deadline, and then everything is closed, recorded and told', async (context) => {
    const here = ready(context)
    if (!here) return
    const began = Date.now()
    const failure = await here.refusal('dead')
    assert.deepEqual(
      [failure.status, failure.code, failure.retryable],
      [503, 'credential_minting_failure', true],
    )
    assert.ok(Date.now() - began < 15_000, 'before the deadline of a caller that names none')
    const [entry] = await here.failures('dead')
    const detail = Object(entry?.['detail'])
    assert.ok(detail.attempts >= 1 && detail.attempts <= triesMax, `${detail.attempts} attempts`)
    assert.equal(entry?.['lease_id'] === null, false)
    const shown = await arrival(here.alertmanager.alerts, 'dead')
    assert.deepEqual(
      [shown.labels['severity'], shown.labels['tenant'], shown.labels['service'], shown.labels['mode']],
      ['critical', 'acme', 'dead', 'TEST'],
    )
    const posted = await arrival(async () => here.posted, 'dead')
    assert.equal(posted.labels['alertname'], alertName)
    const { leases } = await here.serving.client('agent-7').leases()
    assert.ok(
      leases.every((lease) => lease.state !== 'live'),
      'nothing was issued',
    )
  })

  test('is not hammered: after five failures in a row the next request is refused without a call', async (context) => {
    const here = ready(context)
    if (!here) return
    assert.equal((await here.refusal('dropping')).code, 'credential_minting_failure')
    await here.refusal('dropping')
    const refused = await here.refusal('dropping')
    assert.deepEqual([refused.status, refused.code], [503, 'provider_circuit_open'])
    assert.match(refused.next ?? '', /try again in [0-9]+ s/)
    const failures = await here.failures('dropping')
    const tries = failures.map(({ detail }) => Object(detail).attempts)
    // The second request meets the fifth failure in a row, and from then on nobody is called.
    assert.deepEqual([tries.length, tries[0], tries[2]], [3, triesMax, 1])
    assert.ok(triesMax + tries[1] <= failuresBeforeRest + 1, `${tries}`)
    assert.equal(Object(failures[2]?.['detail']).uncertain, false, 'it was not asked, so it has nothing')
    assert.ok(here.connections() > 0)
  })

  test('costs a healthy provider nothing', async (context) => {
    const here = ready(context)
    if (!here) return
    const answer = await here.serving.client('agent-7').request({ ...wanted, service: 'healthy' })
    assert.equal(answer.kind, 'issued')
  })

  test('stays within the deadline that the caller names', async (context) => {
    const here = ready(context)
    if (!here) return
    const began = Date.now()
    await assert.rejects(
      here.serving.client('agent-7').request({ ...wanted, service: 'silent' }, { waitSeconds: 1 }),
      SallyportError,
    )
    assert.ok(Date.now() - began < 5_000, 'one second, and what it takes to say so')
  })
})

const wanted = { service: 'dead', action: 'read-table', resource: 'public.orders' }

type World = {
  readonly site: Site
  readonly serving: Serving
  readonly alertmanager: Alertmanager
  readonly posted: readonly ShownAlert[]
  /** How often the provider that drops its connections was called. */
  readonly connections: () => number
  refusal(service: string): Promise<SallyportError>
  failures(provider: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  close(): Promise<void>
}

async function startWorld(): Promise<World | { readonly skip: string }> {
  const webhook = await listenForAlerts()
  const alertmanager = await startAlertmanager({ receiverUrl: 'http://127.0.0.1:9/' })
  if ('skip' in alertmanager) {
    webhook.close()
    return alertmanager
  }
  let connections = 0
  const dropping = await listen((server) =>
    server.on('connection', (socket) => {
      connections += 1
      socket.destroy()
    }),
  )
  const silent = await listen(() => undefined)
  const closed = await listen(() => undefined)
  await closed.close()
  const site = await makeSite(contract([alertmanager.url, webhook.url]))
  const environment = { DEAD_URL: closed.url, DROPPING_URL: dropping.url, SILENT_URL: silent.url }
  const serving = await site.serve({ environment })
  return {
    site,
    serving,
    alertmanager,
    posted: webhook.alerts,
    connections: () => connections,
    async refusal(service) {
      try {
        await serving.client('agent-7').request({ ...wanted, service })
      } catch (thrown) {
        if (thrown instanceof SallyportError) return thrown
        throw thrown
      }
      return assert.fail('it was issued')
    },
    async failures(provider) {
      const { entries } = await serving.client('ops').entries({ from: 0, count: 256 })
      return entries.filter(
        (entry) => entry['event'] === 'credential_failed' && entry['provider'] === provider,
      )
    },
    async close() {
      await site.close()
      await alertmanager.stop()
      await Promise.all([dropping.close(), silent.close()])
      webhook.close()
    },
  }
}

async function listen(prepare: (server: Server) => void) {
  const server = createServer()
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket.on('error', () => undefined))
  })
  prepare(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return {
    url: `postgres://sallyport:secret@127.0.0.1:${address.port}/orders`,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      if (server.listening) await once(server.close(), 'close')
    },
  }
}

/** What a webhook receiver of the user's own would get. */
async function listenForAlerts() {
  const alerts: ShownAlert[] = []
  const server = createHttpServer(async (request, response) => {
    const { name, severity, labels, summary } = Object(await json(request))
    alerts.push({ labels: { ...labels, alertname: name, severity }, annotations: { summary } })
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${address.port}/alerts`, alerts, close }
}

async function arrival(look: () => Promise<readonly ShownAlert[]>, provider: string): Promise<ShownAlert> {
  for (let looks = 0; looks < 100; looks += 1) {
    const found = (await look()).find(
      ({ labels }) => labels['alertname'] === alertName && labels['provider'] === provider,
    )
    if (found) return found
    await pause(100)
  }
  return assert.fail('the alert did not arrive')
}

function contract([alertmanager, webhook]: readonly [string, string]): string {
  const names = ['dead', 'dropping', 'silent']
  const provider = (name: string) =>
    `${name}: { kind: postgres, config: { url: { env: ${name.toUpperCase()}_URL } } }`
  const service = (name: string) => `${name}:
  provider: ${name}
  actions:
    read-table:
      resource: "{schema}.{table}"
      means: ${name === 'healthy' ? '{ scope: "orders:read" }' : '{ privilege: SELECT, schema: "{schema}", table: "{table}" }'}`
  const grant = (name: string) => `- id: acme-reads-${name}
  tenant: acme
  agents: [agent-7]
  service: ${name}
  actions: [read-table]
  resources: [public.orders]
  modes: [TEST]
  maxDuration: 15m`
  const jwt =
    'healthy: { kind: jwt, config: { issuer: "https://a.example.test", audience: "https://b.example.test" } }'
  return contractText({
    providers: [...names.map(provider), jwt].join('\n'),
    services: [...names, 'healthy'].map(service).join('\n'),
    grants: [...names, 'healthy'].map(grant).join('\n'),
    alerts: `- alertmanager: ${alertmanager}\n- webhook: ${webhook}`,
  })
}
