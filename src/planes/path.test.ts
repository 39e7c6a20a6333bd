import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { endpoint } from '../contract/text-shape.ts'
import { readPath, targetCharactersMax } from './index.ts'

for (const [target, path] of [
  ['/', '/'],
  ['/api/v1/runs/7', '/api/v1/runs/7'],
  ['/api/v1/runs/7?x=../..//;%2f', '/api/v1/runs/7'],
  ['/api/v1/runs/7/', '/api/v1/runs/7/'],
  ['/a.b/~c/_d-e', '/a.b/~c/_d-e'],
  ['/runs/a%20b%40c%C3%A9', '/runs/a%20b%40c%C3%A9'],
] as const)
  test(`the path of ${target} is ${path}`, () => assert.equal(readPath(target), path))

for (const [target, why] of [
  ['', 'it is empty'],
  ['*', 'it is no path'],
  ['api', 'it does not begin at the root'],
  ['http://host/api', 'it is an absolute URI'],
  ['//host/api', 'it may be an authority'],
  ['/api//runs', 'a segment is empty'],
  ['/api/../runs', 'dot segments are resolved by some'],
  ['/api/./runs', 'dot segments are resolved by some'],
  ['/api/..', 'dot segments are resolved by some'],
  ['/api/.../runs', 'Windows takes dots for nothing'],
  ['/api/%2e%2e/runs', 'a dot is written as an escape'],
  ['/api/.%2E/runs', 'a dot is written as an escape'],
  ['/api%2Fruns', 'a slash is written as an escape'],
  ['/api%2fruns', 'a slash is written as an escape'],
  ['/api%5cruns', 'a backslash is written as an escape'],
  ['/api\\runs', 'a backslash is a slash to some'],
  ['/api;x=1/runs', 'parameters are cut off by some'],
  ['/api%3Bx/runs', 'parameters are cut off by some'],
  ['/api/%61ccounts', 'a letter has a plain spelling'],
  ['/api/%7E', 'a tilde has a plain spelling'],
  ['/api/%252e', 'it would be decoded twice'],
  ['/api/%00', 'it is a control character'],
  ['/api/%0d%0aX: y', 'it is a line end'],
  ['/api/%7f', 'it is a control character'],
  ['/api/%3Fx', 'a question mark would begin a query when decoded'],
  ['/api/%23x', 'a hash would begin a fragment when decoded'],
  ['/api#x', 'a fragment never leaves a client'],
  ['/api?x#y', 'a fragment never leaves a client'],
  ['/api/%C0%AF', 'it is an overlong slash'],
  ['/api/%FF', 'it is no UTF-8'],
  ['/api/%2', 'the escape is cut off'],
  ['/api/%zz', 'the escape is none'],
  ['/api/é', 'it is not ASCII'],
  ['/api/a b', 'a space ends a target'],
] as const)
  test(`${JSON.stringify(target)} has no path: ${why}`, () => assert.equal(readPath(target), undefined))

test('a target of the greatest length is read, and one character more is not', () => {
  const longest = `/${'a'.repeat(targetCharactersMax - 1)}`
  assert.equal(readPath(longest), longest)
  assert.equal(readPath(`${longest}a`), undefined)
})

test('an endpoint that a contract may have is a path that is read as it stands', () => {
  const counts = { cases: 0, endpoints: 0 }
  const piece = fc.constantFrom(..."/.*aZ7-_~!$&'()+,;=:@%{}\\?#", '..', '%2e', '%40', '{id}', ':id')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const written = `/${pieces.join('')}`
      counts.cases += 1
      if (!endpoint.safeParse(written).success) return
      counts.endpoints += 1
      const path = written.replaceAll('*', 'any')
      assert.equal(readPath(path), path)
    }),
    { numRuns: 5000 },
  )
  assert.ok(counts.endpoints > 100)
  console.log(`${counts.cases} texts, ${counts.endpoints} of them endpoints`)
})

test('a path that is read means the same to a URL parser, decoded once or twice', () => {
  let [cases, read] = [0, 0]
  const piece = fc.constantFrom(
    '/',
    '.',
    '..',
    '%2e',
    '%2F',
    '%25',
    '%41',
    '%20',
    '%C3%A9',
    ';',
    '\\',
    'a',
    'Z9',
    '?',
    '%',
    '~',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      cases += 1
      const path = readPath(`/${pieces.join('')}`)
      if (path === undefined) return
      read += 1
      assert.equal(new URL(path, 'http://host').pathname, path)
      const once = decodeURIComponent(path)
      assert.equal(decodeURIComponent(once), once)
      assert.equal(once.split('/').length, path.split('/').length)
    }),
    { numRuns: 5000 },
  )
  assert.ok(read > 100)
  console.log(`${cases} targets, ${read} of them with one reading`)
})
