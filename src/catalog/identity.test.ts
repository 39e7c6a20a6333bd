import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Evidence, IdentityRefused } from '../broker/index.ts'
import { type Contract, type IdentityEntry, type Proof, requireContract } from '../contract/index.ts'
import { Failure, Secret } from '../primitives/index.ts'
import { contractFixture } from '../testing/contract.ts'
import { identifierConformance, type Shown } from '../testing/identity.ts'
import { startTestIssuer, type TestIssuer, testAudience } from '../testing/issuer.ts'
import {
  type Authority,
  createAuthority,
  createIdentifier,
  createMachineKey,
  type IssuedCertificate,
  readIssuerAuthorities,
} from './identity.ts'

const hour = 3_600_000
const clock = { now: Date.now, sleep: () => Promise.reject(new Error('not used')) }
const place = { line: 1, column: 1 }
const agent7 = 'spiffe://demo.test/tenant/acme/agent/agent-7'

type Scene = {
  readonly machineIssuer: TestIssuer
  readonly humanIssuer: TestIssuer
  readonly authority: Authority
  readonly key: ReturnType<typeof createMachineKey>
  readonly contract: (identities: readonly IdentityEntry[]) => Contract
  readonly close: () => Promise<void>
}

async function setScene(): Promise<Scene> {
  const [machineIssuer, humanIssuer] = await Promise.all([startTestIssuer(), startTestIssuer()])
  const authority = await createAuthority({
    commonName: 'Machine CA',
    notBefore: Date.now() - hour,
    notAfter: Date.now() + hour,
  })
  const issuer = (name: string, plane: 'machine' | 'human', { issuer }: TestIssuer) =>
    ({ name, plane, issuer, audience: testAudience, algorithms: ['ES256'] }) as const
  return {
    machineIssuer,
    humanIssuer,
    authority,
    key: createMachineKey(randomBytes),
    contract: (identities) =>
      contractFixture({
        issuers: [issuer('cluster', 'machine', machineIssuer), issuer('clerk', 'human', humanIssuer)],
        identities,
      }),
    close: async () => {
      await Promise.all([machineIssuer.close(), humanIssuer.close()])
    },
  }
}

function identity(agent: string, proofs: readonly Proof[], more: Partial<IdentityEntry> = {}): IdentityEntry {
  return { agent, tenant: 'acme', plane: 'machine', roles: [], proofs, place, ...more }
}

function keyProof({ digest }: { digest: string }): Proof {
  return { kind: 'machine-key', sha256: digest }
}

function tokenProof(issuer: string, claims: Readonly<Record<string, string>>): Proof {
  return { kind: 'token', issuer, claims }
}

function showWorkload(authority: Authority, ...uris: readonly string[]): Promise<IssuedCertificate> {
  return authority.issue({
    uris,
    purpose: 'client',
    notBefore: Date.now() - 1000,
    notAfter: Date.now() + hour,
  })
}

function shownCertificate({ der }: IssuedCertificate) {
  return { der, verified: true }
}

identifierConformance('the catalog’s identifier', async () => {
  const scene = await setScene()
  const { machineIssuer, humanIssuer, authority, key } = scene
  const [colleague, foreigner] = [createMachineKey(randomBytes), createMachineKey(randomBytes)]
  const contract = scene.contract([
    identity('agent-7', [
      { kind: 'spiffe', id: agent7 },
      keyProof(key),
      tokenProof('cluster', { sub: 'system:serviceaccount:acme:agent-7' }),
    ]),
    identity('agent-8', [keyProof(colleague)]),
    identity('robot', [keyProof(foreigner)], { tenant: 'globex' }),
    identity('dana', [tokenProof('clerk', { sub: 'user_dana' })], { plane: 'human' }),
  ])
  const stranger = await showWorkload(authority, 'spiffe://demo.test/tenant/acme/agent/agent-9')
  const otherDomain = await showWorkload(authority, agent7.replace('demo.test', 'demo.test.evil.test'))
  const bearer = async (issuer: TestIssuer, subject: string) => new Secret(await issuer.token(subject))
  return {
    identifier: createIdentifier({ contract, clock }),
    machine: {
      tenant: 'acme',
      agent: 'agent-7',
      certificate: shownCertificate(await showWorkload(authority, agent7)),
      bearer: await bearer(machineIssuer, 'system:serviceaccount:acme:agent-7'),
      machineKey: key.key,
    },
    colleague: { machineKey: colleague.key },
    foreigner: { machineKey: foreigner.key },
    human: { tenant: 'acme', agent: 'dana', bearer: await bearer(humanIssuer, 'user_dana') },
    strangers: [
      { plane: 'machine', shown: { certificate: shownCertificate(stranger) } },
      { plane: 'machine', shown: { certificate: shownCertificate(otherDomain) } },
      { plane: 'machine', shown: { bearer: await bearer(machineIssuer, 'user_dana') } },
      { plane: 'human', shown: { bearer: await bearer(humanIssuer, 'user_mallory') } },
    ],
    close: scene.close,
  }
})

describe('identities of a contract', () => {
  let scene: Scene
  before(async () => {
    scene = await setScene()
  })
  after(() => scene.close())

  const identify = async (identities: readonly IdentityEntry[], plane: Evidence['plane'], shown: Shown) => {
    const identifier = createIdentifier({ contract: scene.contract(identities), clock })
    const answer = await identifier.identify({ plane, ...shown }, AbortSignal.timeout(10_000))
    return answer.kind === 'refused' ? refusal(answer) : answer.caller
  }
  const refusal = ({ code, subject }: IdentityRefused) => ({
    code,
    ...(subject !== undefined && { subject }),
  })

  test('a certificate may be known by its fingerprint alone', async () => {
    const issued = await showWorkload(scene.authority)
    const certificate = shownCertificate(issued)
    const sha256 = `sha256:${createHash('sha256').update(issued.der).digest('hex')}`
    const caller = await identify([identity('agent-7', [{ kind: 'certificate', sha256 }])], 'machine', {
      certificate,
    })
    assert.ok('agent' in caller && caller.agent === 'agent-7' && caller.subject === sha256)
    assert.deepEqual(await identify([], 'machine', { certificate }), {
      code: 'certificate_without_identity',
      subject: sha256,
    })
  })

  test('two SPIFFE IDs in one certificate are none, although the contract knows both', async () => {
    const certificate = shownCertificate(await showWorkload(scene.authority, agent7, `${agent7}-b`))
    const known = [
      identity('agent-7', [{ kind: 'spiffe', id: agent7 }]),
      identity('b', [{ kind: 'spiffe', id: `${agent7}-b` }]),
    ]
    const answer = await identify(known, 'machine', { certificate })
    assert.ok('code' in answer && answer.code === 'certificate_without_identity')
  })

  test('every claim of a proof must be carried, as a text and exactly', async () => {
    const proof = tokenProof('cluster', { repository: 'acme/orders', ref: 'refs/heads/main' })
    const known = [identity('ci', [proof])]
    const show = async (claims: Readonly<Record<string, unknown>>) => {
      const answer = await identify(known, 'machine', {
        bearer: new Secret(scene.machineIssuer.sign(claims)),
      })
      return 'code' in answer ? answer.code : answer.agent
    }
    const whole = { repository: 'acme/orders', ref: 'refs/heads/main' }
    assert.equal(await show(whole), 'ci')
    for (const ref of [undefined, 'refs/heads/main2', 'REFS/heads/main', ['refs/heads/main'], null, 7])
      assert.equal(await show({ ...whole, ref }), 'identity_unknown')
  })

  test('a proof without claims proves nobody', async () => {
    const bearer = new Secret(scene.machineIssuer.sign({}))
    const answer = await identify([identity('anyone', [tokenProof('cluster', {})])], 'machine', { bearer })
    assert.ok('code' in answer && answer.code === 'identity_unknown')
  })

  test('a token that two identities claim is refused', async () => {
    const bearer = new Secret(scene.machineIssuer.sign({ sub: 'a', team: 'b' }))
    const both = (tenant: string) => [
      identity('first', [tokenProof('cluster', { sub: 'a' })]),
      identity('second', [tokenProof('cluster', { team: 'b' })], { tenant }),
    ]
    const subject = `${scene.machineIssuer.issuer}#a`
    assert.deepEqual(await identify(both('acme'), 'machine', { bearer }), {
      code: 'identity_ambiguous',
      subject,
    })
    assert.deepEqual(await identify(both('globex'), 'machine', { bearer }), {
      code: 'tenant_conflict',
      subject,
    })
  })

  test('an identity is known on its own plane alone, whatever its proofs are', async () => {
    const misplaced = identity('agent-7', [keyProof(scene.key)], { plane: 'human' })
    assert.deepEqual(await identify([misplaced], 'machine', { machineKey: scene.key.key }), {
      code: 'identity_unknown',
      subject: `${scene.key.key.reveal().slice(0, 7)}…`,
    })
  })

  test('a token that is bound to a certificate counts only together with it', async () => {
    const issued = await showWorkload(scene.authority, agent7)
    const other = await showWorkload(scene.authority, agent7)
    const thumbprint = createHash('sha256').update(issued.der).digest('base64url')
    const bearer = new Secret(scene.machineIssuer.sign({ sub: 'a', cnf: { 'x5t#S256': thumbprint } }))
    const known = [identity('agent-7', [{ kind: 'spiffe', id: agent7 }, tokenProof('cluster', { sub: 'a' })])]
    const codes = await Promise.all(
      [
        { bearer, certificate: shownCertificate(issued) },
        { bearer, certificate: shownCertificate(other) },
        { bearer },
      ].map(async (shown) => {
        const answer = await identify(known, 'machine', shown)
        return 'code' in answer ? answer.code : answer.agent
      }),
    )
    assert.deepEqual(codes, ['agent-7', 'identity_ambiguous', 'identity_ambiguous'])
  })

  test('an invalid token of the other plane has its own code, a bad key on the human plane is still a crossing', async () => {
    const expired = new Secret(scene.humanIssuer.sign({ exp: 1 }))
    const badKey = new Secret('not a key')
    const code = async (plane: Evidence['plane'], shown: Shown) => {
      const answer = await identify([], plane, shown)
      return 'code' in answer && answer.code
    }
    assert.equal(await code('machine', { bearer: expired }), 'token_expired')
    assert.equal(await code('human', { machineKey: badKey }), 'plane_crossed')
    assert.equal(await code('human', { machineKey: badKey, bearer: expired }), 'plane_crossed')
    assert.equal(
      await code('human', { certificate: { der: Buffer.from('x'), verified: false } }),
      'plane_crossed',
    )
  })
})

test('the CA file of an issuer is read at start, and one that is missing stops it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-identity-'))
  try {
    const caFile = join(folder, 'ca.pem')
    await writeFile(caFile, 'PEM')
    const contract = contractFixture({
      issuers: [{ name: 'cluster', issuer: 'https://issuer.test', caFile }],
    })
    const caPem = await readIssuerAuthorities(contract, AbortSignal.timeout(5000))
    assert.deepEqual([...caPem], [['cluster', 'PEM']])
    createIdentifier({ contract, clock, caPem })
    const isInvalid = (error: unknown) => error instanceof Failure && error.code === 'contract_invalid'
    assert.throws(() => createIdentifier({ contract, clock }), isInvalid)
    await rm(caFile)
    await assert.rejects(readIssuerAuthorities(contract, AbortSignal.timeout(5000)), isInvalid)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('every configuration in docs/identity.md is one that the contract and the identifier accept', async () => {
  const page = await readFile(new URL('../../docs/identity.md', import.meta.url), 'utf8')
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map((match) => match[1] ?? '')
  assert.equal(blocks.length, 7)
  for (const block of blocks) {
    const contract = requireContract({ text: `${frame}${block}`, file: 'docs/identity.md' })
    const caPem = new Map([...contract.issuers.keys()].map((name) => [name, 'PEM']))
    createIdentifier({ contract, clock, caPem })
  }
})

const frame = `
contract: environment/v1
metadata: { name: page, onMismatch: fail-stop }
discriminators: [AOS_MODE]
modes:
  LOCAL: { class: development, match: { AOS_MODE: local }, ceiling: { duration: 1h } }
planes:
  machine: { scheme: { type: apiKey, in: header, name: X-AOS-Key } }
  human: { scheme: { type: http, scheme: bearer } }
tenants: [acme]
providers:
  tokens: { kind: jwt, config: {} }
services:
  api: { provider: tokens, actions: { read: { resource: '{thing}', means: {} } } }
grants: []
`
