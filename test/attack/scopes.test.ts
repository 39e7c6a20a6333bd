import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { type Running, type Shown, seedRequest, startRunning } from '../running.ts'
import { jsonTricks, wideningRequests } from './widening.ts'

describe('a scope is never widened', { timeout: 120_000 }, () => {
  let running: Running
  let robot: Shown
  before(async () => {
    running = await startRunning()
    robot = { machineKey: running.machines.robot.machineKey }
  })
  after(() => running?.close())
  const ask = (body: unknown, path = '/v1/credentials') => {
    const headers = { 'content-type': 'application/json' }
    return running.machine({ method: 'POST', path, body, as: robot, headers })
  }

  test('by wildcard, dots, case, encoding, unicode, quoting, newline, or a name of JavaScript’s own', async () => {
    const before = running.fake.mints
    const codes = new Map<string, number>()
    for (const body of wideningRequests) {
      const answer = await ask(body)
      const code = String(answer.json['code'])
      assert.ok(['denied', 'request_invalid'].includes(code), `${JSON.stringify(body)}: ${answer.text}`)
      assert.equal('credential' in answer.json, false)
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    assert.equal(running.fake.mints, before, 'nothing was minted')
    assert.equal((await ask({ service: 'vault', action: 'read', resource: 'globex/x' })).status, 201)
    console.log(`${wideningRequests.length} widening requests: ${JSON.stringify(Object.fromEntries(codes))}`)
  })

  test('by JSON that two readers would read in two ways', async () => {
    const before = running.fake.mints
    for (const text of jsonTricks) {
      const answer = await ask(text)
      assert.deepEqual(
        [answer.status, answer.json['code']],
        [400, 'request_invalid'],
        `${text.slice(0, 80)}: ${answer.text}`,
      )
    }
    assert.equal(running.fake.mints, before)
    assert.equal(Object.hasOwn(Object.prototype, 'tenant') || Object.hasOwn(Object.prototype, 'roles'), false)
    console.log(`${jsonTricks.length} tricks of JSON, each refused`)
  })

  test('each of them is an entry, and a resource in it is text and nothing else', async () => {
    const before = (await running.entries()).length
    for (const body of wideningRequests) await ask(body)
    const entries = (await running.entries()).slice(before)
    assert.equal(entries.length, wideningRequests.length)
    assert.ok(
      entries.every(
        ({ event, agent_id, tenant }) =>
          /^request_(denied|refused)$/.test(event) && agent_id === 'robot' && tenant === 'globex',
      ),
    )
    const lines: Buffer[] = []
    for await (const chunk of running.broker.assembled.log.export()) lines.push(Buffer.from(chunk))
    const exported = Buffer.concat(lines).toString('utf8').trimEnd().split('\n')
    const own = exported.filter((line) => line.startsWith('{"v":1,"index":'))
    assert.equal(own.length, running.broker.assembled.log.size(), 'an entry is one line')
  })

  test('whatever text is asked for, what is issued is that text, within the grant', async () => {
    const alphabet = fc.constantFrom(
      ...'gloexacm/.%2e*?{}[]\\ \u0000\n\u202e．／'.split(''),
      'globex/',
      'acme/',
      '../',
      '%2e%2e/',
    )
    const text = fc.oneof(
      fc.array(alphabet, { maxLength: 20 }).map((parts) => parts.join('')),
      fc.array(alphabet, { maxLength: 12 }).map((parts) => `globex/${parts.join('')}`),
    )
    let issued = 0
    const property = fc.asyncProperty(text, async (resource) => {
      const answer = await ask({ service: 'vault', action: 'read', resource })
      if (answer.status !== 201) return
      issued += 1
      const order = running.fake.orders.at(-1)
      assert.equal(order?.resource, resource)
      assert.match(resource, /^globex\/(?:[A-Za-z0-9._@:+=/,~-]*)[A-Za-z0-9._@+=~-]$/)
      assert.ok(!resource.split('/').some((part) => part === '..' || part === '.'))
      assert.deepEqual(Object(answer.json['effective']).resources, [resource])
    })
    const numRuns = 1_000
    await fc.assert(property, { numRuns })
    assert.ok(issued > 10, `${issued} were issued`)
    console.log(`${numRuns} random resources, ${issued} issued, none outside globex/`)
  })

  test('a denial says nothing of grants that the asker does not hold', async () => {
    for (const resource of ['acme/secret', 'globexx/x', '*']) {
      const { text } = await ask({ service: 'vault', action: 'read', resource }, '/v1/explain')
      assert.doesNotMatch(text.replaceAll(resource, ''), /acme/)
    }
    const denied = await ask({ ...seedRequest, resource: 'not-a-bucket' })
    assert.doesNotMatch(denied.text, /acme/)
  })
})
