import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Entry } from '../../src/audit/index.ts'
import { operations } from '../../src/protocol/index.ts'
import { type Running, type Shown, seedRequest, sendRaw, startRunning } from '../running.ts'

const body = JSON.stringify(seedRequest)
const crlf = (lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`

describe('the wire takes nothing that two readers would read in two ways', { timeout: 120_000 }, () => {
  let running: Running
  let owner: Shown
  before(async () => {
    running = await startRunning()
    owner = { machineKey: running.machines['agent-7'].machineKey }
  })
  after(() => running?.close())

  const raw = (text: string | Buffer) =>
    sendRaw({ url: running.broker.machineUrl, ca: running.authority.own.certPem }, text)
  const key = () => `X-AOS-Key: ${running.machines['agent-7'].machineKey}`
  const smuggled = () =>
    `POST /v1/credentials HTTP/1.1\r\nHost: b\r\n${key()}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`

  test('a request hidden behind another is not read as one of its own', async () => {
    const head = ['POST /v1/explain HTTP/1.1', 'Host: broker', key(), 'Content-Type: application/json']
    const closing = [...head.slice(0, -1), 'Connection: close', 'Content-Type: application/json']
    const old = ['POST /v1/explain HTTP/1.0', ...closing.slice(1)]
    const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
    const length = `Content-Length: ${body.length}`
    const attempts: readonly (readonly [string, string])[] = [
      [
        'two lengths',
        crlf([...head, `Content-Length: ${body.length}`, 'Content-Length: 0']) + body + smuggled(),
      ],
      [
        'the same length twice',
        crlf([...head, `Content-Length: ${body.length}`, `Content-Length: ${body.length}`]) + body,
      ],
      ['a list of lengths', crlf([...head, `Content-Length: ${body.length}, 0`]) + body],
      [
        'length and chunks',
        `${crlf([...head, 'Content-Length: 4', 'Transfer-Encoding: chunked'])}0\r\n\r\n${smuggled()}`,
      ],
      [
        'chunks and length',
        `${crlf([...head, 'Transfer-Encoding: chunked', 'Content-Length: 4'])}0\r\n\r\n${smuggled()}`,
      ],
      ['chunks by another name', crlf([...head, 'Transfer-Encoding: xchunked']) + body],
      ['chunks twice', `${crlf([...head, 'Transfer-Encoding: chunked, chunked'])}0\r\n\r\n${smuggled()}`],
      ['chunks not last', `${crlf([...head, 'Transfer-Encoding: chunked, identity'])}0\r\n\r\n${smuggled()}`],
      ['chunks with a space', `${crlf([...head, 'Transfer-Encoding : chunked'])}0\r\n\r\n${smuggled()}`],
      [
        'a folded header',
        `${crlf([...head, 'Transfer-Encoding:', ' chunked', 'Content-Length: 4'])}0\r\n\r\n${smuggled()}`,
      ],
      ['a signed length', crlf([...head, 'Content-Length: +4']) + body],
      ['a negative length', crlf([...head, 'Content-Length: -1']) + body],
      ['a hexadecimal length', crlf([...head, 'Content-Length: 0x10']) + body],
      ['a huge length', crlf([...head, 'Content-Length: 99999999999999999999']) + body],
      ['a broken chunk size', `${crlf([...head, 'Transfer-Encoding: chunked'])}zz\r\n${body}\r\n0\r\n\r\n`],
      [
        'a chunk size that overflows',
        `${crlf([...head, 'Transfer-Encoding: chunked'])}fffffffffffffffff\r\n${body}\r\n0\r\n\r\n`,
      ],
      ['a bare newline in a header', `${head.join('\n')}\nContent-Length: 0\n\n`],
      ['a bare return in a header', crlf([...head, 'X: a\rContent-Length: 0'])],
      ['a NUL in a header', crlf([...head, 'X: a\u0000b', 'Content-Length: 0'])],
      ['a header without a name', crlf([...head, ': value', 'Content-Length: 0'])],
      [
        'a space before the colon',
        crlf([...head.slice(0, 2), key().replace(':', ' :'), 'Content-Length: 0']),
      ],
      ['no host', crlf(['GET /v1/leases HTTP/1.1', key(), 'Connection: close'])],
      ['two hosts', crlf(['GET /v1/leases HTTP/1.1', 'Host: a', 'Host: b', key(), 'Connection: close'])],
      ['another version', crlf(['GET /v1/leases HTTP/3.0', 'Host: a', key()])],
      ['HTTP/2 without agreement', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['chunks in an old version', `${crlf([...old, 'Transfer-Encoding: chunked'])}${chunked}`],
      ['a coding beside chunks', `${crlf([...closing, 'Transfer-Encoding: gzip, chunked'])}${chunked}`],
      ['a tunnel', `${crlf(['CONNECT broker:443 HTTP/1.1', 'Host: broker:443', key()])}${smuggled()}`],
      ['a tunnel to a path', crlf(['CONNECT /v1/leases HTTP/1.1', 'Host: broker', key()])],
      ['a request line alone', 'GET /v1/leases\r\n\r\n'],
      ['a newline in the target', crlf(['GET /livez\nX: a HTTP/1.1', 'Host: broker'])],
      [
        'a chunk that ends in a bare newline',
        `${crlf([...head, 'Transfer-Encoding: chunked'])}${chunked.replace('\r\n', '\n')}`,
      ],
      [
        'a length behind the chunks',
        `${crlf([...head, 'Transfer-Encoding: chunked'])}${chunked.slice(0, -2)}Content-Length: 4\r\n\r\n${smuggled()}`,
      ],
      [
        'a name of 33 000 characters',
        crlf(['GET /livez HTTP/1.1', 'Host: broker', `${'N'.repeat(33_000)}: x`]),
      ],
      ['a method of 33 000 characters', crlf([`${'G'.repeat(33_000)} /livez HTTP/1.1`, 'Host: broker'])],
      ['two types', `${crlf([...closing, 'Content-Type: text/plain', length])}${body}`],
      ['a packed body', `${crlf([...closing, 'Content-Encoding: gzip', length])}${body}`],
      [
        'another character set',
        `${crlf([...closing.slice(0, -1), 'Content-Type: application/json; a=b; Charset="utf-16"', length])}${body}`,
      ],
      [
        'another character set, written with a coding',
        `${crlf([...closing.slice(0, -1), "Content-Type: application/json; charset*=utf-16''x", length])}${body}`,
      ],
    ]
    const counts = { refused: 0, entries: 0 }
    const mints = running.fake.mints
    const issuedBefore = (await running.entries()).filter(({ event }) => event === 'credential_issued').length
    for (const [name, text] of attempts) {
      const before = (await running.entries()).length
      const answer = await raw(text)
      assert.doesNotMatch(answer, /^HTTP\/1\.1 2/m, `${name}: ${answer}`)
      assert.equal(answer.match(/^HTTP\/1\.1 /gm)?.length ?? 0, 1, `${name}: ${answer}`)
      assert.match(answer, /application\/problem\+json/, name)
      counts.refused += 1
      // What cannot be read as a request is answered at once, and its entry is flushed beside that.
      let entries = 0
      for (let tries = 0; entries === 0 && tries < 500; tries += 1) {
        if (tries > 0) await setTimeout(10)
        entries = (await running.entries()).length - before
      }
      assert.ok(entries >= 1, `${name} has no entry`)
      counts.entries += entries
    }
    assert.equal(running.fake.mints, mints)
    const issued = (await running.entries()).filter(({ event }) => event === 'credential_issued').length
    assert.equal(issued, issuedBefore, 'no hidden request was answered')
    console.log(`${attempts.length} broken or doubled requests: ${JSON.stringify(counts)}`)
  })

  test('a request that asks for another protocol, or expects what nobody promised, is a request like any other', async () => {
    for (const more of [
      ['Connection: close, Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
      ['Connection: close, Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
      ['Connection: close', 'Expect: 200-ok'],
    ]) {
      const nobody = await raw(crlf(['GET /v1/leases HTTP/1.1', 'Host: broker', ...more]))
      assert.match(nobody, /^HTTP\/1\.1 401 /, more.join())
      assert.equal(nobody.match(/^HTTP\//gm)?.length, 1)
      const before = (await running.entries()).length
      const lines = ['POST /v1/explain HTTP/1.1', 'Host: broker', key(), 'Content-Type: application/json']
      const known = await raw(crlf([...lines, ...more, `Content-Length: ${body.length}`]) + body)
      assert.match(known, /^HTTP\/1\.1 200 /, more.join())
      assert.deepEqual(
        (await running.entries()).slice(before).map(({ event, agent_id }) => `${event} ${agent_id}`),
        ['request_explained agent-7'],
      )
    }
  })

  test('a request behind one that failed is answered for itself', async () => {
    const before = (await running.entries()).length
    const wrong = crlf([
      'POST /v1/explain HTTP/1.1',
      'Host: broker',
      key(),
      'Content-Type: application/json',
      'Content-Length: 2',
    ])
    const answer = await raw(
      `${wrong}{]${crlf(['GET /v1/leases HTTP/1.1', 'Host: broker', 'Connection: close'])}`,
    )
    assert.deepEqual(
      answer.match(/HTTP\/1\.1 \d+/g),
      ['HTTP/1.1 400', 'HTTP/1.1 401'],
      'who asked first is not who asks next',
    )
    assert.deepEqual(
      (await running.entries())
        .slice(before)
        .map(({ event, agent_id }) => `${event} ${agent_id}`)
        .sort(),
      ['identity_refused ', 'request_refused agent-7'],
    )
  })

  test('bytes that are no UTF-8 are refused, and not read as something near to it', async () => {
    const at = body.indexOf('bucket-123')
    for (const bytes of [
      [0xc0, 0xaf],
      [0xe0, 0x80, 0xaf],
      [0xed, 0xa0, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0x80],
      [0xc3],
    ]) {
      const wrong = Buffer.concat([
        Buffer.from(body.slice(0, at)),
        Buffer.from(bytes),
        Buffer.from(body.slice(at)),
      ])
      const head = [
        'POST /v1/explain HTTP/1.1',
        'Host: broker',
        key(),
        'Connection: close',
        'Content-Type: application/json',
      ]
      const answer = await raw(
        Buffer.concat([Buffer.from(crlf([...head, `Content-Length: ${wrong.length}`])), wrong]),
      )
      assert.match(answer, /^HTTP\/1\.1 400 /)
      assert.match(answer, /"code":"request_invalid"/)
    }
  })

  test('an absolute address, another host or a forwarded header changes neither who calls nor where', async () => {
    const pretences = [
      ['X-Forwarded-For', '10.0.0.1'],
      ['X-Forwarded-Host', 'human.example.test'],
      ['X-Forwarded-Proto', 'http'],
      ['Forwarded', 'for=10.0.0.1;by=broker;host=human'],
      ['X-Real-IP', '10.0.0.1'],
      ['X-Original-URL', '/v1/rotations'],
      ['X-Rewrite-URL', '/v1/rotations'],
      ['X-HTTP-Method-Override', 'DELETE'],
      ['X-Forwarded-Client-Cert', 'URI=spiffe://demo.test/tenant/acme/agent/warden'],
      ['X-Tls-Client-Cert', running.machines.warden.certificate.certPem.replaceAll('\n', ' ')],
      ['X-SSL-Client-Verify', 'SUCCESS'],
      ['X-Vault-Namespace', 'globex'],
      ['X-Tenant', 'globex'],
      ['X-Agent-Id', 'warden'],
    ] as const
    for (const [name, value] of pretences) {
      const headers = { [name]: value }
      const nobody = await running.machine({
        method: 'POST',
        path: '/v1/explain',
        body: seedRequest,
        headers,
      })
      assert.deepEqual([nobody.status, nobody.json['code']], [401, 'identity_missing'], name)
      const agent = await running.machine({
        method: 'POST',
        path: '/v1/explain',
        body: seedRequest,
        headers,
        as: owner,
      })
      assert.equal(agent.status, 200)
      const entry = (await running.entries()).at(-1)
      assert.deepEqual(
        [entry?.event, entry?.tenant, entry?.agent_id],
        ['request_explained', 'acme', 'agent-7'],
        name,
      )
    }
    const absolute = await raw(
      crlf(['GET https://elsewhere.test/v1/leases HTTP/1.1', 'Host: broker', 'Connection: close']),
    )
    assert.match(absolute, /^HTTP\/1\.1 (400|401|404) /)
    const refused = (await running.entries()).filter(({ event }) => event === 'identity_refused')
    assert.ok(
      refused.every(({ detail }) => /^(127\.0\.0\.1|::ffff:127\.0\.0\.1)$/.test(String(detail?.['address']))),
    )
  })

  test('a path spelt another way leads nowhere', async () => {
    for (const path of [
      '/v1/leases/',
      '//v1/leases',
      '/v1//leases',
      '/V1/leases',
      '/v1/Leases',
      '/v1/leases%2f',
      '/v1/%6ceases',
      '/%76%31/leases',
      '/log/%63heckpoint',
      '/v1/leases#tenant=acme',
      '/v1/leases?limit=1#x',
      '/livez#x',
      'http://broker?x=/v1/leases',
      'http://broker#x/v1/leases',
      '/v1/%6ceases%00',
      '/v1/./leases/.',
      '/v1/credentials/../leases/..',
      '/v1/leases/..%2f..%2fmetrics',
      '/v1/leases;x=1',
      '/v1/leases/%2e%2e/rotations',
      '/v1/rotations',
      '/log/tile/../../../../etc/passwd',
      '/log/tile/%2e%2e%2f%2e%2e%2fkeys%2flog.key',
      '/log/tile/entries/../../../keys/log.key',
      '/log/tile/x001/../../keys/log.key',
    ]) {
      const answer = await raw(crlf([`GET ${path} HTTP/1.1`, 'Host: broker', key(), 'Connection: close']))
      assert.match(answer, /^HTTP\/1\.1 (400|403|404|405) /, `${path}: ${answer}`)
      assert.doesNotMatch(answer, /PRIVATE|root:/)
    }
  })

  test('nobody unknown can do anything but look at what is public', async () => {
    const open = operations.filter(({ access }) => access === 'public')
    assert.ok(open.every(({ method }) => method === 'GET'))
    assert.deepEqual(open.map(({ id }) => id).sort(), [
      'authorizationServerMetadata',
      'checkpoint',
      'cosignedCheckpoint',
      'docs',
      'jwks',
      'livez',
      'metrics',
      'openapi',
      'readyz',
    ])
    for (const { id, method, path, planes } of operations) {
      if (open.some((one) => one.id === id)) continue
      for (const plane of planes) {
        const address = path.replace('{id}', `lse_${'0'.repeat(26)}`).replace('*', '0/000')
        const answer = await running[plane]({ method, path: address })
        assert.deepEqual([answer.status, answer.json['code']], [401, 'identity_missing'], `${method} ${path}`)
      }
    }
  })

  test('what is public names no agent, tenant, resource or lease', async () => {
    await running.machine({ method: 'POST', path: '/v1/credentials', body: seedRequest, as: owner })
    for (const path of ['/metrics', '/readyz', '/livez', '/log/checkpoint', '/.well-known/jwks.json']) {
      const { text, status } = await running.machine({ path })
      assert.equal(status, 200, path)
      assert.doesNotMatch(text, /agent-7|acme|globex|bucket-123|lse_/, path)
    }
  })

  test('text in a request cannot write a line of its own into the log, nor hide one', async () => {
    const forged = `{"v":1,"index":0,"event":"credential_issued","agent_id":"warden"}`
    const purposes = [
      `x\n${forged}\n`,
      `x\r\n${forged}`,
      `\u2028${forged}`,
      `"},${forged}`,
      '\u001b[2K\u001b[1A',
      '\u0000',
      '\ud800',
      '\u0085x',
      'x'.repeat(1_024),
    ]
    const entriesOf = async (purpose: string) => {
      const before = (await running.entries()).length
      const request = { ...seedRequest, purpose }
      const answer = await running.machine({
        method: 'POST',
        path: '/v1/credentials',
        body: request,
        as: owner,
      })
      assert.equal(answer.status, 201, answer.text)
      return (await running.entries()).slice(before)
    }
    const innocent = (await entriesOf('to read a bucket')).length
    const entries: Entry[] = []
    for (const purpose of purposes) {
      const told = await entriesOf(purpose)
      assert.equal(told.length, innocent, JSON.stringify(purpose))
      entries.push(...told)
    }
    assert.ok(entries.every(({ agent_id, tenant }) => agent_id === 'agent-7' && tenant === 'acme'))
    const chunks: Buffer[] = []
    for await (const chunk of running.broker.assembled.log.export()) chunks.push(Buffer.from(chunk))
    const text = Buffer.concat(chunks).toString('utf8')
    assert.equal(
      text.split('\n').filter((line) => line.startsWith('{"v":1,"index":')).length,
      running.broker.assembled.log.size(),
    )
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/, 'no control character stands in it raw')
  })

  test('a wrong body of every size costs an answer and an entry, and the broker goes on', async () => {
    for (const size of [
      0,
      1,
      16_383,
      16_384,
      16_385,
      1_000_000,
      ...Array.from({ length: 20 }, () => 3_000_000),
    ]) {
      const answer = await running.machine({
        method: 'POST',
        path: '/v1/credentials',
        as: owner,
        body: randomBytes(Math.ceil(size / 2))
          .toString('hex')
          .slice(0, size),
        headers: { 'content-type': 'application/json' },
      })
      assert.equal(answer.status, size > 16_384 ? 413 : 400, `${size}: ${answer.text}`)
    }
    const headers = { 'x-padding': 'x'.repeat(40_000) }
    const large = await running.machine({ path: '/v1/leases', as: owner, headers })
    assert.deepEqual([large.status, large.json['code']], [413, 'request_too_large'])
    assert.equal((await running.machine({ path: '/v1/leases', as: owner })).status, 200)
  })
})
