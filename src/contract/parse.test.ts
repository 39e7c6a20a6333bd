import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Failure } from '../primitives/index.ts'
import type { Contract, ContractProblem } from './contract.ts'
import { contractInvalid, parseContract, requireContract } from './parse.ts'
import { changedIn, marked, withLines } from './passage.fixture.ts'

const file = 'contracts/demo.yaml'
const demo = readFileSync(new URL('../../contracts/demo.yaml', import.meta.url), 'utf8')

function read(text: string): Contract {
  const parsed = parseContract({ text, file })
  assert.equal(parsed.kind, 'contract', JSON.stringify(parsed))
  return parsed.kind === 'contract' ? parsed.contract : assert.fail()
}

function problemsOf(text: string): readonly ContractProblem[] {
  const parsed = parseContract({ text, file })
  return parsed.kind === 'problems' ? parsed.problems : []
}

/** The demo with one passage changed; it must be there exactly once. */
function changed(from: string, to: string): string {
  return changedIn(demo, from, to)
}

type Case = {
  readonly title: string
  readonly from: string
  /** With `▸` where the problem must point. */
  readonly to: string
  /** With `«passage»` for the line on which that passage begins. */
  readonly message: string
  readonly next?: string
}

const machineHash = `sha256:${'a'.repeat(64)}`
const agentProof = '      - spiffe: spiffe://demo.test/tenant/acme/agent/agent-7\n'
const lastTenant = 'tenants: [acme, globex]'
const ownActions = '    actions: [read-table]\n    resources: [public.orders]\n'

const cases: readonly Case[] = [
  {
    title: 'another format',
    from: 'environment/v1',
    to: '▸environment/v2',
    message: '`contract` is "environment/v2", but must be environment/v1.',
    next: 'write `environment/v1`',
  },
  {
    title: 'an unknown key',
    from: 'metadata:',
    to: '▸metdata:',
    message: 'The contract has no key "metdata".',
    next: 'write `metadata`',
  },
  {
    title: 'an unknown key that resembles nothing',
    from: 'alerts:\n',
    to: '▸zzz: 1\nalerts:\n',
    message: 'The contract has no key "zzz".',
    next: 'use one of contract, metadata, discriminators, modes, planes, scopes, variables, secretStores, secretRules, migrations, gates, prohibitions, references, adapters, files, rotations, agents, validation, tenants, identities, providers, services, grants, alerts, defaults, issuers',
  },
  {
    title: 'a missing key',
    from: '    ceiling: { duration: 1h }\n',
    to: '',
    message: '`modes.LOCAL` needs `ceiling`, and has none.',
    next: 'add `ceiling: { duration: 15m }`',
  },
  {
    title: 'another behaviour on mismatch',
    from: 'fail-stop',
    to: '▸warn',
    message: '`metadata.onMismatch` is "warn", but must be fail-stop.',
  },
  {
    title: 'a number where text is asked for',
    from: 'AOS_MODE: prod,',
    to: 'AOS_MODE: ▸1,',
    message: '`modes.PROD.match.AOS_MODE` is the number 1, but must be text.',
    next: 'put it in quotes: `"1"`',
  },
  {
    title: 'text where a list is asked for',
    from: 'agents: [agent-7]',
    to: 'agents: ▸agent-7',
    message: '`grants[0].agents` is text, but must be a list.',
    next: 'put it in brackets: `[agent-7]`',
  },
  {
    title: 'an empty value',
    from: 'tenants: [acme, globex]',
    to: '▸tenants:',
    message: '`tenants` is empty, but must be a list.',
  },
  {
    title: 'an empty list',
    from: 'actions: [read-table]',
    to: '▸actions: []',
    message: '`grants[0].actions` is empty, and needs at least one item.',
  },
  {
    title: 'a name that stands twice in a list',
    from: lastTenant,
    to: 'tenants: [acme, globex, ▸acme]',
    message: '`tenants[2]` is "acme", but must be one that the list does not have yet.',
    next: 'remove it',
  },
  {
    title: 'a name that begins with a digit',
    from: lastTenant,
    to: 'tenants: [acme, globex, ▸7up]',
    message:
      '`tenants[2]` is "7up", but must be a name: a letter, then at most 62 letters, digits, `_`, `.` or `-`.',
  },
  {
    title: 'a key that is no name',
    from: '  orders-db:\n    kind: postgres',
    to: '  orders-db: { kind: postgres }\n  ▸orders db:\n    kind: postgres',
    message: '"orders db" must be a name: a letter, then at most 62 letters, digits, `_`, `.` or `-`.',
  },
  {
    title: 'a duration without a unit',
    from: 'residual: 15m',
    to: 'residual: ▸"900"',
    message:
      '`modes.PROD.ceiling.residual` is "900", but must be a duration such as `15m`, at most 1d, or `0s`.',
  },
  {
    title: 'a duration as a number',
    from: 'duration: 1h',
    to: 'duration: ▸3600',
    message: '`modes.LOCAL.ceiling.duration` is the number 3600, but must be text.',
    next: 'write it as `15m`',
  },
  {
    title: 'a duration of more than a day',
    from: 'duration: 1h',
    to: 'duration: ▸25h',
    message: '`modes.LOCAL.ceiling.duration` is "25h", but must be a duration such as `15m`, at most 1d.',
  },
  {
    title: 'a mode without a value for a discriminator',
    from: 'match: { AOS_MODE: local, DB_AUTHORITY: local }',
    to: '▸match: { AOS_MODE: local }',
    message: 'The mode LOCAL gives no value for DB_AUTHORITY; a mode is a whole tuple.',
    next: 'add `DB_AUTHORITY: …` to its `match`',
  },
  {
    title: 'a mode with a discriminator that is not one',
    from: 'AOS_MODE: local, DB_AUTHORITY: local',
    to: 'AOS_MODE: local, ▸DB_AUTHORTY: local',
    message: 'There is no discriminator "DB_AUTHORTY".',
    next: 'write `DB_AUTHORITY`',
  },
  {
    title: 'two modes with the same tuple',
    from: 'match: { AOS_MODE: prod, DB_AUTHORITY: neon }',
    to: '▸match: { AOS_MODE: local, DB_AUTHORITY: local }',
    message: 'The modes LOCAL (line «match: { AOS_MODE: local») and PROD have the same tuple.',
  },
  {
    title: 'a default mode by a key',
    from: '    class: production\n',
    to: '    class: production\n    ▸default: true\n',
    message: 'There is no default mode: a process whose environment matches no mode does not start.',
  },
  {
    title: 'a default mode by its name',
    from: '  LOCAL:\n',
    to: '  ▸Default:\n',
    message: 'There is no default mode: a process whose environment matches no mode does not start.',
  },
  {
    title: 'a default of a discriminator',
    from: 'discriminators: [AOS_MODE, DB_AUTHORITY]',
    to: 'discriminators:\n  - AOS_MODE: { ▸default: local }\n  - DB_AUTHORITY',
    message: 'There is no default mode: a process whose environment matches no mode does not start.',
  },
  {
    title: 'a ceiling below the duration that a request has by itself',
    from: 'duration: 15m, residual: 15m',
    to: 'duration: ▸5m, residual: 15m',
    message: 'A request that names no duration means 15m, but the ceiling of PROD (line «residual:») is 5m.',
    next: 'write `defaults: { duration: 5m }`, or raise the ceiling',
  },
  {
    title: 'a default duration above a ceiling',
    from: 'alerts:\n',
    to: 'defaults: { duration: ▸20m }\nalerts:\n',
    message: '`defaults.duration` means 20m, but the ceiling of PROD (line «residual:») is 15m.',
  },
  {
    title: 'a header that HTTP already uses',
    from: 'name: X-AOS-Key',
    to: 'name: ▸Proxy-Authorization',
    message:
      '`planes.machine.scheme.name` is "Proxy-Authorization", but must be the name of a request header that HTTP, proxies and this broker leave free.',
  },
  {
    title: 'an issuer over http',
    from: 'issuer: https://clerk.example.test',
    to: 'issuer: ▸http://clerk.example.test',
    message:
      '`issuers.clerk.issuer` must be an https URL without credentials, query or fragment (http on a loopback address alone).',
  },
  {
    title: 'an issuer that only looks like a loopback address',
    from: 'issuer: https://clerk.example.test',
    to: 'issuer: ▸http://127.0.0.1.evil.test',
    message:
      '`issuers.clerk.issuer` must be an https URL without credentials, query or fragment (http on a loopback address alone).',
  },
  {
    title: 'a symmetric algorithm',
    from: 'algorithms: [RS256]\n  cluster',
    to: 'algorithms: [▸HS256]\n  cluster',
    message:
      '`issuers.clerk.algorithms[0]` is "HS256", and whoever can check such a token can also make one.',
  },
  {
    title: 'no algorithm at all',
    from: 'algorithms: [RS256]\n  cluster',
    to: 'algorithms: [▸none]\n  cluster',
    message: '`issuers.clerk.algorithms[0]` is "none", and a token without a signature proves nothing.',
    next: 'write `RS256`',
  },
  {
    title: 'a misspelt algorithm',
    from: 'algorithms: [RS256]\n  cluster',
    to: 'algorithms: [▸ES265]\n  cluster',
    message:
      '`issuers.clerk.algorithms[0]` is "ES265", but must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA.',
  },
  {
    title: 'a clock skew of more than five minutes',
    from: 'clockSkew: 30s',
    to: 'clockSkew: ▸301s',
    message: '`issuers.cluster.clockSkew` is "301s", but must be a duration such as `30s`, at most 5m.',
  },
  {
    title: 'a maximum age of more than a day',
    from: 'maxAge: 1h',
    to: 'maxAge: ▸2d',
    message: '`issuers.cluster.maxAge` is "2d", but must be a duration such as `1h`, at most 1d.',
  },
  {
    title: 'two issuers that accept the same tokens',
    from: 'issuer: https://kubernetes.default.svc\n',
    to: 'issuer: ▸https://clerk.example.test\n',
    message:
      'The issuers clerk (line «issuer: https://clerk») and cluster accept the same tokens: issuer and audience are equal.',
  },
  {
    title: 'an identity of an unknown tenant',
    from: '  agent-7:\n    tenant: acme',
    to: '  agent-7:\n    tenant: ▸acmee',
    message: 'There is no tenant "acmee".',
    next: 'write `acme`',
  },
  {
    title: 'a SPIFFE ID of no workload',
    from: 'spiffe: spiffe://demo.test/tenant/acme/agent/agent-7',
    to: 'spiffe: ▸spiffe://demo.test/',
    message:
      '`identities.agent-7.proofs[0].spiffe` is "spiffe://demo.test/", but must be a SPIFFE ID such as `spiffe://example.org/ns/acme/sa/agent-7`.',
  },
  {
    title: 'a SPIFFE ID with dots for a path',
    from: 'spiffe: spiffe://demo.test/tenant/acme/agent/agent-7',
    to: 'spiffe: ▸spiffe://demo.test/a/../b',
    message:
      '`identities.agent-7.proofs[0].spiffe` is "spiffe://demo.test/a/../b", but must be a SPIFFE ID such as `spiffe://example.org/ns/acme/sa/agent-7`.',
  },
  {
    title: 'a fingerprint that is none',
    from: agentProof,
    to: '      - certificate: ▸sha256:ABCD\n',
    message:
      '`identities.agent-7.proofs[0].certificate` must be `sha256:` and 64 lower-case hexadecimal characters.',
    next: '`openssl x509 -in cert.pem -outform der | sha256sum` prints the characters',
  },
  {
    title: 'two proofs in one item',
    from: agentProof,
    to: `      - ▸spiffe: spiffe://demo.test/a\n        key: ${machineHash}\n`,
    message:
      '`identities.agent-7.proofs[0]` must be a mapping with exactly one of spiffe, certificate, token, key.',
  },
  {
    title: 'a token of an unknown issuer',
    from: 'token: { issuer: clerk,',
    to: 'token: { issuer: ▸clrk,',
    message: 'There is no issuer "clrk".',
    next: 'write `clerk`',
  },
  {
    title: 'a token of the other plane',
    from: 'token: { issuer: clerk,',
    to: 'token: { issuer: ▸cluster,',
    message:
      'The issuer cluster (line «plane: machine\n    issuer: https://kub») is on the machine plane and this identity on the human one; planes never cross.',
    next: 'name an issuer of the human plane',
  },
  {
    title: 'a token without a claim',
    from: 'claims: { sub: user_dana }',
    to: '▸claims: {}',
    message: '`identities.dana.proofs[0].token.claims` must be a mapping of 1 to 8 claims.',
  },
  {
    title: 'a wildcard in a claim',
    from: 'sub: user_dana',
    to: 'sub: ▸"user_*"',
    message:
      '`identities.dana.proofs[0].token.claims.sub` is "user_*", but must be the exact value of the claim, of 1 to 1024 characters, without `*`: claims are compared for equality.',
  },
  {
    title: 'a machine key for a person',
    from: '      - token: { issuer: clerk, claims: { sub: user_dana } }\n',
    to: `      - ▸key: ${machineHash}\n`,
    message: '`key` proves on the machine plane alone, and this identity is on the human plane.',
  },
  {
    title: 'two identities with one SPIFFE ID',
    from: '  dana:\n',
    to: '  agent-8:\n    tenant: globex\n    plane: machine\n    proofs:\n      - spiffe: ▸spiffe://demo.test/tenant/acme/agent/agent-7\n  dana:\n',
    message:
      'The identities agent-7 (line «spiffe://demo.test/tenant») and agent-8 (line «agent-8:»+4) have the same spiffe as their proof.',
    next: 'give each identity a proof of its own',
  },
  {
    title: 'an identity whose claims are among those of another',
    from: '  dana:\n',
    to: '  agent-8:\n    tenant: globex\n    plane: machine\n    proofs:\n      - ▸token: { issuer: cluster, claims: { aud: x, sub: "system:serviceaccount:acme:agent-7" } }\n  dana:\n',
    message:
      'The identities agent-7 (line «sub: "system:») and agent-8 (line «agent-8:»+4) are proven by the same token: the claims of one are among those of the other.',
    next: 'give "agent-7" a claim with a value that no other identity has',
  },
  {
    title: 'two identities with the same claims',
    from: '  dana:\n',
    to: '  eve:\n    tenant: globex\n    plane: human\n    proofs:\n      - token: { issuer: clerk, claims: { sub: user_dana } }\n  dana:\n',
    message:
      'The identities eve (line «eve:»+4) and dana (line «dana:»+5) are proven by the same token: the claims of one are among those of the other.',
  },
  {
    title: 'a password inline',
    from: 'config: { url: { env: ORDERS_DB_ADMIN_URL } }',
    to: 'config: { ▸adminPassword: hunter2 }',
    message:
      '`providers.orders-db.config.adminPassword` is a secret by its name, and stands in the contract itself.',
    next: 'write `{ env: NAME }` or `{ file: /PATH }` here, and change that secret if the file was ever shared',
  },
  {
    title: 'a password in a URL',
    from: 'config: { url: { env: ORDERS_DB_ADMIN_URL } }',
    to: 'config: { url: ▸"postgres://admin:hunter2@db/orders" }',
    message:
      '`providers.orders-db.config.url` holds a password in its URL, and stands in the contract itself.',
  },
  {
    title: 'a secret in a list, at the key that names it',
    from: 'config: { url: { env: ORDERS_DB_ADMIN_URL } }',
    to: 'config:\n      nested:\n        ▸api_keys:\n          - hunter2\n',
    message:
      '`providers.orders-db.config.nested.api_keys[0]` is a secret by its name, and stands in the contract itself.',
  },
  {
    title: 'a private key under an innocent name',
    from: 'config: { url: { env: ORDERS_DB_ADMIN_URL } }',
    to: 'config:\n      ca: ▸|\n        -----BEGIN EC PRIVATE KEY-----\n',
    message: '`providers.orders-db.config.ca` holds a private key, and stands in the contract itself.',
  },
  {
    title: 'a service with an unknown provider',
    from: 'provider: orders-db',
    to: 'provider: ▸order-db',
    message: 'There is no provider "order-db".',
    next: 'write `orders-db`',
  },
  {
    title: 'a service without actions',
    from: 'services:\n',
    to: 'services:\n  idle: { provider: tokens, ▸actions: {} }\n',
    message: 'The service idle has no action.',
  },
  {
    title: 'a resource with parts that touch',
    from: '"{schema}.{table}"',
    to: '▸"{schema}{table}"',
    message: 'Where the part before "{table}" ends cannot be told.',
  },
  {
    title: 'a resource with a part twice',
    from: 'resource: "{order}"',
    to: 'resource: ▸"{order}/{order}"',
    message: 'The part `{order}` stands twice.',
  },
  {
    title: 'a resource with two parts that may hold slashes',
    from: 'resource: "{order}"',
    to: 'resource: ▸"{a+}/{b+}"',
    message: 'Only one part may hold slashes.',
  },
  {
    title: 'a resource with a part that is given anyway',
    from: 'resource: "{order}"',
    to: 'resource: ▸"{tenant}"',
    message: "`{tenant}` is the broker's word and cannot be a part.",
  },
  {
    title: 'a resource with a malformed part',
    from: 'resource: "{order}"',
    to: 'resource: ▸"{Order}"',
    message: '"{Order}" is not a part of a resource.',
  },
  {
    title: 'a resource with a wildcard',
    from: 'resource: "{order}"',
    to: 'resource: ▸"orders/*"',
    message: '"*" cannot stand in a resource, so nothing could ever match.',
  },
  {
    title: 'a template that uses a part which is not there',
    from: 'table: "{table}" }',
    to: 'table: ▸"{tabel}" }',
    message: "`{tabel}` is not a part of the action's resource.",
    next: 'write `{table}`',
  },
  {
    title: 'two grants with one id',
    from: 'id: acme-reads-its-orders',
    to: 'id: ▸agent-7-reads-orders',
    message: 'The grant "agent-7-reads-orders" stands twice; the first is on line «id: agent-7-reads».',
  },
  {
    title: 'a grant to an agent of another tenant',
    from: '  - id: agent-7-reads-orders\n    tenant: acme\n    agents: [agent-7]',
    to: '  - id: agent-7-reads-orders\n    tenant: globex\n    agents: [▸agent-7]',
    message: 'The agent agent-7 belongs to the tenant acme (line «agent-7:»+1), not to globex.',
  },
  {
    title: 'a grant to an unknown tenant',
    from: '  - id: acme-reads-its-orders\n    tenant: acme',
    to: '  - id: acme-reads-its-orders\n    tenant: ▸initech',
    message: 'There is no tenant "initech".',
    next: 'add "initech" under `tenants`, or name one of acme, globex',
  },
  {
    title: 'a grant to an unknown agent',
    from: 'agents: [agent-7]',
    to: 'agents: [▸agent-9]',
    message: 'There is no identity "agent-9".',
    next: 'write `agent-7`',
  },
  {
    title: 'a grant to a pattern of agents',
    from: 'agents: [agent-7]',
    to: 'agents: [▸agent-*]',
    message: '"agent-*" names no agent: `*` stands alone, for every agent.',
  },
  {
    title: 'a grant to someone on another plane',
    from: 'agents: [agent-7]',
    to: 'agents: [agent-7, ▸dana]',
    message: 'The agent dana calls on the human plane (line «dana:»+2), where this grant does not hold.',
    next: 'add human to the `planes` of the grant, or remove the agent',
  },
  {
    title: 'a grant on an unknown service',
    from: 'service: orders-db',
    to: 'service: ▸order-db',
    message: 'There is no service "order-db".',
  },
  {
    title: 'a grant of an unknown action',
    from: 'actions: [read-table]',
    to: 'actions: [▸read-tables]',
    message: 'There is no action "read-tables" in the service orders-db.',
    next: 'write `read-table`',
  },
  {
    title: 'a grant of every action',
    from: 'actions: [read-table]',
    to: 'actions: [▸"s3:*"]',
    message: '"s3:*": an action cannot be named with a wildcard.',
  },
  {
    title: 'a grant of every action on everything',
    from: ownActions,
    to: '    actions: ["s3:*"]\n    resources: [▸"*"]\n',
    message: '"*" over the action "s3:*" grants everything.',
  },
  {
    title: 'a resource pattern with another wildcard',
    from: 'resources: [public.orders]',
    to: 'resources: [▸"public.order?"]',
    message: '"public.order?" is not a pattern of resources: `*` and `**` are its only wildcards.',
  },
  {
    title: 'a resource that no action could have',
    from: 'resources: [public.orders]',
    to: 'resources: [▸public/orders]',
    message: 'No action of this grant has a resource that is written "public/orders".',
  },
  {
    title: 'a grant in an unknown mode',
    from: 'resources: [public.orders]\n    modes: [LOCAL, PROD]',
    to: 'resources: [public.orders]\n    modes: [LOCAL, ▸PRD]',
    message: 'There is no mode "PRD".',
    next: 'write `PROD`',
  },
  {
    title: 'a grant above a ceiling',
    from: 'resources: [public.orders]\n    modes: [LOCAL, PROD]\n    maxDuration: 15m',
    to: 'resources: [public.orders]\n    modes: [LOCAL, PROD]\n    maxDuration: ▸30m',
    message: '`maxDuration` is 30m, but the ceiling of PROD (line «residual:») is 15m.',
    next: 'write `maxDuration: 15m`, or split the grant by mode',
  },
  {
    title: 'an alert with credentials in its URL',
    from: 'alertmanager: http://127.0.0.1:9093',
    to: 'alertmanager: ▸http://a:b@127.0.0.1:9093',
    message: '`alerts[0].alertmanager` must be an http or https URL without credentials in it.',
  },
]

for (const { title, from, to, message, next } of cases)
  test(`${title} is a problem at its place`, () => {
    const expected = marked(changed(from, to))
    const wanted = withLines(message, expected.text)
    const found = problemsOf(expected.text).find((problem) => problem.message === wanted)
    assert.ok(found, JSON.stringify(problemsOf(expected.text), undefined, 1))
    if (to.includes('▸'))
      assert.deepEqual(found.place, { line: expected.line, column: expected.column }, JSON.stringify(found))
    assert.ok(found.next, 'every problem says what to do next')
    if (next !== undefined) assert.equal(found.next, next)
  })

test('the demo is a contract', () => {
  const contract = read(demo)
  assert.equal(contract.name, 'demo')
  assert.equal(contract.machineKeyHeader, 'X-AOS-Key')
  assert.deepEqual(
    [...contract.modes.values()].map((mode) => [mode.name, mode.maxDurationSeconds, mode.maxResidualSeconds]),
    [
      ['LOCAL', 3600, undefined],
      ['PROD', 900, 900],
    ],
  )
  assert.deepEqual(contract.grants[0]?.planes, ['machine'])
  assert.equal(contract.grants[0]?.maxDurationSeconds, 900)
  assert.equal(contract.issuers.get('clerk')?.clockSkewSeconds, 30)
  assert.equal(contract.issuers.get('clerk')?.maxAgeSeconds, 3600)
  assert.deepEqual(contract.identities.get('dana')?.roles, ['operator', 'auditor'])
  assert.deepEqual(contract.providers.get('orders-db')?.config, { url: { env: 'ORDERS_DB_ADMIN_URL' } })
  assert.equal(contract.defaultDurationSeconds, 900)
})

test('the digest is the SHA-256 of the bytes', () => {
  const text = `${demo}# naïve 🔑\n`
  const expected = createHash('sha256').update(Buffer.from(text, 'utf8')).digest('hex')
  assert.equal(read(text).digest, `sha256:${expected}`)
})

test('an adapter finds the place of what stands in its configuration', () => {
  const { text, line, column } = marked(changed('url: {', '▸url: {'))
  const contract = read(text)
  assert.deepEqual(contract.placeOf(['providers', 'orders-db', 'config', 'url']), { line, column })
  assert.deepEqual(contract.placeOf(['providers', 'orders-db', 'config', 'url', 'nothing', 7]), {
    line,
    column,
  })
  const maxDuration = { line: Number(withLines('«maxDuration»', text)), column: 18 }
  assert.deepEqual(contract.placeOf(['grants', 0, 'maxDuration']), maxDuration)
  assert.deepEqual(contract.placeOf(['nowhere']), contract.placeOf([]))
})

test('a proof by certificate or key keeps its 64 hexadecimal characters', () => {
  const text = changed(
    agentProof,
    `      - key: ${machineHash}\n      - certificate: sha256:${'b'.repeat(64)}\n`,
  )
  assert.deepEqual(read(text).identities.get('agent-7')?.proofs.slice(0, 2), [
    { kind: 'machine-key', sha256: 'a'.repeat(64) },
    { kind: 'certificate', sha256: 'b'.repeat(64) },
  ])
})

test('a residual of nothing is a bound', () => {
  assert.equal(read(changed('residual: 15m', 'residual: 0s')).modes.get('PROD')?.maxResidualSeconds, 0)
})

for (const url of ['http://127.0.0.1:8080/realm', 'http://[::1]:8080', 'http://localhost:8080'])
  test(`an issuer may be at ${url}`, () => {
    read(changed('issuer: https://clerk.example.test', `issuer: ${url}`))
  })

for (const url of [
  'https://u:p@a.test',
  'https://a.test?x=1',
  'https://a.test#x',
  'ftp://a.test',
  'https://',
  'a.test',
  'https://a b',
])
  test(`an issuer cannot be at ${url}`, () => {
    const problems = problemsOf(changed('issuer: https://clerk.example.test', `issuer: "${url}"`))
    assert.match(problems[0]?.message ?? '', /^`issuers\.clerk\.issuer` must be an https URL/)
  })

test('the keys of an issuer may be at an address with a query', () => {
  const text = changed('openid/v1/jwks', 'openid/v1/jwks?p=1')
  assert.equal(
    read(text).issuers.get('cluster')?.jwksUri,
    'https://kubernetes.default.svc/openid/v1/jwks?p=1',
  )
})

test('clock skew and age may be exactly as long as the limit', () => {
  const text = changed('clockSkew: 30s\n    maxAge: 1h', 'clockSkew: 5m\n    maxAge: 24h')
  assert.equal(read(text).issuers.get('cluster')?.clockSkewSeconds, 300)
})

test('a name may have 63 characters, and no more', () => {
  read(changed(lastTenant, `tenants: [acme, globex, ${'a'.repeat(63)}]`))
  assert.equal(problemsOf(changed(lastTenant, `tenants: [acme, globex, ${'a'.repeat(64)}]`)).length, 1)
})

for (const name of ['constructor', 'toString', 'hasOwnProperty'])
  test(`a tenant, a provider and a claim may be called ${name} and stay data`, () => {
    const text = changed(lastTenant, `tenants: [acme, globex, ${name}]`)
      .replace('providers:\n', `providers:\n  ${name}: { kind: jwt, config: { ${name}: { ${name}: 1 } } }\n`)
      .replace('{ sub: user_dana }', `{ sub: user_dana, ${name}: x }`)
    const contract = read(text)
    assert.equal(contract.tenants.get(name)?.name, name)
    assert.deepEqual(contract.providers.get(name)?.config, { [name]: { [name]: 1 } })
    assert.equal(read(demo).tenants.get(name), undefined)
    assert.equal(
      problemsOf(demo.replace('tenant: acme', `tenant: ${name}`))[0]?.message,
      `There is no tenant "${name}".`,
    )
  })

test('shape and reference problems are found in one reading, in the order of the file', () => {
  const text = changed('clockSkew: 30s', 'clockSkew: soon')
    .replace('provider: orders-db', 'provider: orders')
    .replace('maxDuration: 15m', 'maxDuration: 2h')
    .replace('onMismatch: fail-stop', 'onMismatch: go-on')
  assert.deepEqual(
    problemsOf(text).map(({ place, message }) => [place.line, message]),
    [
      ['«onMismatch»', '`metadata.onMismatch` is "go-on", but must be fail-stop.'],
      [
        '«clockSkew»',
        '`issuers.cluster.clockSkew` is "soon", but must be a duration such as `30s`, at most 5m.',
      ],
      ['«provider: orders»', 'There is no provider "orders".'],
      ['«maxDuration»', '`maxDuration` is 2h, but the ceiling of LOCAL (line «duration: 1h») is 1h.'],
      ['«maxDuration»', '`maxDuration` is 2h, but the ceiling of PROD (line «residual:») is 15m.'],
    ].map(([line = '', message = '']) => [Number(withLines(line, text)), withLines(message, text)]),
  )
})

test('a section under a misspelt name is one problem, not one for each reference to what is in it', () => {
  for (const section of ['tenants', 'identities', 'providers', 'services', 'modes'] as const) {
    const text = changed(`\n${section}:`, `\n${section.slice(0, -1)}x:`)
    assert.deepEqual(
      problemsOf(text).map(({ message, next }) => [message, next]),
      [[`The contract has no key "${section.slice(0, -1)}x".`, `write \`${section}\``]],
    )
  }
})

test('fifty problems stand in the message of what is thrown, and more are counted', () => {
  const lines = (count: number) => {
    const place = { line: 1, column: 1 }
    return contractInvalid(file, Array(count).fill({ message: 'Wrong.', place })).message.split('\n')
  }
  assert.deepEqual([lines(50).length, new Set(lines(50)).size], [50, 1])
  assert.deepEqual(lines(51).slice(49), [`${file}:1:1: Wrong.`, '… and 1 more.'])
})

test('requiring a contract throws every problem as file, line, column and message', () => {
  const text = changed('onMismatch: fail-stop', 'onMismatch: warn').replace(
    'modes: [LOCAL, PROD]',
    'modes: [PRD]',
  )
  assert.throws(
    () => requireContract({ text, file }),
    (thrown) => {
      assert.ok(thrown instanceof Failure)
      assert.equal(thrown.code, 'contract_invalid')
      assert.deepEqual(thrown.message.split('\n'), [
        'contracts/demo.yaml:5:15: `metadata.onMismatch` is "warn", but must be fail-stop.',
        withLines('contracts/demo.yaml:«modes: [PRD]»:13: There is no mode "PRD".', text),
      ])
      assert.equal(thrown.next, 'write `fail-stop`')
      return true
    },
  )
})
