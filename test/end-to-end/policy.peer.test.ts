import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../src/testing/free-port.ts'
import { contractText } from './contract.ts'
import { makeSite, root } from './site.ts'

const opa = join(root, process.env['SALLYPORT_PEERS'] ?? '.peers', 'bin/opa')
const skip = existsSync(opa) ? false : `no OPA at ${opa}`

test('an OPA server decides; without it nothing is issued, and when it is back everything is', {
  skip,
  timeout: 90_000,
}, async (context) => {
  const site = await makeSite(contract())
  context.after(() => site.close())
  const data = await site.cli(undefined, ['policy-data', '--contract', site.path('sallyport.yaml')])
  assert.equal(data.code, 0, data.told)
  writeFileSync(site.path('data.json'), data.out)
  const port = await freePort()
  const start = () => startOpa(port, [join(root, 'policies/sallyport.rego'), site.path('data.json')])
  let server = await start()
  context.after(() => stop(server))

  const serving = await site.serve({ words: ['--opa-url', `http://127.0.0.1:${port}`] })
  const agent = serving.client('agent-7')
  const allowed = { service: 'orders-api', action: 'read-order', resource: 'order-7' }
  const issued = await agent.request(allowed)
  assert.ok(issued.kind === 'issued' && issued.grant === 'acme-reads-orders')
  const denied = await agent.request({ ...allowed, resource: 'invoice-7' })
  assert.ok(denied.kind === 'denied' && denied.rule === 'resource')
  assert.match((await agent.explain(allowed)).policy, /^opa-server /)

  await stop(server)
  const sizeBefore = (await serving.client('ops').entries({ from: 0, count: 1 })).size
  const asks = [
    () => agent.request(allowed),
    () => agent.request({ ...allowed, resource: 'x' }),
    () => agent.explain(allowed),
  ]
  for (const ask of asks)
    await assert.rejects(ask, { code: 'policy_unavailable', status: 503, retryable: true })
  const { entries } = await serving.client('warden').entries({ from: sizeBefore, count: 256 })
  const minted = entries.filter(({ event }) => /^credential_/.test(String(event)))
  assert.deepEqual(minted, [], 'nothing was intended, so nothing was minted')
  assert.equal((await agent.leases()).leases.length, 1)

  server = await start()
  assert.equal((await agent.request(allowed)).kind, 'issued')
})

async function startOpa(port: number, files: readonly string[]): Promise<ChildProcess> {
  const address = `127.0.0.1:${port}`
  const words = ['run', '--server', '--addr', address, '--disable-telemetry', '--log-level=error', ...files]
  const child = spawn(opa, words, { stdio: 'ignore' })
  for (let looks = 0; looks < 200 && child.exitCode === null; looks += 1) {
    const answer = await fetch(`http://${address}/health`).catch(() => undefined)
    if (answer?.ok) return child
    await pause(50)
  }
  await stop(child)
  return assert.fail('OPA did not start')
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

function contract(): string {
  return contractText({
    providers:
      'tokens: { kind: jwt, config: { issuer: "https://a.example.test", audience: "https://b.example.test" } }',
    services: `orders-api:
  provider: tokens
  actions:
    read-order: { resource: "{order}", means: { scope: "orders:read" } }`,
    grants: `- id: acme-reads-orders
  tenant: acme
  agents: ["*"]
  service: orders-api
  actions: [read-order]
  resources: ["order-*"]
  modes: [TEST]
  maxDuration: 15m`,
  })
}
