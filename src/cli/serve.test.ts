import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createMachineKey, systemRandom } from '../catalog/index.ts'
import { devContract } from './dev-contract.ts'
import { startProgram } from './program.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-serve-'))
after(() => rmSync(folder, { recursive: true }))

const { key, digest } = createMachineKey(systemRandom)
const contract = join(folder, 'sallyport.yaml')
const none = 'http://127.0.0.1:9'
writeFileSync(contract, devContract({ issuer: none, machineUrl: none, machineKeyDigest: digest }))

test('SIGTERM finishes what is under way and ends with 0; the notes are JSON without a secret, and the metrics those of the page', async () => {
  const opa = await startPolicyServer()
  const program = startProgram(
    [
      ...['serve', '--json', '--contract', contract, '--data', join(folder, 'data'), '--opa-url', opa.url],
      ...['--machine', '127.0.0.1:0', '--human', '127.0.0.1:0'],
    ],
    { SALLYPORT_MODE: 'local' },
  )
  await program.shows('"machine"')
  const { machine }: { machine: string } = JSON.parse(program.out())
  const ask = () =>
    fetch(`${machine}/v1/credentials`, {
      method: 'POST',
      headers: { 'X-AOS-Key': key.reveal(), 'content-type': 'application/json' },
      body: JSON.stringify({ service: 'orders-api', action: 'read-order', resource: 'order-7' }),
    })

  const metrics = await (await fetch(`${machine}/metrics`)).text()
  const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')
  const named = [...page.matchAll(/`((?:sallyport|http_server)_[a-z_]+)`/g)].map((match) => match[1] ?? '')
  assert.deepEqual(
    named.filter((name) => !metrics.includes(`# HELP ${name} `)),
    [],
  )
  assert.ok(named.length > 5)

  const failing = ask()
  ;(await opa.asked()).writeHead(500).end()
  assert.equal((await failing).status, 503)

  const answer = ask()
  const decision = await opa.asked()
  program.process.kill('SIGTERM')
  await program.shows('stopping on SIGTERM')
  decision.writeHead(200, { 'content-type': 'application/json' })
  decision.end(JSON.stringify({ result: { allow: true, grant: 'agent-7-reads-orders' } }))
  const issued: { credential: { access_token: string } } = JSON.parse(await (await answer).text())
  assert.equal((await answer).status, 201)
  assert.equal(await program.ended, 0)
  await assert.rejects(ask())

  const lines = program.err().trim().split('\n')
  assert.deepEqual(
    lines.map((line) => Object.keys(JSON.parse(line)).slice(0, 2)),
    lines.map(() => ['time', 'level']),
  )
  assert.ok(lines.some((line) => line.includes('policy_unavailable')))
  for (const secret of [key.reveal(), issued.credential.access_token])
    assert.ok(!`${program.out()}${program.err()}`.includes(secret))
  opa.close()
})

/** A policy server on which each question waits for its answer. */
async function startPolicyServer() {
  const waiting: ServerResponse[] = []
  const server = createServer((request, response) => {
    request.resume()
    waiting.push(response)
    server.emit('asked')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    async asked() {
      if (waiting.length === 0) await once(server, 'asked')
      const response = waiting.shift()
      assert.ok(response)
      return response
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
