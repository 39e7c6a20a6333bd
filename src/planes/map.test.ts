import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { endpointMatches } from '../contract/index.ts'
import { createPlaneMap } from './index.ts'
import { contract, contractOf, contractWith, mapIn, modes } from './planes.fixture.ts'

function accepted(mode: string, path: string, sandbox?: string): readonly string[] | string {
  const route = mapIn(mode, sandbox).route('GET', path)
  return route.kind === 'plane' ? [...route.accepts] : route.kind
}

test('human endpoints take the human token, and the sandbox key where mode and variable let it', () => {
  const path = '/api/v1/accounts/7'
  assert.deepEqual(accepted('LOCAL', path, 'true'), ['human', 'sandbox'])
  assert.deepEqual(accepted('LOCAL', path, 'false'), ['human'])
  assert.deepEqual(accepted('TEST', path, 'true'), ['human', 'sandbox'])
  for (const value of [undefined, '', 'false', '1', 'TRUE', 'yes', ' true'])
    assert.deepEqual(accepted('TEST', path, value), ['human'])
  assert.deepEqual(accepted('PREPROD', path, 'true'), ['human'])
  assert.deepEqual(accepted('PROD', path, 'true'), ['human'])
})

test('machine endpoints take the machine key alone, in every mode', () => {
  for (const mode of modes)
    for (const path of ['/api/v1/runs/7', '/api/v1/telemetry/a/b'])
      assert.deepEqual(accepted(mode, path, 'true'), ['machine'])
})

test('debug endpoints are there in every mode but production', () => {
  for (const mode of modes)
    for (const path of ['/__debug/openapi_nocache', '/__debug/openapi_inspect'])
      assert.equal(accepted(mode, path), mode === 'PROD' ? 'gated' : 'open-gate')
  assert.equal(accepted('PROD', '/__debug/openapi_nocache/'), 'gated')
})

test('what no plane has is unknown, also what is spelt a little otherwise', () => {
  for (const path of [
    '/',
    '/health',
    '/api/v1/runs',
    '/api/v1/runs/',
    '/API/v1/runs/7',
    '/api/v1/Runs/7',
    '/api/v1/runsx/7',
    '/x/api/v1/runs/7',
  ])
    assert.equal(accepted('PROD', path), 'unknown', path)
  assert.equal(accepted('TEST', '/__debug/openapi_nocache/'), 'unknown', 'an open gate has one spelling')
})

test('a method of proxies, or one that is none, is not routed', () => {
  for (const method of ['CONNECT', 'TRACE', 'get', '', 'GET /x'])
    assert.deepEqual(mapIn('PROD').route(method, '/api/v1/runs/7'), { kind: 'unsafe' })
})

test('a mode that the contract does not speak of opens no plane', () => {
  const map = createPlaneMap({ contract, mode: 'STAGING', variables: { CUSTOMER_SANDBOX_ENABLED: 'true' } })
  assert.equal(map.open.size, 0)
  const route = map.route('GET', '/api/v1/accounts/7')
  assert.ok(route.kind === 'plane' && route.accepts.size === 0)
})

test('a closed gate hides an endpoint of a plane, and an open one leaves it to the plane', () => {
  const gated = contractWith(
    '      /__debug/openapi_inspect:',
    '      /api/v1/runs/debug: Of a plane\n      /__debug/openapi_inspect:',
  )
  const kindIn = (mode: string) =>
    createPlaneMap({ contract: gated, mode, variables: {} }).route('GET', '/api/v1/runs/debug').kind
  assert.equal(kindIn('PROD'), 'gated')
  assert.equal(kindIn('TEST'), 'plane')
})

/** Where a request goes when the machine plane has everything, so that only a gate stands in its way. */
function kindBehind(gates: readonly string[], mode: string, path: string): string {
  const gated = contractOf({ machine: ['/*'], gates })
  return createPlaneMap({ contract: gated, mode, variables: {} }).route('GET', path).kind
}

for (const [gate, path, who] of [
  ['/x/dump', '/x/dump/', 'Express, Spring, Rails'],
  ['/x/dump', '/x/DUMP', 'Express'],
  ['/x/dump', '/X/Dump/', 'Express'],
  ['/x/Dump', '/x/dump', 'Express'],
  ['/x/dump/', '/x/dump', 'Express, Rails; Go and FastAPI redirect'],
  ['/x/dump', '/x/dump.json', 'Rails'],
  ['/x/dump', '/x/dump.json/', 'Rails'],
  ['/x/dump', '/x/dump.a.b', 'Spring before 5.3'],
  ['/x/dump.json', '/x/dump', 'Rails'],
  ['/x/dump.json', '/x/dump.xml', 'Rails'],
  ['/x/7:purge', '/x/7%3Apurge', 'Starlette, Go, Spring'],
  ['/x/7:purge', '/x/7%3apurge', 'Starlette, Go, Spring'],
  ['/x/!a', '/x/%21a', 'Hono, Fastify'],
  ['/x/dusk', '/x/du%C5%BF%E2%84%AA', 'Java and Python without case: the long s and the Kelvin sign'],
  ['/x/dim', '/x/d%C4%B1m', 'Java without case: the i without a dot'],
  ['/x/dim', '/x/d%C4%B0m', 'Java without case: the I with a dot'],
  ['/x/*', '/x/', 'Fastify, chi, Go'],
  ['/x/*', '/x', 'Hono, Spring'],
  ['/x/*', '/X/a', 'Express'],
  ['/x/v1.2/*', '/x/v1.2/', 'Fastify, chi, Go'],
  ['/x/v1.2/*', '/x/v1.2/a.json', 'everybody'],
  ['/x/*/trace', '/x/7/Trace/', 'Express'],
  ['/x/*/*', '/x/7/', 'Fastify'],
  ['/*', '/', 'Fastify'],
  ['/', '/', 'everybody'],
] as const)
  test(`the gate ${gate} closes ${path}: ${who}`, () => {
    assert.equal(kindBehind([gate], 'PROD', path), 'gated')
    assert.notEqual(kindBehind([gate], 'LOCAL', path), 'gated')
  })

for (const [gate, path] of [
  ['/x/dump', '/x/dumps'],
  ['/x/dump', '/x/dump/7'],
  ['/x/dump', '/x/dum'],
  ['/x/dump', '/x/d%C3%BCmp/7'],
  ['/x/.a', '/x/.b'],
  ['/x/*/', '/x/7/a'],
  ['/x/*', '/xx'],
  ['/x/*/*', '/x'],
  ['/x/v1.2/*', '/x/v1.3/a'],
  ['/x/v1.2/*', '/x/v1/a'],
  ['/x/v1.2/*', '/x/v1.3'],
] as const)
  test(`the gate ${gate} leaves ${path} to its plane`, () =>
    assert.equal(kindBehind([gate], 'PROD', path), 'plane'))

test('a closed gate is closed for every spelling that loses nothing but case, a slash, an ending or an escape', () => {
  const [cases, segment] = [{ count: 0 }, fc.constantFrom('a', 'B7', 'c:d', 'e@f', 'x.y', '*')]
  const spelling = fc.record({
    upper: fc.boolean(),
    slash: fc.boolean(),
    ending: fc.constantFrom('', '.json', '.a.b'),
    escaped: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 3 }), spelling, (names, how) => {
      cases.count += 1
      const plain = `/${names.map((name) => (name === '*' ? 'any' : name)).join('/')}${how.ending}`
      const cased = how.upper ? plain.toUpperCase() : plain.toLowerCase()
      const escaped = how.escaped ? cased.replaceAll(':', '%3A').replaceAll('@', '%40') : cased
      const path = `${escaped}${how.slash ? '/' : ''}`
      assert.equal(kindBehind([`/${names.join('/')}`], 'PROD', path), 'gated', path)
    }),
    { numRuns: 500 },
  )
  console.log(`${cases.count} spellings of gated paths`)
})

test('no spelling of an endpoint of a plane passes by an open gate, where no credential is asked for', () => {
  const open = contractOf({ machine: ['/x/admin/*', '/x/spec.json'], gates: ['/x/*', '/y'] })
  const kindOf = (path: string) =>
    createPlaneMap({ contract: open, mode: 'LOCAL', variables: {} }).route('GET', path).kind
  assert.equal(kindOf('/x/admin/7'), 'plane')
  assert.equal(kindOf('/x/other'), 'open-gate')
  assert.equal(kindOf('/y'), 'open-gate')
  for (const path of ['/x/ADMIN/7', '/x/admin', '/x/admin/', '/x/spec', '/x/SPEC.json', '/x/spec.json/'])
    assert.equal(kindOf(path), 'unsafe', path)
})

test('no spelling of an endpoint of a plane is of another plane', () => {
  const [counts, segment] = [{ cases: 0, planes: 0 }, fc.constantFrom('a', 'A', 'b', 'b.json', 'c:d', '*')]
  const endpoint = fc
    .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '/'))
    .map(([names, end]) => `/${names.join('/')}${end}`)
  const respelt = [
    (path: string) => path.toUpperCase(),
    (path: string) => path.toLowerCase(),
    (path: string) => (path.endsWith('/') ? path.slice(0, -1) : `${path}/`),
    (path: string) => path.replace(/\.json(\/?)$/, '$1'),
    (path: string) => path.replace(/(\.json)?(\/?)$/, '.json$2'),
    (path: string) => path.replaceAll(':', '%3a'),
  ]
  fc.assert(
    fc.property(endpoint, endpoint, (machine, human) => {
      const both = contractIfValid({ machine: [machine], human: [human] })
      if (!both) return
      const map = createPlaneMap({ contract: both, mode: 'PROD', variables: {} })
      const path = machine.replaceAll('*', 'a')
      for (const spell of respelt) {
        const route = map.route('GET', spell(path))
        counts.cases += 1
        counts.planes += route.kind === 'plane' ? 1 : 0
        assert.ok(route.kind !== 'plane' || route.plane === 'machine', `${machine} ${human} ${spell(path)}`)
      }
    }),
    { numRuns: 2000 },
  )
  assert.ok(counts.planes > 100)
  console.log(`${counts.cases} spellings of endpoints, ${counts.planes} of them of a plane`)
})

/** Nothing where the two planes meet. */
function contractIfValid(paths: { machine: string[]; human: string[] }) {
  try {
    return contractOf(paths)
  } catch {
    return undefined
  }
}

test('the database is reached by no header', () => {
  assert.deepEqual(
    [...mapIn('LOCAL', 'true').headers.keys()],
    ['authorization', 'x-aos-key', 'x-aos-customer-key'],
  )
})

test('a path belongs to a plane exactly where the contract says that its glob matches', () => {
  let [cases, hits] = [0, 0]
  const segment = fc.constantFrom('api', 'v1', 'runs', 'telemetry', 'accounts', 'a', '7', 'API')
  const globs = [...(contract.environment?.planes.values() ?? [])].flatMap(({ name, endpoints }) =>
    endpoints.map((glob) => ({ name, glob })),
  )
  const map = mapIn('PROD')
  const prefix = fc.constantFrom<readonly string[]>([], ['api', 'v1'])
  fc.assert(
    fc.property(prefix, fc.array(segment, { maxLength: 4 }), (start, rest) => {
      cases += 1
      const path = `/${[...start, ...rest].join('/')}`
      const route = map.route('GET', path)
      const wanted = globs.find(({ glob }) => endpointMatches(glob, path))?.name
      hits += wanted === undefined ? 0 : 1
      assert.equal(route.kind === 'plane' ? route.plane : undefined, wanted)
    }),
    { numRuns: 3000 },
  )
  assert.ok(hits > 100)
  console.log(`${cases} paths, ${hits} of them of a plane`)
})
