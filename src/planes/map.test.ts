import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { endpointMatches } from '../contract/index.ts'
import { createPlaneMap } from './index.ts'
import { contract, contractWith, mapIn, modes } from './planes.fixture.ts'

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
    '/__debug/openapi_nocache/',
  ])
    assert.equal(accepted('PROD', path), 'unknown', path)
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
