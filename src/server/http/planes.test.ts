import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:tls'
import { seedRequest, sendRaw, spiffeId, startRunning, type WireRequest } from '../../../test/running.ts'
import { createAuthority, createMachineKey } from '../../catalog/index.ts'
import type { FailureCode } from '../../primitives/index.ts'
import { signCompact } from '../../testing/issuer.ts'

const running = await startRunning()
after(() => running.close())
const { machines, people, issuers } = running
const agent = machines['agent-7']
const hour = 3_600_000
const past = { notBefore: Date.now() - 2 * hour, notAfter: Date.now() - hour }
const now = { notBefore: Date.now() - hour, notAfter: Date.now() + hour }
const explain = { method: 'POST', path: '/v1/explain', body: seedRequest } as const

describe('who is let in', () => {
  test('a machine by its certificate, its platform token, its key, and by all of them at once', async () => {
    for (const [method, as] of [
      ['certificate', { certificate: agent.certificate }],
      ['token', { bearer: agent.bearer }],
      ['machine-key', { machineKey: agent.machineKey }],
      ['certificate', agent],
    ] as const) {
      const answer = await running.machine({ ...explain, as })
      assert.equal(answer.status, 200, answer.text)
      const entry = (await running.entries()).at(-1)
      assert.deepEqual(
        [entry?.event, entry?.tenant, entry?.agent_id, entry?.plane, entry?.detail?.['identified_by']],
        ['request_explained', 'acme', 'agent-7', 'machine', method],
      )
    }
  })

  test('a person by a token of the human issuer', async () => {
    const answer = await running.human({ ...explain, as: people.dana })
    assert.equal(answer.status, 200, answer.text)
    const entry = (await running.entries()).at(-1)
    assert.deepEqual([entry?.tenant, entry?.agent_id, entry?.plane], ['acme', 'dana', 'human'])
  })

  test('a machine whose certificate ends while its connection lives, until then alone', async () => {
    // Times of a certificate are whole seconds; this is enough for a first request on a machine that is busy.
    const notAfter = Date.now() + 5_000
    const { certPem, keyPem } = await issue(running.authority, seven, { ...now, notAfter })
    const { hostname, port } = new URL(running.broker.machineUrl)
    const socket = connect({
      host: hostname,
      port: Number(port),
      ca: running.tls.clientCa,
      cert: certPem,
      key: keyPem,
    })
    const ask = async () => {
      socket.write('GET /v1/leases HTTP/1.1\r\nHost: x\r\n\r\n')
      const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(20_000) })
      return String(bytes)
    }
    try {
      assert.match(await ask(), /^HTTP\/1\.1 200 /)
      await pause(notAfter + 1_000 - Date.now())
      assert.match(await ask(), /^HTTP\/1\.1 401 .*"code":"certificate_expired"/s)
    } finally {
      socket.destroy()
    }
  })

  test('on a connection that goes on with an earlier TLS session, too', async () => {
    const ask = () => running.machine({ ...explain, as: { certificate: agent.certificate }, headers: close })
    const close = { connection: 'close' }
    assert.deepEqual([(await ask()).status, (await ask()).status], [200, 200])
  })
})

type Refusal = {
  readonly what: string
  readonly on: 'machine' | 'human'
  readonly shown: Pick<WireRequest, 'as' | 'headers'>
  readonly code: FailureCode
  readonly status: number
}

const otherCa = await createAuthority({ commonName: 'Wire CA', ...now })
const issue = (ca: typeof otherCa, uri: string, life = now) =>
  ca.issue({ purpose: 'client', uris: [uri], ...life })
const seven = spiffeId('agent-7')
const [forged, expired, unknown] = await Promise.all([
  issue(otherCa, seven),
  issue(running.authority, seven, past),
  issue(running.authority, 'spiffe://demo.test/tenant/acme/agent/nobody'),
])
const subject = { sub: 'system:serviceaccount:agent-7' }
const seconds = Math.floor(Date.now() / 1000)
const { machine: machineIssuer } = issuers
const [header = '', payload = '', signature = ''] = agent.bearer.split('.')
const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')

const refusals: readonly Refusal[] = [
  ...(['machine', 'human'] as const).map((on): Refusal => {
    return { what: 'nothing at all', on, shown: {}, code: 'identity_missing', status: 401 }
  }),
  {
    what: 'a person’s token that is valid on the other plane',
    on: 'machine',
    shown: { as: people.dana },
    code: 'plane_crossed',
    status: 403,
  },
  ...(['certificate', 'bearer', 'machineKey'] as const).map((proof): Refusal => {
    const shown = { as: { [proof]: agent[proof] } }
    return {
      what: `a machine’s ${proof} that is valid there`,
      on: 'human',
      shown,
      code: 'plane_crossed',
      status: 403,
    }
  }),
  ...(['machine', 'human'] as const).flatMap((on) =>
    (['certificate', 'machineKey'] as const).map((proof): Refusal => {
      const shown = { as: { bearer: people.dana.bearer ?? '', [proof]: agent[proof] } }
      return {
        what: `a person and a machine’s ${proof} at once`,
        on,
        shown,
        code: 'identity_ambiguous',
        status: 400,
      }
    }),
  ),
  ...(['certificate', 'bearer'] as const).map((proof): Refusal => {
    const shown = { as: { [proof]: agent[proof], machineKey: machines.robot.machineKey } }
    return {
      what: `a ${proof} and a key of two tenants`,
      on: 'machine',
      shown,
      code: 'tenant_conflict',
      status: 403,
    }
  }),
  {
    what: 'a certificate and a key of two agents',
    on: 'machine',
    shown: { as: { certificate: agent.certificate, machineKey: machines['agent-8'].machineKey } },
    code: 'identity_ambiguous',
    status: 400,
  },
  {
    what: 'one key twice',
    on: 'machine',
    shown: { headers: { 'x-aos-key': [agent.machineKey, agent.machineKey] } },
    code: 'identity_ambiguous',
    status: 400,
  },
  {
    what: 'two tokens',
    on: 'human',
    shown: { headers: { authorization: [`Bearer ${people.dana.bearer}`, `Bearer ${people.gwen.bearer}`] } },
    code: 'identity_ambiguous',
    status: 400,
  },
  {
    what: 'another scheme than Bearer',
    on: 'human',
    shown: { headers: { authorization: 'Basic ZGFuYTpkYW5h' } },
    code: 'token_malformed',
    status: 401,
  },
  {
    what: 'a token without signature',
    on: 'machine',
    shown: { as: { bearer: `${none}.${payload}.` } },
    code: 'token_algorithm_refused',
    status: 401,
  },
  {
    what: 'a token of the algorithm none',
    on: 'machine',
    shown: { as: { bearer: `${none}.${payload}.${signature}` } },
    code: 'token_algorithm_refused',
    status: 401,
  },
  {
    what: 'a token that was changed',
    on: 'machine',
    shown: { as: { bearer: `${header}.${payload}.${'A'.repeat(signature.length)}` } },
    code: 'token_signature_invalid',
    status: 401,
  },
  {
    what: 'a token that is over',
    on: 'machine',
    shown: { as: { bearer: machineIssuer.sign({ ...subject, iat: seconds - 7200, exp: seconds - 3600 }) } },
    code: 'token_expired',
    status: 401,
  },
  {
    what: 'a token for somebody else',
    on: 'machine',
    shown: { as: { bearer: machineIssuer.sign({ ...subject, aud: 'elsewhere' }) } },
    code: 'token_audience_wrong',
    status: 401,
  },
  {
    what: 'a token longer than its limit',
    on: 'machine',
    shown: { as: { bearer: `${agent.bearer}${'A'.repeat(16_385 - agent.bearer.length)}` } },
    code: 'token_too_large',
    status: 401,
  },
  {
    what: 'a token of somebody whom nobody named',
    on: 'human',
    shown: { as: { bearer: issuers.human.sign({ sub: 'user_nobody' }) } },
    code: 'identity_unknown',
    status: 403,
  },
  {
    what: 'a certificate of another authority of the same name',
    on: 'machine',
    shown: { as: { certificate: forged } },
    code: 'certificate_untrusted',
    status: 401,
  },
  {
    what: 'a certificate that is over',
    on: 'machine',
    shown: { as: { certificate: expired } },
    code: 'certificate_expired',
    status: 401,
  },
  {
    what: 'a certificate of somebody whom nobody named',
    on: 'machine',
    shown: { as: { certificate: unknown } },
    code: 'identity_unknown',
    status: 403,
  },
  {
    what: 'a key that has the form and is none',
    on: 'machine',
    shown: { as: { machineKey: createMachineKey(randomBytes).key.reveal() } },
    code: 'machine_key_invalid',
    status: 401,
  },
]

describe('who is not let in is told why by a code, recorded, and told nothing more', () => {
  let count = 0
  for (const { what, on, shown, code, status } of refusals)
    test(`${on}: ${what} is ${code}`, async () => {
      count += 1
      const trace = randomBytes(16).toString('hex')
      const before = (await running.entries()).length
      const answer = await running[on]({
        method: 'POST',
        path: '/v1/credentials',
        body: seedRequest,
        ...shown,
        headers: { ...shown.headers, traceparent: `00-${trace}-0123456789abcdef-01` },
      })
      assert.deepEqual(
        [answer.status, answer.json['code'], answer.json['request_id']],
        [status, code, trace],
        answer.text,
      )
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
      assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined)
      assert.deepEqual(
        Object.keys(answer.json).toSorted(),
        ['code', 'detail', 'request_id', 'retryable', 'status', 'title', 'type'],
        'nothing more is told',
      )
      const entries = (await running.entries()).slice(before)
      const [entry, ...others] = entries.map(({ event, rule, plane, request_id, outcome, tenant, scope }) => {
        return { event, rule, plane, request_id, outcome, tenant, scope }
      })
      assert.deepEqual(others, [])
      assert.deepEqual(entry, {
        event: 'identity_refused',
        rule: code,
        plane: on,
        request_id: trace,
        outcome: 'refused',
        tenant: '',
        scope: 'issueCredential',
      })
      const written = JSON.stringify([entries, answer.text, running.notes])
      for (const secret of secretsOf(shown)) assert.ok(!written.includes(secret), 'a proof was repeated')
    })
  after(() => console.log(`${count} refusals over the wire, each with its code and its entry`))
})

/** What must not be repeated: keys whole, and of tokens the part that nobody can know. */
function secretsOf({ as = {}, headers = {} }: Refusal['shown']): readonly string[] {
  const tokens = [as.bearer, ...[headers['authorization'] ?? []].flat()]
  const keys = [as.machineKey, ...[headers['x-aos-key'] ?? []].flat()]
  const signatures = tokens.map((token) => token?.split(/[. ]/).at(-1))
  return [...keys, ...signatures].filter((secret): secret is string => (secret?.length ?? 0) > 8)
}

test('a key behind two thousand other headers still counts', async () => {
  const filler = Array.from({ length: 2100 }, (_, at) => `a${at}:\r\n`).join('')
  const answer = await sendRaw(
    { url: running.broker.machineUrl, ca: running.tls.clientCa },
    `GET /v1/leases HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-AOS-Key: ${agent.machineKey}\r\n${filler}X-AOS-Key: ${agent.machineKey}\r\n\r\n`,
  )
  assert.match(answer, /^HTTP\/1\.1 400 .*"code":"identity_ambiguous"/s)
})

describe('tenant comes from identity alone', () => {
  test('no header changes who calls', async () => {
    const headers = {
      'x-tenant': 'globex',
      'x-tenant-id': 'globex',
      'x-agent-id': 'robot',
      'x-forwarded-client-cert': `URI=${spiffeId('robot')}`,
      'x-ssl-client-cert': encodeURIComponent(machines.robot.certificate.certPem),
      'x-forwarded-user': 'robot',
      forwarded: 'for=robot',
      cookie: 'tenant=globex',
    }
    const answer = await running.machine({ ...explain, headers, as: { machineKey: agent.machineKey } })
    assert.equal(answer.status, 200)
    const entry = (await running.entries()).at(-1)
    assert.deepEqual([entry?.tenant, entry?.agent_id], ['acme', 'agent-7'])
    const without = await running.machine({ ...explain, headers })
    assert.equal(without.json['code'], 'identity_missing')
  })

  test('a tenant in the body or the query is an error', async () => {
    const as = { machineKey: agent.machineKey }
    for (const wrong of [
      { ...explain, body: { ...seedRequest, tenant: 'globex' } },
      { ...explain, body: { ...seedRequest, agent_id: 'robot' } },
      { ...explain, path: '/v1/explain?tenant=globex' },
      { ...explain, path: '/v1/credentials?tenant=globex' },
      { path: '/v1/log/proof/inclusion?index=0&tenant=globex' },
    ]) {
      const answer = await running.machine({ ...wrong, as })
      assert.deepEqual([answer.status, answer.json['code']], [400, 'request_invalid'], answer.text)
    }
  })

  test('the leases of another tenant are not seen, whatever the query says', async () => {
    const own = await running.machine({
      method: 'POST',
      path: '/v1/credentials',
      body: seedRequest,
      as: { machineKey: machines.robot.machineKey },
    })
    assert.equal(own.status, 201)
    for (const path of ['/v1/leases', '/v1/leases?tenant=globex', '/v1/leases?tenant=globex&agent=robot']) {
      const seen = await running.human({ path, as: people.dana })
      assert.ok(!seen.text.includes('globex'), seen.text)
    }
    const one = await running.human({ path: `/v1/leases/${own.json['lease_id']}`, as: people.dana })
    assert.deepEqual([one.status, one.json['code']], [404, 'lease_unknown'])
  })
})

test('an issuer whose keys cannot be fetched lets nobody in', async () => {
  const down = await startRunning()
  try {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const claims = { iss: down.issuers.human.issuer, sub: 'user_dana', aud: 'sallyport' }
    const stranger = signCompact({ alg: 'ES256', kid: 'x' }, claims, privateKey)
    for (const manner of ['broken', 'an error', 'garbage'] as const) {
      down.issuers.human.behave(manner)
      const answer = await down.human({ path: '/v1/leases', as: down.people.dana })
      assert.deepEqual([answer.status, answer.json['code']], [503, 'issuer_unavailable'], answer.text)
      assert.ok(Number(answer.headers['retry-after']) > 0)
      assert.notEqual((await down.human({ path: '/v1/leases', as: { bearer: stranger } })).status, 200)
    }
    const events = (await down.entries()).map(({ event }) => event)
    assert.deepEqual(new Set(events), new Set(['broker_started', 'identity_refused']))
  } finally {
    await down.close()
  }
})

test('while the log cannot be written nobody is refused without an entry, and nobody is let in', async () => {
  running.setStore('broken')
  try {
    const refused = await running.human({ path: '/v1/leases', as: { bearer: agent.bearer } })
    assert.deepEqual([refused.status, refused.json['code']], [503, 'log_unwritable'])
  } finally {
    running.setStore('whole')
  }
})
