import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPlaneMap, judgeProbe, type ProbeAnswer, type ProbeTry, planProbe } from './index.ts'
import { contract, contractOf, contractWith, mapIn } from './planes.fixture.ts'

const credentials = ['human', 'machine', 'sandbox']

/** Statuses of a service, by what is tried; the body is that of a closed gate. */
function probe(mode: string, service: (tried: ProbeTry) => number | undefined) {
  const map = mapIn(mode)
  const probes = planProbe({ contract, map, credentials }).map((tried) => {
    const status = service(tried)
    const answer: ProbeAnswer =
      status === undefined
        ? { kind: 'failed', why: 'no answer' }
        : { kind: 'answered', status, body: '{"error":"not_found"}' }
    return { tried, answer }
  })
  return judgeProbe(contract, map, probes)
}

/** As the contract wants it. */
function good({ expects, plane }: ProbeTry): number {
  if (expects === 'admitted') return 200
  return plane === undefined ? 404 : 403
}

test('each endpoint is tried with nothing, with its own credential and with each other plane’s', () => {
  const tried = planProbe({ contract, map: mapIn('PROD'), credentials })
  for (const endpoint of ['/api/v1/accounts/*', '/api/v1/runs/*', '/api/v1/telemetry/*'])
    assert.deepEqual(
      tried
        .filter((one) => one.endpoint === endpoint)
        .map(({ shown }) => shown ?? 'nothing')
        .sort(),
      ['human', 'machine', 'nothing', 'sandbox'],
    )
  assert.equal(tried.filter(({ expects }) => expects === 'the gate’s answer').length, 8)
  assert.equal(tried.filter(({ endpoint }) => endpoint === undefined).length, 1)
})

test('a service that keeps the contract gives no finding', () => {
  for (const mode of ['LOCAL', 'TEST', 'PREPROD', 'PROD']) assert.deepEqual(probe(mode, good), [])
})

test('each crossing is a finding in the words and with the severity of the seed', () => {
  const [first, ...others] = probe('PROD', (tried) =>
    tried.plane === 'human' && tried.shown === 'machine' ? 200 : good(tried),
  )
  assert.deepEqual(others, [])
  assert.ok(first)
  const { tried, ...finding } = first
  assert.deepEqual(finding, {
    rule: 'plane-crossed',
    severity: 'security-bug',
    message: 'Machine key accepted on human endpoint /api/v1/accounts/*',
    seen: '200',
    prohibition: 'machine-keys-on-human-endpoints',
    reason: 'Privilege escalation',
  })
  const jwt = probe('PROD', (tried) =>
    tried.plane === 'machine' && tried.shown === 'human' ? 201 : good(tried),
  )
  assert.deepEqual(
    jwt.map(({ message, severity, prohibition }) => [message, severity, prohibition]),
    ['runs', 'telemetry'].map((name) => [
      `Clerk JWT accepted on machine endpoint /api/v1/${name}/*`,
      'security-bug',
      'clerk-jwt-on-machine-endpoints',
    ]),
  )
})

test('an open endpoint, an open gate, a sandbox in production and an unknown path are findings of their own', () => {
  const rules = (service: (tried: ProbeTry) => number | undefined) => [
    ...new Set(probe('PROD', service).map(({ rule, severity }) => `${rule} ${severity}`)),
  ]
  assert.deepEqual(
    rules((tried) => (tried.plane && !tried.shown ? 200 : good(tried))),
    ['unauthenticated security-bug'],
  )
  assert.deepEqual(
    rules((tried) => (tried.shown === 'sandbox' && tried.plane === 'human' ? 200 : good(tried))),
    ['plane-closed high'],
  )
  assert.deepEqual(
    rules((tried) => (tried.expects === 'the gate’s answer' ? 200 : good(tried))),
    ['gate-open high'],
  )
  assert.deepEqual(
    rules((tried) => (tried.expects === 'the gate’s answer' ? 403 : good(tried))),
    ['gate-open low'],
  )
  assert.deepEqual(
    rules((tried) => (tried.endpoint === undefined ? 200 : good(tried))),
    ['unknown-endpoint medium'],
  )
})

test('an answer that is neither yes nor no is held against that of the right credential', () => {
  const answered = (right: number, crossing: number) =>
    probe('PROD', (tried) => {
      if (tried.plane !== 'human') return good(tried)
      if (tried.shown === 'human') return right
      return tried.shown === 'machine' ? crossing : 401
    }).map(({ rule }) => rule)
  assert.deepEqual(answered(404, 404), ['plane-crossed'])
  assert.deepEqual(answered(200, 404), [])
  assert.deepEqual(answered(200, 302), [])
  assert.deepEqual(answered(405, 405), ['plane-crossed'])
  assert.deepEqual(answered(200, 500), ['unclear'])
  assert.deepEqual(answered(401, 403), ['right-refused'])
  assert.deepEqual(answered(401, 404), ['right-refused', 'unclear'])
  assert.deepEqual(answered(401, 200), ['right-refused', 'plane-crossed'])
})

test('without the right credential an answer that is neither yes nor no cannot be told', () => {
  const map = mapIn('PROD')
  const probes = planProbe({ contract, map, credentials: ['machine'] }).map((tried) => {
    const status = tried.plane === 'human' ? 404 : good(tried)
    return { tried, answer: { kind: 'answered', status, body: '{"error":"not_found"}' } as const }
  })
  assert.deepEqual(
    judgeProbe(contract, map, probes).map(({ rule, tried }) => [rule, tried.plane, tried.shown]),
    [
      ['unclear', 'human', undefined],
      ['unclear', 'human', 'machine'],
    ],
  )
})

test('an endpoint of a plane behind a closed gate is tried for the gate’s answer', () => {
  const gated = contractOf({ machine: ['/x/dump', '/x/table/*', '/runs/*'], gates: ['/x/dump', '/x/*'] })
  const map = createPlaneMap({ contract: gated, mode: 'PROD', variables: {} })
  const plan = planProbe({ contract: gated, map, credentials: ['machine'] })
  assert.deepEqual(
    [...new Set(plan.map(({ path, expects }) => `${path} ${expects}`))],
    [
      '/x/table/sallyport-probe the gate’s answer',
      '/runs/sallyport-probe admitted',
      '/runs/sallyport-probe refused',
      '/x/dump the gate’s answer',
      '/x/sallyport-probe the gate’s answer',
      '/sallyport-probe/unknown refused',
    ],
  )
  const answers = (status: number) =>
    judgeProbe(
      gated,
      map,
      plan.map((tried) => ({ tried, answer: { kind: 'answered', status, body: '{"error":"not_found"}' } })),
    )
  assert.deepEqual(
    answers(200)
      .filter(({ tried }) => tried.path === '/x/table/sallyport-probe')
      .map(({ rule }) => rule),
    ['gate-open', 'gate-open'],
  )
})

test('an endpoint that no request is of is not well: it cannot be told', () => {
  const unreached = contractWith(
    '    scheme: { type: connectionString',
    '    endpoints: ["/tables/*"]\n    scheme: { type: connectionString',
  )
  const map = createPlaneMap({ contract: unreached, mode: 'PROD', variables: {} })
  const probes = planProbe({ contract: unreached, map, credentials }).map((tried) => ({
    tried,
    answer: { kind: 'answered', status: good(tried), body: '{"error":"not_found"}' } as const,
  }))
  assert.deepEqual(
    judgeProbe(unreached, map, probes).map(({ rule, severity, message }) => [rule, severity, message]),
    [
      [
        'unclear',
        undefined,
        'It cannot be told for /tables/*: no request is of the plane database there in PROD.',
      ],
    ],
  )
})

test('a gate that is tried at a path of none is not well: it cannot be told', () => {
  const paths = new Map([['/__debug/openapi_inspect', '/elsewhere']])
  const map = mapIn('PROD')
  const probes = planProbe({ contract, map, credentials, paths }).map((tried) => ({
    tried,
    answer: { kind: 'answered', status: good(tried), body: '{"error":"not_found"}' } as const,
  }))
  assert.deepEqual(
    judgeProbe(contract, map, probes).map(({ rule, tried }) => [rule, tried.path]),
    Array.from({ length: 4 }, () => ['unclear', '/elsewhere']),
  )
})

test('a service that does not answer is unclear, never well', () => {
  const findings = probe('PROD', () => undefined)
  assert.ok(
    findings.length > 10 &&
      findings.every(({ rule, severity }) => rule === 'unclear' && severity === undefined),
  )
})
