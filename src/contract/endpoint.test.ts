import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { endpointMatches, endpointsMeet } from './endpoint.ts'

for (const [glob, path, belongs] of [
  ['/api/v1/runs/*', '/api/v1/runs/7', true],
  ['/api/v1/runs/*', '/api/v1/runs/7/logs', true],
  ['/api/v1/runs/*', '/api/v1/runs', false],
  ['/api/v1/runs/*', '/api/v1/runsx/7', false],
  ['/api/*/runs', '/api/v2/runs', true],
  ['/api/*/runs', '/api/v2/x/runs', false],
  ['/api/*/runs', '/api//runs', false],
  ['/status', '/status', true],
  ['/status', '/status/', false],
  ['/a.c', '/abc', false],
] as const)
  test(`${path} ${belongs ? 'belongs' : 'does not belong'} to ${glob}`, () =>
    assert.equal(endpointMatches(glob, path), belongs))

for (const [left, right, meet] of [
  ['/runs/*', '/accounts/*', false],
  ['/runs/*', '/*/status', true],
  ['/runs/*', '/runs/7/logs', true],
  ['/runs', '/runs/*', false],
  ['/*', '/runs/*', true],
  ['/a/*/c', '/a/b/d', false],
  ['/a/B', '/A/b', true],
  ['/a/b/', '/a/b', true],
  ['/a/*/', '/a/b', true],
  ['/a/*/', '/a/b/c', false],
  ['/a/b.json', '/a/b', true],
  ['/a/b.json', '/a/b.xml', true],
  ['/a/b.json/*', '/a/b/c', false],
  ['/a/.b', '/a/.c', false],
] as const)
  test(`${left} and ${right} ${meet ? 'meet' : 'do not meet'}`, () => {
    assert.equal(endpointsMeet(left, right), meet)
    assert.equal(endpointsMeet(right, left), meet)
  })

test('two globs meet where there is a path of both', () => {
  const segment = fc.constantFrom('a', 'b', 'c')
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
  const glob = fc
    .array(fc.oneof(segment, fc.constant('*')), { minLength: 1, maxLength: 4 })
    .map((parts) => `/${parts.join('/')}`)
  const counts = { cases: 0, common: 0, apart: 0 }
  fc.assert(
    fc.property(glob, glob, fc.array(path, { minLength: 20, maxLength: 20 }), (left, right, paths) => {
      counts.cases += 1
      const common = paths.some((one) => endpointMatches(left, one) && endpointMatches(right, one))
      if (common) counts.common += 1
      if (common) assert.ok(endpointsMeet(left, right))
      if (!endpointsMeet(left, right)) {
        counts.apart += 1
        assert.ok(!common)
      }
    }),
    { numRuns: 2000 },
  )
  assert.ok(counts.common > 100 && counts.apart > 100)
  console.log(`${counts.cases} pairs of globs: ${counts.common} with a path of both, ${counts.apart} apart`)
})
