import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createAuthority } from '../../src/catalog/index.ts'
import { type Running, type Shown, startRunning, type WireAnswer } from '../running.ts'

const issuePath = { method: 'POST', path: '/v1/credentials' } as const

describe('what belongs to another tenant, or to a colleague', { timeout: 60_000 }, () => {
  let running: Running
  let owner: Shown
  let colleague: Shown
  let stranger: Shown
  before(async () => {
    running = await startRunning()
    owner = { certificate: running.machines['agent-7'].certificate }
    colleague = { certificate: running.machines['agent-8'].certificate }
    stranger = { certificate: running.machines.robot.certificate }
  })
  after(() => running?.close())

  const issue = (
    as: Shown,
    key?: string,
    body: unknown = { service: 'aws-s3', action: 'list-buckets', resource: 'bucket-1' },
  ) =>
    running.machine({
      ...issuePath,
      body,
      as,
      ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
    })
  const issued = async (as: Shown, key?: string) => {
    const answer = await issue(as, key)
    assert.equal(answer.status, 201, answer.text)
    const { lease_id: id, credential } = answer.json
    return { id: String(id), token: String(Object(credential).access_token) }
  }
  const stateOf = async (id: string) =>
    (await running.broker.assembled.broker.listLeases(paula, {}, { limit: 1000 })).leases.find(
      (lease) => lease.id === id,
    )?.state
  const paula = {
    plane: 'human',
    tenant: 'acme',
    agent: 'paula',
    roles: ['platform'],
    method: 'token',
    subject: '',
  } as const

  test('a lease id that leaked is as unknown to them as one that never was', async () => {
    const { id } = await issued(owner)
    const never = `lse_${'0'.repeat(26)}`
    for (const who of [stranger, colleague])
      for (const method of ['GET', 'DELETE']) {
        const ask = (which: string) => running.machine({ method, path: `/v1/leases/${which}`, as: who })
        const [theirs, nobodys] = [await ask(id), await ask(never)]
        assert.deepEqual([theirs.status, theirs.json['code']], [404, 'lease_unknown'])
        assert.deepEqual(withoutId(theirs), withoutId(nobodys))
        const entry = (await running.entries()).find((one) => one.request_id === theirs.json['request_id'])
        assert.equal(entry?.event, 'request_refused')
        assert.match(entry.scope, new RegExp(`${id}$`))
      }
    assert.equal(await stateOf(id), 'live')
  })

  test('is not ended by a revocation that names them, their tenant, or nothing of them', async () => {
    const { id } = await issued(owner)
    for (const [as, body] of [
      [stranger, { tenant: 'acme' }],
      [stranger, { agent: 'agent-7' }],
      [stranger, { agent: 'agent-7', tenant: 'acme' }],
      [stranger, { service: 'aws-s3' }],
      [stranger, { mode: 'TEST' }],
      [colleague, { agent: 'agent-7' }],
      [colleague, { tenant: 'acme' }],
      [colleague, { service: 'aws-s3' }],
    ] as const) {
      const answer = await running.machine({ method: 'POST', path: '/v1/revocations', body, as })
      assert.ok([200, 403].includes(answer.status), answer.text)
      assert.equal(await stateOf(id), 'live', JSON.stringify(body))
    }
    const dana = await running.human({
      method: 'POST',
      path: '/v1/revocations',
      body: { tenant: 'globex' },
      as: running.people.dana,
    })
    assert.deepEqual([dana.status, dana.json['code']], [403, 'not_permitted'])
  })

  test('an Idempotency-Key of theirs neither repeats their answer nor stands in the way', async () => {
    const key = 'the-same-key'
    const first = await issued(owner, key)
    for (const who of [stranger, colleague]) {
      const own = await issued(who, key)
      assert.notEqual(own.id, first.id)
      assert.notEqual(own.token, first.token)
    }
    const again = await issue(owner, key)
    assert.deepEqual([again.status, again.json['lease_id'], again.json['replayed']], [201, first.id, true])
    const changed = await issue(owner, key, {
      service: 'aws-s3',
      action: 'list-buckets',
      resource: 'bucket-2',
    })
    assert.deepEqual([changed.status, changed.json['code']], [422, 'idempotency_conflict'])
  })

  test('a token of theirs is not active, and revoking it does nothing and is written down', async () => {
    const { id, token } = await issued(owner)
    const form = (path: string) =>
      running.machine({
        method: 'POST',
        path,
        as: stranger,
        body: new URLSearchParams({ token }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
    assert.equal((await form('/oauth2/introspect')).text, '{"active":false}')
    assert.deepEqual([(await form('/oauth2/revoke')).status, await stateOf(id)], [200, 'live'])
    const told = (await running.entries()).filter(
      (entry) => entry.event === 'request_denied' && entry.agent_id === 'robot' && entry.lease_id === id,
    )
    assert.equal(told.length, 2)
  })

  test('a session with one certificate takes nobody else’s token or key for another caller', async () => {
    const { robot, 'agent-8': other } = running.machines
    for (const [shown, code] of [
      [{ ...owner, bearer: robot.bearer }, 'tenant_conflict'],
      [{ ...owner, machineKey: robot.machineKey }, 'tenant_conflict'],
      [{ ...owner, bearer: other.bearer }, 'identity_ambiguous'],
      [{ ...owner, machineKey: other.machineKey }, 'identity_ambiguous'],
    ] as const)
      assert.equal((await issue(shown)).json['code'], code)
  })

  test('a certificate swapped for another valid one between request and revocation ends nothing', async () => {
    const { id } = await issued(owner)
    const swapped = await running.machine({ method: 'DELETE', path: `/v1/leases/${id}`, as: colleague })
    assert.deepEqual([swapped.status, await stateOf(id)], [404, 'live'])
    const own = await running.machine({ method: 'DELETE', path: `/v1/leases/${id}`, as: owner })
    assert.deepEqual([own.status, await stateOf(id)], [200, 'ended'])
  })

  test('the credential is bound to the certificate of who asked, also when another of the same name repeats the request', async () => {
    const life = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 }
    const from = running.authority.own
    const authority = await createAuthority({ commonName: 'Wire CA', ...life, from })
    const renewed = await authority.issue({
      purpose: 'client',
      uris: ['spiffe://demo.test/tenant/acme/agent/agent-7'],
      ...life,
    })
    const thumbprint = (token: string) =>
      JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).cnf['x5t#S256']
    const first = await issued(owner, 'renewed-between')
    const again = await issued({ certificate: renewed }, 'renewed-between')
    assert.equal(again.id, first.id)
    assert.equal(thumbprint(again.token), thumbprint(first.token), 'a repeat binds nothing anew')
    assert.notEqual(thumbprint((await issued({ certificate: renewed })).token), thumbprint(first.token))
  })

  test('a name in another case, or spelt another way, is nobody', async () => {
    const life = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 }
    for (const uri of [
      'spiffe://demo.test/tenant/acme/agent/Agent-7',
      'spiffe://demo.test/tenant/ACME/agent/agent-7',
      'spiffe://DEMO.test/tenant/acme/agent/agent-7',
      'SPIFFE://demo.test/tenant/acme/agent/agent-7',
      'spiffe://demo.test/tenant/acme/agent/agent-7/',
      'spiffe://demo.test/tenant/acme/agent/agent-7?',
      'spiffe://demo.test//tenant/acme/agent/agent-7',
      'spiffe://demo.test/tenant/acme/agent/%61gent-7',
      'spiffe://demo.test/tenant/globex/../acme/agent/agent-7',
      'spiffe://demo.test:443/tenant/acme/agent/agent-7',
    ]) {
      const certificate = await running.authority.issue({ purpose: 'client', uris: [uri], ...life })
      const answer = await issue({ certificate })
      assert.ok(
        ['identity_unknown', 'certificate_without_identity'].includes(String(answer.json['code'])),
        `${uri}: ${answer.text}`,
      )
    }
    for (const subject of [
      'SYSTEM:serviceaccount:agent-7',
      'system:serviceaccount:agent-7 ',
      'system:serviceaccount:Agent-7',
    ])
      assert.equal(
        (await issue({ bearer: running.issuers.machine.sign({ sub: subject }) })).json['code'],
        'identity_unknown',
      )
  })

  test('who is refused is told the same words whoever exists', async () => {
    const life = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 }
    const stranger = await createAuthority({ commonName: 'Wire CA', ...life })
    const words = async (uri: string) => {
      const certificate = await stranger.issue({ purpose: 'client', uris: [uri], ...life })
      return withoutId(await issue({ certificate }))
    }
    assert.deepEqual(
      await words('spiffe://demo.test/tenant/acme/agent/agent-7'),
      await words('spiffe://demo.test/tenant/acme/agent/nobody'),
    )
  })
})

/** An answer without what is new in every answer. */
function withoutId({ status, json: { request_id: _, ...json } }: WireAnswer) {
  return { status, json }
}
