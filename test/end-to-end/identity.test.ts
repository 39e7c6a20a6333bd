import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Client, createClient, type Identity } from '../../client/src/index.ts'
import { startTestIssuer, type TestIssuer } from '../../src/testing/issuer.ts'
import { contractText } from './contract.ts'
import { makeSite, type Serving, type Site } from './site.ts'

const wanted = { service: 'orders-api', action: 'read-order', resource: 'order-7' }

describe('who calls, proven by a real OpenID provider on both planes', { timeout: 60_000 }, () => {
  let people: TestIssuer
  let platform: TestIssuer
  let site: Site
  let serving: Serving
  before(async () => {
    people = await startTestIssuer()
    platform = await startTestIssuer()
    site = await makeSite(contract(people.issuer, platform.issuer))
    serving = await site.serve()
  })
  after(async () => {
    await site?.close()
    await Promise.all([people?.close(), platform?.close()])
  })

  const by = (token: string): Identity => ({ kind: 'token', token })
  const pem = (agent: string) => ({
    certificate: readFileSync(site.path(`${agent}.pem`), 'utf8'),
    key: readFileSync(site.path(`${agent}.key`), 'utf8'),
  })
  const certificate = (agent: string): Identity => ({ kind: 'certificate', ...pem(agent) })
  const refusal = (client: Client) =>
    client.request(wanted).then(
      () => assert.fail('it was let in'),
      (thrown: unknown) => String(Object(thrown).code),
    )

  test('a workload by its platform token on the machine plane, a person by theirs on the human plane', async () => {
    const workload = serving.clientWith('machine', by(await platform.token('workload-3')))
    const person = serving.clientWith('human', by(await people.token('dana')))
    const answers = [await workload.request(wanted), await person.request(wanted)]
    assert.deepEqual(
      answers.map((answer) => answer.kind === 'issued' && answer.grant),
      ['acme-machines-read-orders', 'acme-people-read-orders'],
    )
    const subjects = (await person.leases({ limit: 10 })).leases.map((lease) => [lease.agent_id, lease.plane])
    assert.ok(subjects.some(([agent, plane]) => agent === 'dana' && plane === 'human'))
    const own = (await workload.leases({ limit: 10 })).leases.map((lease) => [lease.agent_id, lease.plane])
    assert.ok(
      own.every(([agent, plane]) => agent === 'workload-3' && plane === 'machine') && own.length === 1,
    )
  })

  test('what is valid on one plane is refused by name on the other', async () => {
    const [person, workload] = [await people.token('dana'), await platform.token('workload-3')]
    assert.equal(await refusal(serving.clientWith('machine', by(person))), 'plane_crossed')
    assert.equal(await refusal(serving.clientWith('human', by(workload))), 'plane_crossed')
    assert.equal(await refusal(serving.clientWith('human', certificate('agent-7'))), 'plane_crossed')
    const key: Identity = { kind: 'machine-key', key: `sp_${'a'.repeat(40)}`, header: 'X-AOS-Key' }
    assert.equal(await refusal(serving.clientWith('human', key)), 'plane_crossed')
  })

  test('two callers at once are refused, also when both are valid', async () => {
    const person = await people.token('dana')
    const machine = await platform.token('workload-3')
    const both = (agent: string, token: string) => withHeader(serving.machineUrl, agent, token)
    assert.equal(await both('agent-7', person), 'identity_ambiguous')
    assert.equal(await both('agent-7', machine), 'identity_ambiguous')
    assert.equal(await both('robot', machine), 'tenant_conflict')
  })

  test('forged, foreign and expired tokens are refused, each by its own name', async () => {
    const now = Math.floor(Date.now() / 1000)
    const told = (claims: Record<string, unknown>, header = {}) =>
      refusal(serving.clientWith('machine', by(platform.sign({ sub: 'workload-3', ...claims }, header))))
    assert.equal(await told({ exp: now - 120, iat: now - 400 }), 'token_expired')
    assert.equal(await told({ aud: 'somebody-else' }), 'token_audience_wrong')
    assert.equal(await told({}, { kid: 'unknown' }), 'token_key_unknown')
    assert.equal(await told({}, { alg: 'none' }), 'token_algorithm_refused')
    assert.equal(await told({ sub: 'workload-4' }), 'identity_unknown')
    assert.equal(
      await refusal(createClient({ url: serving.machineUrl, ca: site.ca, identity: by('x.y.z') })),
      'token_malformed',
    )
  })

  // The key set is asked for again at most every ten seconds, whoever names unknown keys; and who is refused too often is told to slow down.
  test('a key that the provider rotated in is accepted as soon as the key set is asked for again', async () => {
    platform.rotate()
    const workload = serving.clientWith('machine', by(await platform.token('workload-3')))
    let answer = 'refused'
    for (let looks = 0; looks < 20 && answer === 'refused'; looks += 1) {
      answer = await workload.request(wanted).then(
        ({ kind }) => kind,
        () => 'refused',
      )
      if (answer === 'refused') await pause(1_000)
    }
    assert.equal(answer, 'issued')
  })

  test('a key that the provider cannot publish lets nobody in', async () => {
    platform.rotate()
    platform.behave('an error')
    const refused = await refusal(serving.clientWith('machine', by(platform.sign({ sub: 'workload-3' }))))
    assert.match(refused, /^(token_key_unknown|issuer_unavailable)$/)
  })

  test('every refusal is an entry, and none of them holds the token', async () => {
    const { entries } = await serving.client('warden').entries({ from: 0, count: 256 })
    const refused = entries.filter(({ event }) => event === 'identity_refused')
    assert.ok(refused.length >= 13, `${refused.length} refusals`)
    assert.doesNotMatch(JSON.stringify(entries), /eyJ/)
  })

  /** A certificate and a token in one request; resolves to the code of the refusal. */
  const withHeader = async (url: string, agent: string, token: string): Promise<string> => {
    const client = createClient({ url, ca: site.ca, identity: certificate(agent) })
    const { request } = await import('node:https')
    client.close()
    return new Promise((resolve, reject) => {
      const { certificate: cert, key } = pem(agent)
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const sent = request(new URL('/v1/credentials', url), {
        method: 'POST',
        ca: site.ca,
        cert,
        key,
        headers,
      })
      sent.once('error', reject)
      sent.once('response', async (response) => {
        const pieces: Buffer[] = []
        for await (const piece of response) pieces.push(Buffer.from(piece))
        resolve(String(Object(JSON.parse(Buffer.concat(pieces).toString())).code))
      })
      sent.end(JSON.stringify(wanted))
    })
  }
})

function contract(people: string, platform: string): string {
  const grant = (id: string, planes: string) => `- id: ${id}
  tenant: acme
  agents: ["*"]
  service: orders-api
  actions: [read-order]
  resources: ["order-*"]
  modes: [TEST]
  planes: [${planes}]
  maxDuration: 15m`
  return contractText({
    issuers: `people: { plane: human, issuer: "${people}", audience: sallyport, algorithms: [ES256] }
platform: { plane: machine, issuer: "${platform}", audience: sallyport, algorithms: [ES256] }`,
    identities: `dana:
  tenant: acme
  plane: human
  proofs: [{ token: { issuer: people, claims: { sub: dana } } }]
workload-3:
  tenant: acme
  plane: machine
  proofs: [{ token: { issuer: platform, claims: { sub: workload-3 } } }]`,
    providers:
      'tokens: { kind: jwt, config: { issuer: "https://a.example.test", audience: "https://b.example.test" } }',
    services: `orders-api:
  provider: tokens
  actions:
    read-order: { resource: "{order}", means: { scope: "orders:read" } }`,
    grants: `${grant('acme-machines-read-orders', 'machine')}\n${grant('acme-people-read-orders', 'human')}`,
  })
}
