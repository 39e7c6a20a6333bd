import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { policyData } from '../contract/index.ts'
import { contractFixture } from '../testing/contract.ts'
import { createGrantPolicy } from '../testing/grant-policy.ts'
import { disguises, hostileTexts, isPolicyUnavailable } from '../testing/policy.ts'
import { arbitraryGrants } from '../testing/policy-cases.ts'
import { commandLine } from './command-line.ts'
import { decide } from './decide.ts'
import type { Decision } from './decision.ts'
import { nearestTriesMax } from './nearest.ts'
import { policyUnavailable } from './policy-answer.ts'
import type { Caller, PolicyAnswer, PolicyEngine } from './ports/index.ts'
import type { CredentialRequest } from './request.ts'
import type { Inquiry } from './ruling.ts'

const agent7: Caller = {
  plane: 'machine',
  tenant: 'acme',
  agent: 'agent-7',
  roles: [],
  method: 'certificate',
  subject: 'spiffe://demo.test/agent-7',
}
const orders: CredentialRequest = { service: 'orders-db', action: 'read-table', resource: 'public.orders' }

type Case = {
  readonly contract?: Inquiry['contract']
  readonly mode?: string
  readonly engine?: PolicyEngine
  readonly caller?: Partial<Caller>
  readonly request?: Partial<CredentialRequest>
}

function decideCase(change: Case): Promise<Decision> {
  const contract = change.contract ?? contractFixture()
  const mode = contract.modes.get(change.mode ?? 'PROD')
  assert.ok(mode)
  return decide({
    contract,
    mode,
    engine: change.engine ?? createGrantPolicy(contract),
    caller: { ...agent7, ...change.caller },
    request: { ...orders, ...change.request },
    signal: new AbortController().signal,
  })
}

async function allowed(change: Case) {
  const decision = await decideCase(change)
  assert.ok(decision.kind === 'allowed', JSON.stringify(decision))
  return decision
}

async function denied(change: Case) {
  const decision = await decideCase(change)
  assert.ok(decision.kind === 'denied', JSON.stringify(decision))
  return decision
}

/** An engine of a user's own, which counts how often it is asked. */
function engineOf(answer: (seconds: number) => PolicyAnswer) {
  const asked: number[] = []
  const engine: PolicyEngine = {
    revision: 'own sha256:1',
    async decide(question) {
      asked.push(question.duration_seconds)
      return answer(question.duration_seconds)
    },
  }
  return { engine, asked }
}

test('an allow names the grant, its line, the parts of the resource and the duration', async () => {
  const decision = await allowed({ request: { durationSeconds: 300 } })
  assert.equal(decision.rule, 'agent-7-reads-orders')
  assert.equal(decision.place.line, 200)
  assert.equal(decision.action.name, 'read-table')
  assert.equal(decision.durationSeconds, 300)
  assert.deepEqual({ ...decision.parts }, { schema: 'public', table: 'orders', resource: 'public.orders' })
})

test('each rule is told apart, with its line and what to do', async () => {
  const asked = 'sallyport request orders-db read-table public.orders'
  const cases: readonly (readonly [Case, string, number, string])[] = [
    [{ request: { resource: 'public.*' } }, 'wildcard', 101, asked],
    [{ request: { service: 's3:*' } }, 'wildcard', 99, "sallyport explain 's3:*' read-table public.orders"],
    [{ request: { action: 'read-*' } }, 'wildcard', 100, asked],
    [
      { request: { service: 'orders' } },
      'service_unknown',
      99,
      'sallyport explain orders read-table public.orders',
    ],
    [{ request: { action: 'drop-table' } }, 'action_unknown', 100, asked],
    [{ request: { resource: 'orders' } }, 'resource_malformed', 101, asked],
    [{ request: { resource: 'public.orders ' } }, 'resource_malformed', 101, asked],
    [{ request: { durationSeconds: 901 } }, 'mode_ceiling', 11, `${asked} --duration 15m`],
    [{ request: { durationSeconds: 0 } }, 'duration', 11, asked],
    [{ request: { durationSeconds: 1.5 } }, 'duration', 11, asked],
    [{ mode: 'LOCAL', request: { durationSeconds: 901 } }, 'duration', 200, `${asked} --duration 15m`],
    [
      { caller: { agent: 'agent-8' } },
      'no_grant',
      199,
      'sallyport explain orders-db read-table public.orders',
    ],
    [{ request: { action: 'write-table' } }, 'no_grant', 199, asked],
    [{ caller: { plane: 'human' } }, 'plane', 200, 'sallyport explain orders-db read-table public.orders'],
    [{ request: { resource: 'public.users' } }, 'resource', 200, asked],
  ]
  for (const [change, rule, line, next] of cases) {
    const decision = await denied(change)
    assert.deepEqual(
      { rule: decision.rule, line: decision.place.line, next: decision.next, file: decision.file },
      { rule, line, next, file: 'sallyport.yaml' },
      decision.reason,
    )
  }
})

test('a denial by mode names the grant that was nearly right', async () => {
  const contract = contractFixture({
    grants: [
      { id: 'other', resources: ['x'], planes: [] },
      { id: 'near', modes: ['LOCAL'] },
    ],
  })
  const decision = await denied({ contract })
  assert.equal(decision.rule, 'mode')
  assert.equal(decision.place.line, 201)
  assert.equal(decision.reason, 'No grant gives orders-db read-table to agent-7 of acme in mode PROD.')
})

test('a denial by resource names the patterns of the agent, and a concrete one as the nearest', async () => {
  const resources = ['logs.*', 'public.items', 'public.users_old', 'a.a', 'b.b']
  const contract = contractFixture({ grants: [{ id: 'some', resources }] })
  const decision = await denied({ contract, request: { resource: 'public.users' } })
  assert.equal(
    decision.reason,
    'agent-7 of acme has orders-db read-table on logs.*, public.items, public.users_old and 2 more, not on public.users.',
  )
  assert.deepEqual(decision.nearest, { ...orders, resource: 'public.users_old' })

  const patterns = contractFixture({ grants: [{ id: 'patterns', resources: ['logs.*'] }] })
  const vague = await denied({ contract: patterns })
  assert.match(vague.reason, /on logs\.\*, not on public\.orders/)
  assert.equal(vague.nearest, undefined)
})

test('another action on the same resource is nearer than another resource of another action', async () => {
  const grants = [
    { id: 'a', resources: ['public.items'] },
    { id: 'b', resources: ['public.*'] },
  ]
  const decision = await denied({ contract: contractFixture({ grants }), request: { action: 'write-table' } })
  assert.deepEqual(decision.nearest, orders)
})

test('the nearest request is really allowed, and within the duration of its grant', async () => {
  const contract = contractFixture({ grants: [{ id: 'short', maxDurationSeconds: 60 }] })
  const decision = await denied({ contract, request: { resource: 'public.users', durationSeconds: 3600 } })
  assert.deepEqual(decision.nearest, { ...orders, durationSeconds: 60 })
  assert.match(decision.next, /--duration 1m$/)
  await allowed({ contract, request: decision.nearest ?? {} })
})

test('a duration that was asked is never cut: over the grant is a denial that names the longest', async () => {
  const grants = [60, 600, 300].map((seconds) => ({ id: `g${seconds}`, maxDurationSeconds: seconds }))
  const contract = contractFixture({ grants })
  assert.equal((await allowed({ contract, request: { durationSeconds: 600 } })).rule, 'g600')
  const decision = await denied({ contract, request: { durationSeconds: 601 } })
  assert.equal(decision.reason, '601s is longer than the 10m of grant g600.')
  assert.equal(decision.place.line, 201)
  assert.deepEqual(decision.nearest, { ...orders, durationSeconds: 600 })
})

test('without a duration it is the default, or the longest that mode and grant allow when that is less', async () => {
  const grants = [7, 60, 3600].map((seconds) => ({
    id: `g${seconds}`,
    maxDurationSeconds: seconds,
    resources: seconds === 3600 ? ['public.long'] : ['public.orders'],
  }))
  const contract = contractFixture({ grants, defaultDurationSeconds: 1200 })
  assert.equal((await allowed({ contract, request: { resource: 'public.long' } })).durationSeconds, 900)
  const local = { contract, mode: 'LOCAL' }
  assert.equal((await allowed({ ...local, request: { resource: 'public.long' } })).durationSeconds, 1200)
  const shorter = await allowed({ contract })
  assert.deepEqual([shorter.durationSeconds, shorter.rule], [60, 'g60'])
})

test('the longest duration is found by halves among many', async () => {
  const grants = Array.from({ length: 500 }, (_, nth) => ({
    id: `g${nth}`,
    maxDurationSeconds: nth + 1,
    resources: [nth < 321 ? 'public.orders' : 'public.other'],
  }))
  const contract = contractFixture({ grants })
  const plain = createGrantPolicy(contract)
  let asked = 0
  const engine: PolicyEngine = {
    ...plain,
    decide: (question, signal) => {
      asked += 1
      return plain.decide(question, signal)
    },
  }
  assert.equal((await allowed({ contract, engine })).durationSeconds, 321)
  assert.ok(asked <= 10, `${asked}`)
})

test('a denial says nothing of the grants of other tenants and other agents', async () => {
  const crowd = Array.from({ length: nearestTriesMax }, (_, nth) => `public.order${nth}`)
  const secret = { resources: ['secret.ledger', 'secret.*', ...crowd], service: 'orders-db' }
  const grants = [
    { id: 'secret-globex', tenant: 'globex', agents: ['*'], ...secret },
    { id: 'secret-agent-8', agents: ['agent-8'], ...secret, actions: ['read-table', 'write-table'] },
    { id: 'secret-dana', agents: ['dana'], planes: ['human'] as const, ...secret },
    { id: 'own', resources: ['public.items'] },
  ]
  const contract = contractFixture({ grants })
  const requests: readonly Partial<CredentialRequest>[] = [
    {},
    { resource: 'secret.ledger2' },
    { action: 'write-table' },
    { action: 'nothing' },
    { resource: 'secret.*' },
    { durationSeconds: 9999 },
  ]
  for (const request of requests) {
    const withOthers = await denied({ contract, request })
    const alone = await denied({ contract: contractFixture({ grants: grants.slice(3) }), request })
    const { place: _, ...said } = withOthers
    const { place: __, ...saidAlone } = alone
    assert.deepEqual(said, saidAlone)
    assert.ok(![200, 201, 202].includes(withOthers.place.line), withOthers.reason)
  }
})

test('the ceiling holds whatever policy says, and policy is not asked', async () => {
  const { engine, asked } = engineOf(() => ({ allow: true, grant: 'everything' }))
  const requests: readonly Partial<CredentialRequest>[] = [
    ...hostileTexts.flatMap((text) => [{ service: text }, { action: text }, { resource: text }]),
    ...disguises('orders-db').map((service) => ({ service })),
    ...disguises('read-table').map((action) => ({ action })),
    ...disguises('public.orders')
      .filter((text) => text !== 'PUBLIC.ORDERS')
      .map((resource) => ({ resource })),
    ...[0, -1, 1.5, Number.NaN, Infinity, 901].map((durationSeconds) => ({ durationSeconds })),
  ]
  // Agents without grants have nothing near, so that policy would be asked for the request alone.
  for (const request of requests)
    assert.equal((await denied({ engine, request, caller: { agent: 'agent-8' } })).policy, 'contract')
  assert.deepEqual(new Set(asked), new Set([900]), 'asked only for the same request for less time')
})

test('no disguise of a tenant, an agent or a mode is allowed', async () => {
  for (const text of [...hostileTexts, ...disguises('acme')]) await denied({ caller: { tenant: text } })
  for (const text of [...hostileTexts, ...disguises('agent-7')]) await denied({ caller: { agent: text } })
})

test('a rule of the user is allowed at the line of the action, and its denial is custom', async () => {
  const own = await allowed({ engine: engineOf(() => ({ allow: true, grant: 'office-hours' })).engine })
  assert.deepEqual([own.rule, own.place.line, own.policy], ['office-hours', 101, 'own sha256:1'])
  const { engine, asked } = engineOf(() => ({ allow: false, reason: 'custom' }))
  const refused = await denied({ engine })
  assert.deepEqual([refused.rule, refused.place.line, refused.policy], ['custom', 101, 'own sha256:1'])
  assert.ok(asked.length <= nearestTriesMax + 1)
})

test('a policy that names a grant of another tenant decides nothing', async () => {
  const { engine } = engineOf(() => ({ allow: true, grant: 'robot-reads-orders' }))
  await assert.rejects(decideCase({ engine }), isPolicyUnavailable)
})

test('a policy that cannot decide is a failure and not a denial', async () => {
  const { engine } = engineOf(() => {
    throw policyUnavailable('gone')
  })
  await assert.rejects(decideCase({ engine }), isPolicyUnavailable)
})

test('a denial tries at most so many other requests', async () => {
  const resources = Array.from({ length: 100 }, (_, nth) => `public.t${nth}`)
  const { engine, asked } = engineOf(() => ({ allow: false, reason: 'resource' }))
  await denied({ engine, contract: contractFixture({ grants: [{ id: 'many', resources }] }) })
  assert.equal(asked.length, 1 + nearestTriesMax)
})

test('the command of a denial is one command for a shell, whatever was asked', async (context) => {
  let cases = 0
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.string()),
      async ([service, action, resource]) => {
        cases += 1
        const line = commandLine('explain', { service, action, resource })
        assert.ok(!/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line), JSON.stringify(line))
      },
    ),
    { numRuns: 500 },
  )
  context.diagnostic(`${cases} commands`)
  const attack = {
    service: "'; touch /tmp/x #",
    action: '$(id)`id`',
    resource: '--json\r\u001b[2K\u202e" \\',
  }
  const line = commandLine('explain', { ...attack, durationSeconds: 90 })
  const shown = execFileSync('sh', ['-c', `sallyport() { printf '%s\\n' "$@"; }; ${line}`], {
    encoding: 'utf8',
  })
  assert.deepEqual(shown.trimEnd().split('\n'), [
    'explain',
    '--duration',
    '90s',
    '--',
    "'; touch /tmp/x #",
    '$(id)`id`',
    '--json\\u000d\\u001b[2K\\u202e" \\',
  ])
})

test('what does not print is shown as an escape: a word that is refused never looks like one that is allowed', async () => {
  const cases = [
    ['\0', '\\u0000'],
    ['\u200b', '\\u200b'],
    ['\u{e0041}', '\\udb40\\udc41'],
  ] as const
  for (const [hidden, shown] of cases) {
    const { reason } = await denied({ request: { resource: `public.orders${hidden}` } })
    assert.ok(reason.includes(`'public.orders${shown}'`), reason)
    const { next } = await denied({ request: { service: `orders${hidden}` } })
    assert.equal(next, `sallyport explain 'orders${shown}' read-table public.orders`)
  }
})

test('any denial has a sentence, a command and, if a nearest request, one that is allowed', async () => {
  const cases = 300
  const rules = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(
      arbitraryGrants,
      fc.record({
        service: fc.constantFrom('orders-db', 'files', 'nothing'),
        action: fc.constantFrom('read-table', 'write-table', 'read-object'),
        resource: fc.constantFrom('a.b', 'ab.a', 'a/b', 'a', 'b*'),
        durationSeconds: fc.constantFrom(1, 60, 900, 901),
      }),
      async (contract, request) => {
        const decision = await decideCase({ contract, request })
        rules.set(decision.rule, (rules.get(decision.rule) ?? 0) + 1)
        if (decision.kind === 'allowed') return
        assert.match(decision.reason, /^\S.*\.$/)
        assert.match(decision.next, /^sallyport (explain|request) /)
        if (decision.nearest) await allowed({ contract, request: decision.nearest })
      },
    ),
    { numRuns: cases },
  )
  console.log(`decided: ${cases}`, Object.fromEntries([...rules].filter(([word]) => !/^g\d/.test(word))))
})

test('the data for policy holds every grant under its tenant, service and action, in order', () => {
  const contract = contractFixture({
    grants: [
      { id: 'b', actions: ['read-table', 'write-table', 'read-table'], resources: ['x.y', 'a+*', '*.a+*'] },
      { id: 'a', tenant: '__proto__' },
      { id: 'c' },
    ],
  })
  const data = policyData(contract)
  const parsed: unknown = JSON.parse(JSON.stringify(data))
  assert.deepEqual(parsed, JSON.parse(JSON.stringify(data)))
  assert.equal(data.revision, contract.digest)
  assert.deepEqual(Object.keys(data.grants), ['acme', '__proto__'])
  const ids = data.grants['acme']?.['orders-db']?.['read-table']?.map((grant) => grant.id)
  assert.deepEqual(ids, ['b', 'c'])
  const [grant] = data.grants['acme']?.['orders-db']?.['write-table'] ?? []
  assert.deepEqual(grant?.spans, [{ before: 'a+', after: '', slashes: false }])
  assert.deepEqual(grant?.expressions, ['^(?s:[^/]*\\.a\\+[^/]*)$'])
})
