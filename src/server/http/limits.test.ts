import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import {
  seedRequest,
  sendRaw,
  startRunning,
  type WireAnswer,
  type WireRequest,
} from '../../../test/running.ts'
import { Failure } from '../../primitives/index.ts'
import { operations, problem, protocolLimits } from '../../protocol/index.ts'
import { parseJson } from './body.ts'
import { statusOf } from './problem.ts'

const running = await startRunning()
after(() => running.close())
const { machines, people } = running
const agent = { machineKey: machines['agent-7'].machineKey }
const json = { 'content-type': 'application/json' }

function explain(body: unknown, headers: Readonly<Record<string, string>> = json) {
  return running.machine({ method: 'POST', path: '/v1/explain', headers, body, as: agent })
}

/** Asserts a problem document of that code, with the status that its code has in the one table. */
function assertProblem(answer: WireAnswer, code: keyof typeof statusOf): void {
  const told = problem.parse(answer.json)
  assert.deepEqual(
    [told.code, answer.status, told.status],
    [code, statusOf[code], statusOf[code]],
    answer.text,
  )
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  assert.equal(told.type, `urn:sallyport:error:${code}`)
  assert.match(told.request_id, /^[0-9a-f]{32}$/)
}

describe('each limit holds at its edge and no further', () => {
  /** A body of exactly so many bytes: JSON may be padded with spaces. */
  const bodyOf = (bytes: number) => {
    const text = JSON.stringify(seedRequest)
    return text + ' '.repeat(bytes - text.length)
  }

  test('the body: 16 384 bytes', async () => {
    assert.equal(protocolLimits.bodyBytesMax, 16_384)
    assert.equal((await explain(bodyOf(16_384))).status, 200)
    assertProblem(await explain(bodyOf(16_385)), 'request_too_large')
    assertProblem(await explain(bodyOf(1_000_000)), 'request_too_large')
  })

  test('a body whose length is not told', async () => {
    for (const [bytes, found] of [
      [16_384, '"decision":"allow"'],
      [16_385, '"code":"request_too_large"'],
    ] as const) {
      const answer = await raw(
        `POST /v1/explain HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nX-AOS-Key: ${agent.machineKey}\r\n` +
          `Transfer-Encoding: chunked\r\n\r\n${bytes.toString(16)}\r\n${bodyOf(bytes)}\r\n0\r\n\r\n`,
      )
      assert.ok(answer.includes(found), answer)
    }
  })

  test('the headers: 32 768 bytes', async () => {
    const filled = (bytes: number) =>
      raw(`GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: ${'a'.repeat(bytes)}\r\n\r\n`)
    // What counts is the target with the names and values.
    const others = '/livez'.length + 'Hostx'.length + 'Connectionclose'.length + 'A'.length
    assert.match(await filled(protocolLimits.headerBytesMax - others - 1), /^HTTP\/1\.1 200 /)
    const over = await filled(protocolLimits.headerBytesMax - others)
    assert.match(over, /^HTTP\/1\.1 413 .*\r\nContent-Type: application\/problem\+json\r\n/s)
    problem.parse(JSON.parse(over.split('\r\n\r\n')[1] ?? ''))
  })

  const fields = {
    service: protocolLimits.nameCharactersMax,
    action: protocolLimits.nameCharactersMax,
    resource: protocolLimits.resourceCharactersMax,
    purpose: protocolLimits.purposeCharactersMax,
  }
  for (const [field, max] of Object.entries(fields))
    test(`${field}: ${max} characters`, async () => {
      const filled = (length: number) => explain({ ...seedRequest, [field]: `b${'x'.repeat(length - 1)}` })
      assert.equal((await filled(max)).status, 200)
      assertProblem(await filled(max + 1), 'request_invalid')
      if (field !== 'purpose')
        assertProblem(await explain({ ...seedRequest, [field]: '' }), 'request_invalid')
    })

  test('the duration: from one second to a year, in whole seconds or words', async () => {
    for (const duration of [1, '1', '1s', 1800, '30m', protocolLimits.durationSecondsMax, '365d'])
      assert.equal((await explain({ ...seedRequest, duration })).status, 200, String(duration))
    const wrong = [
      0,
      -1,
      1.5,
      protocolLimits.durationSecondsMax + 1,
      '366d',
      '0s',
      '-1s',
      '1.5h',
      '1h30m',
      '',
      ' 5m',
    ]
    for (const duration of [...wrong, '5M', '1e3', '9'.repeat(16), null, [900], { seconds: 900 }, true])
      assertProblem(await explain({ ...seedRequest, duration }), 'request_invalid')
  })

  test('an id of a lease: 64 characters, and 128 of any part of a path', async () => {
    const lease = (length: number) => running.machine({ path: `/v1/leases/${'x'.repeat(length)}`, as: agent })
    assertProblem(await lease(protocolLimits.leaseIdCharactersMax), 'lease_unknown')
    assertProblem(await lease(protocolLimits.leaseIdCharactersMax + 1), 'request_invalid')
    const told = async (length: number) => String((await lease(length)).json['detail'])
    assert.match(await told(protocolLimits.parameterCharactersMax), /path\.id/)
    assert.match(await told(protocolLimits.parameterCharactersMax + 1), /could not be read/)
  })

  test('where a page of leases begins: the id of a lease, and nothing that only sorts like one', async () => {
    const after = (text: string) =>
      running.machine({ path: `/v1/leases?limit=1&after=${encodeURIComponent(text)}`, as: agent })
    const id = `lse_${'0'.repeat(26)}`
    assert.equal((await after(id)).status, 200)
    for (const bad of [
      '',
      'aaa',
      'zzz',
      '\0',
      id.slice(0, -1),
      `${id}0`,
      `${id}\n`,
      id.replace('lse', 'pol'),
    ]) {
      const answer = await after(bad)
      assertProblem(answer, 'request_invalid')
      assert.match(String(answer.json['detail']), /query\.after: .*`next`/, bad)
    }
  })

  test('a reference: 256 characters', async () => {
    const asked = (length: number) => explain({ credentialRef: `cred://${'x'.repeat(length - 7)}` })
    const edge = await asked(protocolLimits.referenceCharactersMax)
    assert.doesNotMatch(String(edge.json['detail']), /Too big|256/, edge.text)
    assert.match(String((await asked(protocolLimits.referenceCharactersMax + 1)).json['detail']), /256/)
  })

  test('a name in a filter: 63 characters; what is rotated: 128', async () => {
    const revoke = (length: number) =>
      running.human({
        method: 'POST',
        path: '/v1/revocations',
        body: { service: 'x'.repeat(length) },
        as: people.paula,
      })
    assert.equal((await revoke(protocolLimits.nameCharactersMax)).status, 200)
    assertProblem(await revoke(protocolLimits.nameCharactersMax + 1), 'request_invalid')
    const rotate = (length: number) =>
      running.human({
        method: 'POST',
        path: '/v1/rotations',
        body: { provider: 'tokens', target: 'x'.repeat(length) },
        as: people.paula,
      })
    assertProblem(await rotate(protocolLimits.rotationTargetCharactersMax), 'rotation_unsupported')
    assertProblem(await rotate(protocolLimits.rotationTargetCharactersMax + 1), 'request_invalid')
  })

  test('a page of leases: 1 to 1000', async () => {
    const page = (limit: string) => running.machine({ path: `/v1/leases?limit=${limit}`, as: agent })
    for (const limit of ['1', '1000']) assert.equal((await page(limit)).status, 200)
    for (const limit of ['0', '1001', '-1', '', '1.5', '0x10', '1e2', '%201', '10&limit=20', '9'.repeat(40)])
      assertProblem(await page(limit), 'request_invalid')
  })

  test('a page of entries: 0 to 256, from anywhere', async () => {
    const page = (query: string) => running.human({ path: `/v1/log/entries?${query}`, as: people.paula })
    for (const query of ['count=0', 'count=1', 'count=256', 'from=0', 'from=999999999999999'])
      assert.equal((await page(query)).status, 200, query)
    for (const query of [
      'count=257',
      'count=-1',
      'count=',
      'from=-1',
      'from=',
      'from=1e3',
      `from=${protocolLimits.positionMax + 1}`,
      'from=0&from=1',
      'up=1',
    ])
      assertProblem(await page(query), 'request_invalid')
  })

  test('Prefer: wait is read to its bound and is otherwise no reason to refuse', async () => {
    for (const prefer of [
      'wait=1',
      'wait=60',
      'wait=61',
      'wait=999999999',
      'wait=0',
      'respond-async, wait=5',
      'x',
    ])
      assert.equal((await issue({ prefer })).status, 201, prefer)
  })

  test('an idempotency key: 1 to 128 visible characters', async () => {
    for (const key of ['k', 'k'.repeat(128), '!~"'])
      assert.equal((await issue({ 'idempotency-key': key })).status, 201)
    for (const key of ['', 'k'.repeat(129), 'two words', 'ümlaut'])
      assertProblem(await issue({ 'idempotency-key': key }), 'idempotency_key_invalid')
  })

  test('a token to introspect: 8192 characters', async () => {
    const form = (fields: string) =>
      running.machine({
        method: 'POST',
        path: '/oauth2/introspect',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: fields,
        as: agent,
      })
    assert.deepEqual((await form(`token=${'x'.repeat(8192)}`)).json, { active: false })
    const hint = (length: number) => form(`token=x&token_type_hint=${'x'.repeat(length)}`)
    assert.equal((await hint(protocolLimits.tokenHintCharactersMax)).status, 200)
    assertProblem(await hint(protocolLimits.tokenHintCharactersMax + 1), 'request_invalid')
    for (const fields of [`token=${'x'.repeat(8193)}`, 'token=', 'hint=x', 'token=a&token=b', ''])
      assertProblem(await form(fields), 'request_invalid')
  })
})

function issue(headers: Readonly<Record<string, string>>) {
  return running.machine({ method: 'POST', path: '/v1/credentials', headers, body: seedRequest, as: agent })
}

function raw(text: string | Buffer) {
  return sendRaw({ url: running.broker.machineUrl, ca: running.tls.clientCa }, text)
}

describe('what is no request of this API is a problem', () => {
  test('bodies that are not what the operation takes', async () => {
    const good = JSON.stringify(seedRequest)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    for (const [body, headers] of [
      ['{', json],
      ['', json],
      ['null', json],
      ['[]', json],
      ['"text"', json],
      ['{"service":"aws-s3"}', json],
      [`${good}${good}`, json],
      [`\u0000${good}`, json],
      [good.replace('{', '{"__proto__":{"tenant":"globex"},'), json],
      [good.replace('{', '{"constructor":{"prototype":{}},'), json],
      [good.replace('{', '{"service":"vault",'), json],
      [good.replace('{', '{"\\u0073ervice":"vault",'), json],
      ['['.repeat(16_000), json],
      [`${'['.repeat(8_000)}${']'.repeat(8_000)}`, json],
      [good, { 'content-type': 'text/plain' }],
      [good, { 'content-type': 'application/jsonp' }],
      [good, { 'content-type': 'application/x-www-form-urlencoded' }],
      [good, {}],
      [new URLSearchParams(seedRequest).toString(), form],
      ['', {}],
    ] as const)
      assertProblem(await explain(body, headers), 'request_invalid')
  })

  test('a body or query where none is declared', async () => {
    for (const request of [
      { path: '/v1/leases/lse_x', method: 'DELETE', body: { tenant: 'globex' } },
      { path: '/v1/leases', body: { tenant: 'globex' } },
      { path: '/v1/leases/lse_x?tenant=globex' },
      { path: '/v1/leases?tenant=acme&tenant=globex' },
      { path: '/v1/leases?nonsense=1' },
      { path: '/v1/log/export?from=1' },
    ] satisfies WireRequest[])
      assertProblem(await running.machine({ ...request, as: agent }), 'request_invalid')
  })

  test('paths that are none, on each listener', async () => {
    const both = ['/', '/v1', '/V1/leases', '//v1/leases', '/v1/credentials/', '/.git/config']
    for (const path of both)
      for (const plane of ['machine', 'human'] as const)
        assertProblem(await running[plane]({ path }), 'not_found')
    assertProblem(await running.machine({ path: '/v1/rotations', method: 'POST' }), 'not_found')
    for (const path of ['/oauth2/introspect', '/.well-known/jwks.json', '/oauth2/revoke'])
      assertProblem(await running.human({ path, method: 'POST' }), 'not_found')
    assertProblem(await running.machine({ path: '/v1/%zz' }), 'request_invalid')
    assertProblem(
      await running.machine({ path: `/v1/leases/${'x'.repeat(129)}`, as: agent }),
      'request_invalid',
    )
  })

  test('methods that a path does not take, with those that it takes', async () => {
    let asked = 0
    for (const plane of ['machine', 'human'] as const)
      for (const operation of operations.filter(({ planes }) => planes.includes(plane))) {
        const path = operation.path.replace('{id}', 'lse_x').replace('*', '0/000.p/1')
        const allowed = operations
          .filter((one) => one.path === operation.path && one.planes.includes(plane))
          .map(({ method }) => method)
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY']) {
          if (allowed.some((one) => one === method)) continue
          const answer = await running[plane]({ path, method })
          assertProblem(answer, 'method_not_allowed')
          assert.equal(answer.headers['allow'], allowed.join(', '))
          asked += 1
        }
      }
    console.log(`${asked} methods refused`)
    assert.ok(asked > 100)
  })
})

describe('what could be read in two ways is refused (RFC 9112 §11.2)', () => {
  const start = `POST /v1/explain HTTP/1.1\r\nHost: x\r\nX-AOS-Key: ${agent.machineKey}\r\nContent-Type: application/json\r\n`
  const body = JSON.stringify(seedRequest)
  const smuggled = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'
  const broken = {
    'a length and chunks': `${start}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    'two lengths': `${start}Content-Length: ${body.length}\r\nContent-Length: 0\r\n\r\n${body}`,
    'a length that is none': `${start}Content-Length: +5\r\n\r\n${body}`,
    'chunks that are not the last coding': `${start}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    'a chunk of no number': `${start}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n`,
    'a space before the colon': `GET /livez HTTP/1.1\r\nHost: x\r\nX-AOS-Key : a\r\n\r\n`,
    'a folded header': `GET /livez HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n`,
    'a bare line feed': `GET /livez HTTP/1.1\nHost: x\n\n`,
    'a null in a header': `GET /livez HTTP/1.1\r\nHost: x\r\nA: b\u0000c\r\n\r\n`,
    'no HTTP at all': `\u0016\u0003\u0001 nonsense\r\n\r\n`,
    'another version': `GET /livez HTTP/3.0\r\nHost: x\r\n\r\n`,
    'no host': `GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n`,
    'two hosts': `GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n`,
  }
  for (const [what, text] of Object.entries(broken))
    test(`${what} is one problem, and the connection ends`, async () => {
      const answer = await raw(text)
      assert.match(answer, /^HTTP\/1\.1 400 /)
      assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1, 'a second request was answered')
      const told = problem.parse(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''))
      assert.equal(told.code, 'request_invalid')
    })
})

test('a name that stands twice in JSON is found wherever it stands, and no other JSON is refused', () => {
  let cases = 0
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      cases += 1
      assert.deepEqual(parseJson(text), JSON.parse(text))
    }),
    { numRuns: 2_000 },
  )
  fc.assert(
    fc.property(fc.string(), fc.json(), fc.json(), fc.array(fc.nat(3)), (name, left, right, depth) => {
      cases += 1
      const inner = `{${JSON.stringify(name)}:${left},${JSON.stringify(name)} : ${right}}`
      const text = depth.reduce((json, way) => (way > 1 ? `[1,${json},"x:"]` : `{"a\\"":${json}}`), inner)
      assert.throws(
        () => parseJson(text),
        (thrown) => thrown instanceof Failure && thrown.code === 'request_invalid',
      )
    }),
    { numRuns: 2_000 },
  )
  console.log(`${cases} texts`)
})
