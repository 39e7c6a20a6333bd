import assert from 'node:assert/strict'
import { randomBytes, randomUUID, X509Certificate } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { z } from 'zod'
import {
  seedRequest,
  startRunning,
  tokenAudience,
  tokenIssuer,
  type WireRequest,
} from '../../../test/running.ts'
import { openBroker } from '../../broker/broker.fixture.ts'
import { brokerLimits } from '../../broker/index.ts'
import { Failure } from '../../primitives/index.ts'
import { explanation, issuedCredential, lease, problem, protocolLimits } from '../../protocol/index.ts'
import { callerFixture, requestFixture } from '../../testing/broker.ts'
import { credentialRoutes } from './credentials.ts'

const running = await startRunning()
after(() => running.close())
const { machines, people, fake } = running
const agent = { certificate: machines['agent-7'].certificate }
const colleague = { machineKey: machines['agent-8'].machineKey }

/** What the wire may hold and nothing else: every object of the schema closed. */
const strictlyIssued = z.strictObject(issuedCredential.shape)
const strictProblem = z.strictObject(problem.shape)
const strictLease = z.strictObject(lease.shape)

function ask(body: unknown, more: Partial<WireRequest> = {}) {
  return running.machine({ method: 'POST', path: '/v1/credentials', body, as: agent, ...more })
}

async function issued(body: unknown = seedRequest, more: Partial<WireRequest> = {}) {
  const answer = await ask(body, more)
  assert.equal(answer.status, 201, answer.text)
  return strictlyIssued.parse(answer.json)
}

describe('POST /v1/credentials', () => {
  test('takes the request of the design as it stands, and gives it fifteen minutes', async () => {
    const before = Date.now()
    const answer = await running.machine({
      method: 'POST',
      path: '/v1/credentials',
      headers: { 'content-type': 'application/json' },
      body: '{"service":"aws-s3","action":"list-buckets","resource":"bucket-123"}',
      as: agent,
    })
    assert.equal(answer.status, 201, answer.text)
    assert.match(String(answer.headers['content-type']), /^application\/json/)
    assert.equal(answer.headers['cache-control'], 'no-store')
    const credential = strictlyIssued.parse(answer.json)
    const minutes = (Date.parse(credential.expires_at) - before) / 60_000
    assert.ok(minutes > 14.9 && minutes <= 15.1, `${minutes}`)
    assert.ok(credential.expires_in > 895 && credential.expires_in <= 900)
    assert.equal(credential.replayed, false)
    assert.deepEqual(credential.effective, {
      actions: ['s3:list'],
      resources: ['bucket-123'],
      not_after: credential.expires_at,
    })
    assert.equal(credential.grant, 'acme-lists-buckets')
    assert.equal(credential.mode, 'TEST')
    assert.match(credential.contract, /^sha256:[0-9a-f]{64}$/)
  })

  test('the token verifies with the keys that are served, and is bound to tenant, lease and certificate', async () => {
    const credential = await issued({ ...seedRequest, duration: '5m' })
    const keys = await running.machine({ path: '/.well-known/jwks.json' })
    const set = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) }).parse(keys.json)
    for (const key of set.keys) assert.ok(!('d' in key), 'a private member is served')
    const token = String(credential.credential['access_token'])
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(set), {
      issuer: tokenIssuer,
      audience: tokenAudience,
      typ: 'at+jwt',
    })
    assert.equal(protectedHeader.alg, 'ES256')
    assert.equal(payload.jti, credential.lease_id)
    assert.deepEqual([payload['tenant'], payload.sub, payload['scope']], ['acme', 'agent-7', 's3:list'])
    assert.equal((payload.exp ?? 0) * 1000, Date.parse(credential.expires_at))
    const thumbprint = new X509Certificate(agent.certificate.certPem).fingerprint256.replaceAll(':', '')
    assert.deepEqual(payload['cnf'], { 'x5t#S256': Buffer.from(thumbprint, 'hex').toString('base64url') })
  })

  test('a person asks for one on the human plane, in the person’s own name', async () => {
    const answer = await running.human({
      method: 'POST',
      path: '/v1/credentials',
      body: seedRequest,
      as: people.dana,
    })
    assert.equal(answer.status, 201, answer.text)
    const claims = decodeJwt(String(strictlyIssued.parse(answer.json).credential['access_token']))
    assert.deepEqual([claims.sub, claims['tenant'], claims['cnf']], ['dana', 'acme', undefined])
  })

  test('the trace id of traceparent is the request_id of the answer and of every entry', async () => {
    const trace = randomBytes(16).toString('hex')
    const credential = await issued(
      { service: 'vault', action: 'read', resource: 'acme/traced' },
      {
        headers: { traceparent: `00-${trace}-0123456789abcdef-01` },
      },
    )
    assert.equal(credential.request_id, trace)
    const entries = (await running.entries()).filter((entry) => entry.request_id === trace)
    assert.deepEqual(
      entries.map(({ event, lease_id }) => [event, lease_id]),
      [
        ['credential_intended', credential.lease_id],
        ['credential_issued', credential.lease_id],
      ],
    )
  })

  test('a traceparent that is none is not taken, and what is given instead is one', async () => {
    const ids = [
      'nonsense',
      `00-${'0'.repeat(32)}-0123456789abcdef-01`,
      `ff-${'1'.repeat(32)}-0123456789abcdef-01`,
    ]
    for (const traceparent of ids) {
      const { request_id } = await issued(seedRequest, { headers: { traceparent } })
      assert.match(request_id, /^[0-9a-f]{32}$/)
      assert.ok(!traceparent.includes(request_id))
    }
  })
})

describe('a denial', () => {
  test('names rule, file, line, the nearest that is allowed, the next command and its receipt', async () => {
    const answer = await ask({ ...seedRequest, resource: 'other-bucket' })
    assert.equal(answer.status, 403)
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
    const denial = strictProblem.parse(answer.json)
    assert.equal(denial.code, 'denied')
    assert.equal(denial.rule, 'resource')
    assert.match(denial.contract?.file ?? '', /sallyport\.yaml$/)
    assert.ok((denial.contract?.line ?? 0) > 1)
    assert.equal(denial.contract?.digest, running.broker.assembled.contract.digest)
    assert.ok(denial.next && denial.detail)
    const entry = (await running.entries())[denial.receipt?.index ?? -1]
    assert.deepEqual(
      [entry?.event, entry?.decision, entry?.rule, entry?.request_id, entry?.lease_id],
      ['request_denied', 'deny', 'resource', denial.request_id, null],
    )
  })

  test('for too long a life names the longest that is allowed', async () => {
    const denial = strictProblem.parse((await ask({ ...seedRequest, duration: '31m' })).json)
    assert.deepEqual([denial.rule, denial.nearest], ['duration', { ...seedRequest, duration: 1800 }])
  })

  test('mints nothing', async () => {
    const before = fake.mints
    for (const resource of ['globex/secret', 'acme/*', '*'])
      assert.equal((await ask({ service: 'vault', action: 'read', resource })).status, 403)
    assert.equal(fake.mints, before)
  })
})

describe('POST /v1/explain', () => {
  test('says what would be decided by the same engine, records it, and mints nothing', async () => {
    const before = fake.mints
    const strictExplanation = z.strictObject(explanation.shape)
    for (const [resource, decision] of [
      ['acme/one', 'allow'],
      ['globex/one', 'deny'],
    ]) {
      const body = { service: 'vault', action: 'read', resource }
      const answer = await running.machine({ method: 'POST', path: '/v1/explain', body, as: agent })
      assert.equal(answer.status, 200)
      const told = strictExplanation.parse(answer.json)
      assert.equal(told.decision, decision)
      const entry = (await running.entries())[told.receipt.index]
      assert.deepEqual([entry?.event, entry?.decision], ['request_explained', decision])
      const asked = await ask(body)
      assert.equal(asked.status === 201 ? 'allow' : 'deny', decision, 'the decision itself is the same')
    }
    assert.equal(fake.mints, before + 1)
  })
})

describe('Idempotency-Key', () => {
  const vault = { service: 'vault', action: 'read', resource: 'acme/once' }

  test('a repeated request gives the same credential and mints once, also when both are under way', async () => {
    const before = fake.mints
    const headers = { 'idempotency-key': randomUUID() }
    const answers = await Promise.all([1, 2, 3].map(() => issued(vault, { headers })))
    const again = await issued(vault, { headers })
    assert.equal(fake.mints, before + 1)
    assert.deepEqual(new Set([...answers, again].map(({ lease_id }) => lease_id)).size, 1)
    assert.deepEqual(new Set([...answers, again].map(({ credential }) => credential['value'])).size, 1)
    assert.equal(again.replayed, true)
    assert.equal(answers.filter(({ replayed }) => !replayed).length, 1)
  })

  test('another request under the same key is a conflict, and another agent’s key is its own', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const first = await issued(vault, { headers })
    const other = await ask({ ...vault, resource: 'acme/other' }, { headers })
    assert.deepEqual([other.status, other.json['code']], [422, 'idempotency_conflict'])
    const theirs = await issued(vault, { headers, as: colleague })
    assert.notEqual(theirs.lease_id, first.lease_id)
  })

  test('after the lease ended, the key gives nothing and mints nothing', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const { lease_id } = await issued(vault, { headers })
    await running.machine({ method: 'DELETE', path: `/v1/leases/${lease_id}`, as: agent })
    const before = fake.mints
    const again = await ask(vault, { headers })
    assert.deepEqual([again.status, again.json['code']], [409, 'idempotency_replayed'])
    assert.ok(String(again.json['detail']).includes(lease_id))
    assert.equal(fake.mints, before)
  })
})

describe('Prefer: wait', () => {
  test('is the caller’s deadline: a provider that does not answer is given up, and the lease ends', async () => {
    fake.enqueue({ mint: [{ kind: 'hang' }] })
    const answer = await ask(
      { service: 'vault', action: 'read', resource: 'acme/slow' },
      { headers: { prefer: 'wait=1' } },
    )
    assert.deepEqual([answer.status, answer.json['code']], [503, 'credential_minting_failure'], answer.text)
    const failed = (await running.entries()).findLast(({ event }) => event === 'credential_failed')
    assert.equal(failed?.detail?.['attempts'], 1, 'our own deadline would have let it try again')
    const leases = await running.machine({ path: '/v1/leases?service=vault&state=live', as: agent })
    assert.ok(!leases.text.includes('acme/slow'))
  })

  test('is read from one second to its bound, which is what any longer one is read as', async () => {
    const { broker, clock } = await openBroker()
    const deadlines: number[] = []
    const watched = {
      ...broker,
      issue(...[order, signal]: Parameters<typeof broker.issue>) {
        deadlines.push((order.deadline ?? 0) - clock.now())
        return broker.issue(order, signal)
      },
    }
    const [issue] = credentialRoutes(watched, clock.now)
    const { waitSecondsMax: max } = protocolLimits
    for (const prefer of ['wait=0', 'wait=1', `wait=${max}`, `wait=${max + 1}`, 'wait=999999999', 'x']) {
      const asked = { requestId: 'r', parameters: {}, query: {}, body: requestFixture, headers: { prefer } }
      const reply = await issue?.handle({ ...asked, signal: new AbortController().signal }, callerFixture())
      assert.equal(reply?.status, 201, prefer)
    }
    const bound = max * 1000
    assert.deepEqual(deadlines, [1000, 1000, bound, bound, bound, brokerLimits.mintDeadlineMs])
  })
})

describe('a provider that fails', () => {
  test('is a failure with a code and a request id, and not a word of the provider’s', async () => {
    const failure = new Failure('provider_refused', 'The provider refused.', {
      internal: 'AccessDenied for arn:aws:iam::123456789012:role/broker',
    })
    fake.enqueue({ mint: [{ kind: 'fail', failure }] })
    const answer = await ask({ service: 'vault', action: 'read', resource: 'acme/refused' })
    assert.deepEqual([answer.status, answer.json['code']], [502, 'provider_refused'])
    assert.ok(!answer.text.includes('123456789012'))
    const note = running.notes.find((line) => line['request_id'] === answer.json['request_id'])
    assert.match(String(note?.['internal']), /123456789012/, 'the operator finds it by the request id')
  })

  test('is told with Retry-After, which is its own where it names one', async () => {
    const failure = new Failure('provider_throttled', 'Later.', { retryAfterSeconds: 77 })
    fake.enqueue({ mint: [{ kind: 'fail', failure }] })
    const answer = await ask({ service: 'vault', action: 'read', resource: 'acme/busy' })
    assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '77'])
  })
})

describe('leases', () => {
  test('are listed newest first, page by page, each once', async () => {
    const made: string[] = []
    for (let at = 0; at < 7; at += 1) made.unshift((await issued(seedRequest, { as: colleague })).lease_id)
    const seen: string[] = []
    let after = ''
    do {
      const answer = await running.machine({
        path: `/v1/leases?limit=3${after}&state=live&service=aws-s3`,
        as: colleague,
      })
      const page = z
        .strictObject({ leases: z.array(strictLease), next: z.string().optional() })
        .parse(answer.json)
      assert.ok(page.leases.length <= 3)
      seen.push(...page.leases.map(({ lease_id }) => lease_id))
      after = page.next === undefined ? '' : `&after=${page.next}`
    } while (after !== '')
    assert.deepEqual(seen, made)
  })

  test('one is read by its id, and by nobody who has no part in it', async () => {
    const { lease_id } = await issued()
    const path = `/v1/leases/${lease_id}`
    const own = strictLease.parse((await running.machine({ path, as: agent })).json)
    assert.deepEqual([own.lease_id, own.state, own.agent_id], [lease_id, 'live', 'agent-7'])
    assert.equal(
      (await running.human({ path, as: people.dana })).status,
      200,
      'an operator of the tenant sees it',
    )
    for (const other of [colleague, { machineKey: machines.robot.machineKey }])
      assert.equal((await running.machine({ path, as: other })).json['code'], 'lease_unknown')
  })

  test('DELETE ends one, proves it where it can, and succeeds again', async () => {
    const { lease_id } = await issued({ service: 'vault', action: 'read', resource: 'acme/gone' })
    const end = () => running.machine({ method: 'DELETE', path: `/v1/leases/${lease_id}`, as: agent })
    assert.ok(fake.live.has(lease_id))
    for (const answer of [await end(), await end()]) {
      assert.equal(answer.status, 200)
      assert.equal(answer.json['proof'], 'refused')
      const ended = strictLease.parse(answer.json['lease'])
      assert.deepEqual([ended.state, ended.end_reason], ['ended', 'revoked'])
      assert.ok(ended.refused_at)
    }
    assert.ok(!fake.live.has(lease_id))
    const unknown = await running.machine({ method: 'DELETE', path: '/v1/leases/lse_none', as: agent })
    assert.deepEqual([unknown.status, unknown.json['code']], [404, 'lease_unknown'])
  })

  test('POST /v1/revocations ends all that the filter names, within reach alone', async () => {
    const leases = await Promise.all(
      ['a', 'b', 'c'].map((name) => issued({ service: 'vault', action: 'read', resource: `acme/${name}` })),
    )
    const robot = { machineKey: machines.robot.machineKey }
    const theirs = await issued({ service: 'vault', action: 'read', resource: 'globex/a' }, { as: robot })
    const revoke = (body: unknown, as: WireRequest['as']) =>
      running.human({ method: 'POST', path: '/v1/revocations', body, ...(as ? { as } : {}) })
    const beyond = await revoke({ tenant: 'globex' }, people.dana)
    assert.deepEqual([beyond.status, beyond.json['code']], [403, 'not_permitted'])
    const empty = await revoke({}, people.dana)
    assert.deepEqual([empty.status, empty.json['code']], [400, 'request_invalid'])
    const done = await revoke({ service: 'vault', agent: 'agent-7' }, people.dana)
    assert.equal(done.status, 200, done.text)
    assert.ok(Number(done.json['refused']) >= 3)
    for (const { lease_id } of leases) assert.ok(!fake.live.has(lease_id))
    assert.ok(fake.live.has(theirs.lease_id), 'another tenant’s lease lives on')
  })
})

describe('the tokens that the broker signs', () => {
  const form = (path: string, token: string, as: WireRequest['as'] = agent) =>
    running.machine({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
      as,
    })

  test('are active at introspection until they are revoked, and then no more', async () => {
    const credential = await issued()
    const token = String(credential.credential['access_token'])
    const before = await form('/oauth2/introspect', token, colleague)
    assert.deepEqual([before.json['active'], before.json['jti']], [true, credential.lease_id])
    const revoked = await form('/oauth2/revoke', token)
    assert.deepEqual([revoked.status, revoked.text], [200, ''])
    const later = await form('/oauth2/introspect', token, colleague)
    assert.deepEqual(later.json, { active: false })
    const { state } = strictLease.parse(
      (await running.machine({ path: `/v1/leases/${credential.lease_id}`, as: agent })).json,
    )
    assert.equal(state, 'ended')
  })

  test('of another tenant are neither active nor revoked, and what is no token is ignored', async () => {
    const credential = await issued()
    const token = String(credential.credential['access_token'])
    const robot = { machineKey: machines.robot.machineKey }
    assert.deepEqual((await form('/oauth2/introspect', token, robot)).json, { active: false })
    assert.equal((await form('/oauth2/revoke', token, robot)).status, 200)
    assert.equal((await form('/oauth2/introspect', token)).json['active'], true)
    for (const nonsense of ['x', 'a.b.c', `${token}x`, machines['agent-7'].bearer]) {
      assert.deepEqual((await form('/oauth2/introspect', nonsense)).json, { active: false })
      assert.equal((await form('/oauth2/revoke', nonsense)).status, 200)
    }
  })

  test('are described by the metadata of RFC 8414', async () => {
    const { status, json } = await running.machine({ path: '/.well-known/oauth-authorization-server' })
    assert.equal(status, 200)
    assert.deepEqual(json, {
      issuer: tokenIssuer,
      jwks_uri: `${tokenIssuer}/.well-known/jwks.json`,
      introspection_endpoint: `${tokenIssuer}/oauth2/introspect`,
      revocation_endpoint: `${tokenIssuer}/oauth2/revoke`,
      response_types_supported: [],
    })
  })

  test('verify with their old key after a rotation, which only a person with the role platform may ask for', async () => {
    const { credential } = await issued()
    const rotate = (as: WireRequest['as'], body: unknown = { provider: 'tokens', target: 'signing-key' }) =>
      running.human({ method: 'POST', path: '/v1/rotations', body, ...(as ? { as } : {}) })
    const operator = await rotate(people.dana)
    assert.deepEqual([operator.status, operator.json['code']], [403, 'not_permitted'])
    const machine = await running.machine({
      method: 'POST',
      path: '/v1/rotations',
      body: { provider: 'tokens', target: 'signing-key' },
      as: { machineKey: machines.warden.machineKey },
    })
    assert.deepEqual([machine.status, machine.json['code']], [404, 'not_found'])
    const done = await rotate(people.paula)
    assert.deepEqual([done.status, Object.keys(done.json)], [200, ['rotated']])
    const nothing = await rotate(people.paula, { provider: 'tokens', target: 'moon' })
    assert.deepEqual([nothing.status, nothing.json['code']], [422, 'rotation_unsupported'])

    const keys = await running.machine({ path: '/.well-known/jwks.json' })
    const set = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) }).parse(keys.json)
    assert.equal(set.keys.length, 2)
    const renewed = await issued()
    const verify = (token: unknown) => jwtVerify(String(token), createLocalJWKSet(set))
    const [older, newer] = await Promise.all([
      verify(credential['access_token']),
      verify(renewed.credential['access_token']),
    ])
    assert.notEqual(older.protectedHeader.kid, newer.protectedHeader.kid)
    assert.equal((await form('/oauth2/introspect', String(credential['access_token']))).json['active'], true)
  })
})
