import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { createRemoteJWKSet, decodeProtectedHeader, errors, jwtVerify } from 'jose'
import type { Client, Issued } from '../../client/src/index.ts'
import { startTestIssuer, type TestIssuer } from '../../src/testing/issuer.ts'
import { contractText } from './contract.ts'
import { makeSite, type Serving, type Site } from './site.ts'

const issuer = 'https://sallyport.example.test'
const audience = 'https://orders.example.test'

describe('an access token for a service that knows nothing of Sallyport', { timeout: 60_000 }, () => {
  let people: TestIssuer
  let site: Site
  let serving: Serving
  let agent: Client
  before(async () => {
    people = await startTestIssuer()
    site = await makeSite(contract(people.issuer))
    // As an operator of the service would: the broker's CA is one that this process trusts.
    setDefaultCACertificates([...getCACertificates(), site.ca])
    serving = await site.serve()
    agent = serving.client('agent-7')
  })
  after(async () => {
    agent?.close()
    await site?.close()
    await people?.close()
  })

  const issue = async (duration = '5m'): Promise<{ issued: Issued; token: string }> => {
    const wanted = { service: 'orders-api', action: 'read-order', resource: 'order-7', duration }
    const answer = await agent.request(wanted)
    assert.ok(answer.kind === 'issued')
    return { issued: answer, token: String(answer.credential['access_token']) }
  }
  /** As the service checks it: keys over HTTPS, then signature, issuer, audience, type and time. */
  const check = (token: string) => {
    const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', serving.machineUrl))
    return jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt' })
  }

  test('verifies with jose by keys that came over HTTPS, and says for whom and what it is', async () => {
    const { issued, token } = await issue()
    const { payload } = await check(token)
    assert.deepEqual(
      [payload['tenant'], payload.sub, payload['scope'], payload['resource'], payload.jti],
      ['acme', 'agent-7', 'orders:read', 'order-7', issued.lease_id],
    )
    assert.ok((payload.exp ?? 0) * 1000 <= Date.parse(issued.expires_at))
    const shown = new X509Certificate(readFileSync(site.path('agent-7.pem')))
    const thumbprint = Buffer.from(shown.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
    assert.deepEqual(payload['cnf'], { 'x5t#S256': thumbprint }, 'bound to the certificate that was shown')
    assert.equal(issued.revocation, 'eventual')
  })

  test('for another audience, or with one bit changed, is refused by jose', async () => {
    const { token } = await issue()
    const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', serving.machineUrl))
    await assert.rejects(jwtVerify(token, keys, { issuer, audience: 'https://bills.example.test' }), {
      code: 'ERR_JWT_CLAIM_VALIDATION_FAILED',
    })
    const [head = '', body = '', signature = ''] = token.split('.')
    const forged = Buffer.from(body, 'base64url').toString().replace('order-7', 'order-8')
    const parts = [head, Buffer.from(forged).toString('base64url'), signature].join('.')
    await assert.rejects(check(parts), errors.JWSSignatureVerificationFailed)
  })

  test('is active for its tenant by introspection until it is revoked, and never for another tenant', async () => {
    const { issued, token } = await issue()
    const service = serving.client('agent-8')
    const seen = await service.introspect(token)
    assert.deepEqual([seen.active, seen['jti'], seen['tenant']], [true, issued.lease_id, 'acme'])
    assert.deepEqual(await serving.client('robot').introspect(token), { active: false })
    await serving.client('robot').revokeToken(token)
    assert.equal((await service.introspect(token)).active, true, 'another tenant revokes nothing')
    await agent.revokeToken(token)
    assert.deepEqual(await service.introspect(token), { active: false })
    assert.equal((await agent.lease(issued.lease_id)).end_reason, 'revoked')
    await agent.revokeToken(token)
    await check(token)
  })

  test('is not active any more when its time is over', async () => {
    const { token } = await issue('1s')
    for (let looks = 0; looks < 100 && (await agent.introspect(token)).active; looks += 1)
      await new Promise((resolve) => setTimeout(resolve, 50))
    assert.deepEqual(await agent.introspect(token), { active: false })
    await assert.rejects(check(token), errors.JWTExpired)
  })

  test('verifies on when the signing key is rotated, and new ones have the new key; also after a restart', async () => {
    const before = await issue()
    const person = serving.clientWith('human', { kind: 'token', token: () => people.token('dana') })
    await assert.rejects(
      serving
        .clientWith('human', { kind: 'token', token: () => people.token('erin') })
        .rotate('tokens', 'signing-key'),
      { code: 'not_permitted' },
    )
    await person.rotate('tokens', 'signing-key')
    const later = await issue()
    assert.notEqual(keyOf(later.token), keyOf(before.token))
    for (const { token } of [before, later]) await check(token)
    await assert.rejects(person.rotate('tokens', 'something-else'), { code: 'rotation_unsupported' })
    assert.equal(await serving.stop(), 0)
    serving = await site.serve()
    agent = serving.client('agent-7')
    for (const { token } of [before, later]) await check(token)
    assert.equal(keyOf((await issue()).token), keyOf(later.token))
  })
})

function keyOf(token: string): string | undefined {
  return decodeProtectedHeader(token).kid
}

function contract(people: string): string {
  const person = (name: string, roles: string) => `${name}:
  tenant: acme
  plane: human
  roles: [${roles}]
  proofs: [{ token: { issuer: people, claims: { sub: ${name} } } }]`
  return contractText({
    issuers: `people: { plane: human, issuer: "${people}", audience: sallyport, algorithms: [ES256] }`,
    identities: `${person('dana', 'platform')}\n${person('erin', 'operator')}`,
    providers: `tokens:
  kind: jwt
  config: { issuer: "${issuer}", audience: "${audience}" }`,
    services: `orders-api:
  provider: tokens
  actions:
    read-order:
      resource: "{order}"
      means: { scope: "orders:read" }`,
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
