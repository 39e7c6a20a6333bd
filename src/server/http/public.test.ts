import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { z } from 'zod'
import { seedRequest, startRunning } from '../../../test/running.ts'
import { type Operation, operations, problem, readiness } from '../../protocol/index.ts'
import { statusOf } from './problem.ts'

const running = await startRunning()
after(() => running.close())
const { machines, people } = running
const planes = ['machine', 'human'] as const
const show = { machine: { machineKey: machines.warden.machineKey }, human: people.paula }

describe('the probes', () => {
  test('/livez says that the process answers, to anybody, whatever else is the matter', async () => {
    running.setStore('broken')
    try {
      for (const plane of planes) {
        const { status, text } = await running[plane]({ path: '/livez' })
        assert.deepEqual([status, text], [200, 'ok\n'])
      }
    } finally {
      running.setStore('whole')
    }
  })

  test('/readyz turns while the log cannot be written, issuing stops, and both come back by themselves', async () => {
    const ready = async () => {
      const { status, json } = await running.machine({ path: '/readyz' })
      return { status, ...z.strictObject(readiness.shape).parse(json) }
    }
    const issue = () =>
      running.machine({ method: 'POST', path: '/v1/credentials', body: seedRequest, as: show.machine })
    assert.deepEqual(await ready(), {
      status: 200,
      ready: true,
      checks: { log: 'ok', 'provider tokens': 'ok', 'provider vault': 'ok' },
    })
    running.setStore('broken')
    const refused = await issue()
    assert.deepEqual([refused.status, refused.json['code']], [503, 'log_unwritable'])
    assert.equal(refused.headers['retry-after'], '5')
    const unready = await ready()
    assert.deepEqual([unready.status, unready.ready], [503, false])
    assert.match(unready.checks['log'] ?? '', /issuing has stopped/)
    running.setStore('whole')
    assert.equal((await ready()).status, 200, 'nothing but the probe was asked since')
    assert.equal((await issue()).status, 201)
  })
})

describe('/metrics', () => {
  const line = /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? (-?[0-9.e+-]+|NaN|\+Inf)$/

  test('is the text exposition format, and no label names anybody or anything', async () => {
    await running.human({ method: 'POST', path: '/v1/credentials', body: seedRequest, as: people.dana })
    await running.human({
      method: 'POST',
      path: '/v1/credentials',
      body: { ...seedRequest, resource: 'x' },
      as: people.dana,
    })
    await running.human({ path: '/v1/leases' })
    const { status, text, headers } = await running.machine({ path: '/metrics' })
    assert.equal(status, 200)
    assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/)
    const labels = new Set<string>()
    const samples = text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))
    for (const sample of samples) {
      const match = line.exec(sample)
      assert.ok(match, sample)
      for (const [, name = ''] of (match[2] ?? '').matchAll(/([a-z_]+)="/g)) labels.add(name)
    }
    assert.ok(samples.length > 30)
    for (const name of ['agent', 'agent_id', 'tenant', 'resource', 'lease', 'subject', 'scope', 'address'])
      assert.ok(!labels.has(name), name)
    for (const word of ['acme', 'dana', 'agent-7', 'bucket-123', 'lse_', running.folder])
      assert.ok(!text.includes(word), word)
    assert.match(text, /^sallyport_credentials_issued_total\{provider="tokens"\} [1-9]/m)
    assert.match(text, /^sallyport_log_writable 1$/m)
    assert.match(text, /operation="issueCredential",plane="human",status="403"/)
  })
})

describe('the description', () => {
  const golden: unknown = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../schemas/openapi.json'), 'utf8'),
  )

  test('is the committed one on both planes', async () => {
    for (const plane of planes)
      assert.deepEqual((await running[plane]({ path: '/openapi.json' })).json, golden)
  })

  test('as a page asks nothing of any other host, and runs nothing', async () => {
    const { status, text, headers } = await running.human({ path: '/docs' })
    assert.equal(status, 200)
    assert.match(String(headers['content-type']), /^text\/html/)
    assert.match(String(headers['content-security-policy']), /^default-src 'none'; style-src 'unsafe-inline'/)
    assert.ok(!/<(?:script|link|img|iframe|object|embed|base|meta http)/i.test(text))
    assert.ok(!/@import|url\(|\son[a-z]+=/i.test(text.replace(/<pre>.*?<\/pre>/gs, '')))
    const references = [...text.matchAll(/(?:href|src|action)="([^"]*)"/g)].map((match) => match[1])
    assert.deepEqual(references, ['/openapi.json'])
    for (const { id } of operations) assert.ok(text.includes(`<section id="${id}">`), id)
  })
})

/** One request for each operation that comes through to its handler. */
function example({ id, method, path }: Operation) {
  const filled = path.replace('{id}', 'lse_none').replace('*', '0/000.p/1')
  const json = { 'content-type': 'application/json' }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const bodies: Readonly<Record<string, object>> = {
    issueCredential: { headers: json, body: JSON.stringify(seedRequest) },
    explain: { headers: json, body: JSON.stringify(seedRequest) },
    revokeLeases: { headers: json, body: '{"agent":"nobody"}' },
    rotate: { headers: json, body: '{"provider":"vault","target":"fake-secret"}' },
    introspect: { headers: form, body: 'token=x' },
    revokeToken: { headers: form, body: 'token=x' },
  }
  const queries: Readonly<Record<string, string>> = {
    proveInclusion: '?index=0',
    proveConsistency: '?from=0&to=1',
  }
  return { method, path: `${filled}${queries[id] ?? ''}`, ...bodies[id] }
}

describe('every operation', () => {
  test('stands on the planes that it names and answers with a status and media type that it declares', async () => {
    let answered = 0
    for (const operation of operations)
      for (const plane of operation.planes) {
        const { status, headers, text } = await running[plane]({ ...example(operation), as: show[plane] })
        const declared = operation.answers[status]
        const what = `${plane} ${operation.id}: ${status} ${text.slice(0, 200)}`
        if (declared) assert.equal(mediaType(headers['content-type']), mediaType(declared.type), what)
        else assert.equal(statusOf[problem.parse(JSON.parse(text)).code], status, what)
        assert.ok(declared || /lease_unknown|no checkpoint/i.test(text), what)
        assert.ok(!text.includes('There is nothing at this path'), what)
        if (declared?.schema && operation.id !== 'openapi') closed(declared.schema).parse(JSON.parse(text))
        assert.equal(headers['x-content-type-options'], 'nosniff', what)
        answered += 1
      }
    console.log(`${answered} operations on their planes`)
  })

  test('that is for identities alone refuses who shows none', async () => {
    for (const operation of operations)
      for (const plane of operation.planes) {
        const { status, json } = await running[plane](example(operation))
        const refused = json['code'] === 'identity_missing'
        assert.equal(refused, operation.access === 'identified', `${operation.id} ${status}`)
      }
  })
})

function mediaType(type: string | undefined): string | undefined {
  return type?.split(';')[0]
}

/** An object's schema that takes no field beyond those it names. */
function closed(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodObject && !schema.def.catchall ? z.strictObject(schema.shape) : schema
}
