import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Failure } from '../primitives/index.ts'
import { createForwardAuth } from '../server/forward-auth/index.ts'
import {
  closeServer,
  digestOf,
  listen,
  type Scene,
  seedContract,
  setScene,
  tuples,
} from '../server/forward-auth/scene.fixture.ts'
import { contractFixture } from '../testing/contract.ts'
import { openPlanes, planeKeyCharacters, systemClock } from './index.ts'

let scene: Scene
before(async () => {
  scene = await setScene()
})
after(() => scene.close())

async function ruling(rawHeaders: readonly string[], target: string, mode: keyof typeof tuples = 'PROD') {
  const { gatekeeper } = await scene.open(mode)
  const verdict = await gatekeeper.judge({ method: 'GET', target, rawHeaders })
  return verdict.kind === 'admitted' ? `${verdict.plane} ${verdict.subject}` : verdict.code
}

const bearer = (token: string) => ['Authorization', `Bearer ${token}`]
const [account, run] = ['/api/v1/accounts/7', '/api/v1/runs/7']

test('a token of the provider itself proves a person, and a key of the trust file a machine', async () => {
  assert.equal(
    await ruling(bearer(await scene.issuer.token('user_1')), account),
    `human ${scene.issuer.issuer}#user_1`,
  )
  assert.equal(await ruling(['X-AOS-Key', scene.machineKey], run), 'machine ci-runner')
})

test('tokens that are not what they should be are refused by name', async () => {
  const { issuer } = scene
  const past = Math.floor(Date.now() / 1000) - 3000
  for (const [token, code] of [
    [issuer.sign({}, { alg: 'none' }), 'token_algorithm_refused'],
    [issuer.sign({ aud: 'another' }), 'token_audience_wrong'],
    [issuer.sign({ iss: 'http://127.0.0.1:1' }), 'token_issuer_unknown'],
    [issuer.sign({ iat: past - 300, exp: past }), 'token_expired'],
    [`${issuer.sign({}).slice(0, -6)}AAAAAA`, 'token_signature_invalid'],
    [issuer.sign({ cnf: { 'x5t#S256': 'A'.repeat(43) } }), 'token_malformed'],
    ['rubbish', 'token_malformed'],
  ] as const)
    assert.equal(await ruling(bearer(token), account), code)
  for (const value of [
    'Bearer',
    'Bearer ',
    `Basic ${issuer.sign({})}`,
    `Bearer a, Bearer ${issuer.sign({})}`,
  ])
    assert.equal(await ruling(['Authorization', value], account), 'token_malformed')
})

test('a key of one plane is none of another, though it stands in that one’s header', async () => {
  assert.equal(await ruling(['X-AOS-Key', scene.sandboxKey], run), 'machine_key_invalid')
  assert.equal(await ruling(['X-AOS-Key', digestOf(scene.machineKey)], run), 'machine_key_invalid')
})

test('the sandbox key opens human endpoints only where mode and variable let it', async () => {
  const shown = { method: 'GET', target: account, rawHeaders: ['X-AOS-Customer-Key', scene.sandboxKey] }
  for (const [mode, variable, kind] of [
    ['LOCAL', 'true', 'admitted'],
    ['LOCAL', undefined, 'refused'],
    ['TEST', 'true', 'admitted'],
    ['TEST', 'false', 'refused'],
    ['PREPROD', 'true', 'refused'],
    ['PROD', 'true', 'refused'],
  ] as const)
    assert.equal(
      (await (await scene.open(mode, variable)).gatekeeper.judge(shown)).kind,
      kind,
      `${mode} ${variable}`,
    )
})

test('a key of an identity of the contract proves it, on its own plane alone', async () => {
  const key = `aos_${randomBytes(24).toString('base64url')}`
  const { tenants, identities } = contractFixture({
    identities: [
      {
        agent: 'reporter',
        tenant: 'acme',
        plane: 'machine',
        proofs: [{ kind: 'machine-key', sha256: digestOf(key) }],
      },
    ],
  })
  const contract = { ...seedContract, tenants, identities }
  const { gatekeeper, credentials } = await openPlanes({
    ...{ contract, variables: tuples.PROD, trustFile: scene.trustFile, clock: systemClock },
  })
  const judge = (target: string) =>
    gatekeeper.judge({ method: 'GET', target, rawHeaders: ['X-AOS-Key', key] })
  assert.deepEqual(await judge(run), { kind: 'admitted', plane: 'machine', subject: 'acme/reporter' })
  const crossing = await judge(account)
  assert.equal(crossing.kind === 'refused' && crossing.code, 'plane_crossed')
  assert.equal(credentials.get('machine'), '3 keys')
})

test('a key shorter than can be kept by its hash is never a key', async () => {
  const { min, max } = planeKeyCharacters
  const keys = ['k'.repeat(min - 1), 'k'.repeat(min), 'k'.repeat(max), 'k'.repeat(max + 1)]
  const named = Object.fromEntries(keys.map((key, at) => [`key-${at}`, digestOf(key)]))
  const { gatekeeper } = await open({ keys: { machine: named } })
  const kinds = keys.map((key) =>
    gatekeeper.judge({ method: 'GET', target: run, rawHeaders: ['X-AOS-Key', key] }),
  )
  assert.deepEqual(
    kinds.map((verdict) => !(verdict instanceof Promise) && verdict.kind),
    ['refused', 'admitted', 'admitted', 'refused'],
  )
})

/** With a trust file of this text, the issuer of the scene included unless it has its own. */
function open(
  trust: Readonly<Record<string, unknown>> | string,
  variables: Record<string, string> = tuples.PROD,
) {
  const clerk = { issuer: scene.issuer.issuer, audience: 'sallyport', algorithms: ['ES256'] }
  const file = join(scene.trustFile, '..', 'other.json')
  writeFileSync(file, typeof trust === 'string' ? trust : JSON.stringify({ issuers: { clerk }, ...trust }))
  return openPlanes({ contract: seedContract, variables, trustFile: file, clock: systemClock })
}

test('a trust file has so many bytes, and not one more', async () => {
  const own = {
    issuers: { clerk: { issuer: scene.issuer.issuer, audience: 'sallyport', algorithms: ['ES256'] } },
  }
  const padded = (bytes: number) => JSON.stringify(own).padEnd(bytes)
  await open(padded(2 * 1024 * 1024))
  await assert.rejects(async () => open(padded(2 * 1024 * 1024 + 1)), /larger than 2097152 bytes/)
})

const digest = digestOf('x'.repeat(30))
const clerk = { issuer: 'https://clerk.test', audience: 'a', algorithms: ['ES256'] }

for (const [title, trust] of [
  ['that is no JSON', '{'],
  ['with a word that nobody knows', { key: {} }],
  ['with a key in clear', { keys: { machine: { ci: 'x'.repeat(30) } } }],
  ['with a name that is no header value', { keys: { machine: { 'a\nb': digest } } }],
  ['with keys of a plane that takes tokens', { keys: { human: { ci: digest } } }],
  ['with keys of a plane that there is not', { keys: { robots: { ci: digest } } }],
  ['with one key of two names', { keys: { machine: { a: digest, b: digest } } }],
  ['with an issuer without https', { issuers: { clerk: { ...clerk, issuer: 'http://clerk.test' } } }],
  ['with an algorithm that has no public key', { issuers: { clerk: { ...clerk, algorithms: ['HS256'] } } }],
  ['without the issuer of a plane', { issuers: {} }],
  ['with a CA file that is not there', { issuers: { clerk: { ...clerk, caFile: '/nowhere/ca.pem' } } }],
] as const)
  test(`a trust file ${title} stops before anything is served`, async () => {
    await assert.rejects(
      open(trust),
      (thrown) => thrown instanceof Error && !thrown.message.includes('x'.repeat(30)),
    )
  })

test('without a mode nothing is served, and nothing is guessed', async () => {
  await assert.rejects(
    open({}, { AOS_MODE: 'prod', DB_AUTHORITY: 'local' }),
    (thrown) => thrown instanceof Failure && thrown.code === 'mode_unmatched',
  )
})

test('a contract that says nothing of planes is refused', async () => {
  const { AOS_MODE } = tuples.PROD
  const contract = contractFixture()
  await assert.rejects(
    openPlanes({
      contract,
      variables: { ...contract.modes.get('PROD')?.match, AOS_MODE },
      clock: systemClock,
    }),
  )
})

test('the whole of it answers over HTTP', async () => {
  const server = createForwardAuth({ gatekeeper: (await scene.open('PROD')).gatekeeper })
  const url = `http://127.0.0.1:${await listen(server)}/envoy${run}`
  try {
    const answer = await fetch(url, { headers: { 'X-AOS-Key': scene.machineKey } })
    assert.deepEqual([answer.status, answer.headers.get('x-sallyport-subject')], [200, 'ci-runner'])
  } finally {
    await closeServer(server)
  }
})
