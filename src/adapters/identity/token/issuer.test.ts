import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Issuer } from '../../../contract/index.ts'
import { Secret } from '../../../primitives/index.ts'
import { createTestClock } from '../../../testing/clock.ts'
import { serveDocuments } from '../../../testing/documents.ts'
import { type KeySetManner, startTestIssuer, type TestIssuer, testAudience } from '../../../testing/issuer.ts'
import { createAuthority } from '../certificate/index.ts'
import { createTokenVerifier, documentBytesMax, keySetLimits, keysMax } from './index.ts'

const clock = createTestClock()

function verifierOf(issuer: string, more: Partial<Issuer> = {}, caPem = new Map<string, string>()) {
  const entry: Issuer = {
    name: 'cluster',
    plane: 'machine',
    issuer,
    audience: testAudience,
    algorithms: ['ES256'],
    clockSkewSeconds: 30,
    maxAgeSeconds: 3600,
    place: { line: 7, column: 3 },
    ...more,
  }
  const verifier = createTokenVerifier({
    contract: { file: 'sallyport.yaml', issuers: new Map([[entry.name, entry]]) },
    clock,
    caPem,
    limits: { fetchTimeoutMilliseconds: 300 },
  })
  return async (token: string) => {
    const answer = await verifier.verify(new Secret(token), AbortSignal.timeout(10_000))
    return answer.kind === 'read' ? 'read' : `${answer.code} ${answer.internal ?? ''}`.trim()
  }
}

describe('the keys of an issuer', () => {
  let issuer: TestIssuer
  before(async () => {
    issuer = await startTestIssuer(clock.now)
  })
  after(() => issuer.close())

  const manners: readonly (readonly [KeySetManner, RegExp])[] = [
    ['broken', /socket hang up/],
    ['an error', /status 503/],
    ['garbage', /no JSON object/],
    ['huge', /more than 262144 bytes/],
    ['slow', /abort/],
    ['a redirect', /status 302/],
  ]
  for (const [manner, why] of manners)
    test(`that answer with ${manner} let nobody in, until they answer again`, async () => {
      const verify = verifierOf(issuer.issuer)
      const token = issuer.sign({})
      issuer.behave(manner)
      const answer = await verify(token)
      assert.match(answer, /^issuer_unavailable Issuer cluster: /)
      assert.match(answer, why)
      issuer.behave('as it should')
      await clock.advance(keySetLimits.failureCooldownSeconds * 1000)
      assert.equal(await verify(token), 'read')
    })

  test('go on verifying for a while after the issuer is gone, and then let nobody in', async () => {
    const gone = await startTestIssuer(clock.now)
    const verify = verifierOf(gone.issuer)
    const token = gone.sign({ exp: clock.now() / 1000 + 3000 })
    assert.equal(await verify(token), 'read')
    await gone.close()
    await clock.advance((keySetLimits.maxAgeSeconds - 1) * 1000)
    assert.equal(await verify(token), 'read')
    await clock.advance(1000)
    assert.match(await verify(token), /^issuer_unavailable .*ECONNREFUSED/)
  })

  test('rotate: the old token verifies while its key is published, the new one at its first use', async () => {
    const verify = verifierOf(issuer.issuer, { jwksUri: issuer.jwksUri })
    const old = issuer.sign({})
    assert.equal(await verify(old), 'read')
    issuer.rotate()
    await clock.advance(keySetLimits.unknownKeyCooldownSeconds * 1000)
    const before = issuer.keySetRequests
    const young = issuer.sign({})
    assert.deepEqual(await Promise.all([verify(young), verify(old), verify(young)]), ['read', 'read', 'read'])
    assert.equal(issuer.keySetRequests, before + 1)
    issuer.rotate('dropped')
    await clock.advance(keySetLimits.unknownKeyCooldownSeconds * 1000)
    assert.equal(await verify(issuer.sign({})), 'read')
    assert.equal(await verify(young), 'token_key_unknown')
  })

  test('are not asked for by a token of an issuer that the contract does not name', async () => {
    await using other = await serveDocuments({})
    const verify = verifierOf(issuer.issuer)
    assert.equal(await verify(issuer.sign({ iss: other.origin })), 'token_issuer_unknown')
    assert.equal(await verify(issuer.sign({}, { alg: 'HS256' })), 'token_algorithm_refused')
    assert.equal(other.requests, 0)
  })

  test('are not taken from a discovery document that speaks for another issuer', async () => {
    await using impostor = await serveDocuments({
      '/.well-known/openid-configuration': { issuer: issuer.issuer, jwks_uri: issuer.jwksUri },
    })
    const verify = verifierOf(impostor.origin)
    const before = issuer.keySetRequests
    assert.match(
      await verify(issuer.sign({ iss: impostor.origin })),
      /^issuer_unavailable .*speaks for another issuer/,
    )
    assert.equal(issuer.keySetRequests, before)
  })

  test('are not taken from an address that is not safe', async () => {
    for (const address of ['http://issuer.test/jwks', 'ftp://127.0.0.1/jwks', '/jwks', undefined]) {
      await using server = await serveDocuments({})
      server.documents['/.well-known/openid-configuration'] = { issuer: server.origin, jwks_uri: address }
      const answer = await verifierOf(server.origin)(issuer.sign({ iss: server.origin }))
      assert.match(answer, /^issuer_unavailable .*names no safe jwks_uri/)
    }
  })

  test('are a list of limited length', async () => {
    await using server = await serveDocuments({})
    const verify = (keys: unknown) => {
      server.documents['/jwks'] = { keys }
      return verifierOf(server.origin, { jwksUri: `${server.origin}/jwks` })(
        issuer.sign({ iss: server.origin }),
      )
    }
    assert.equal(await verify(Array(keysMax).fill({})), 'token_key_unknown')
    assert.equal(await verify([null, 7, 'key', []]), 'token_key_unknown')
    assert.match(await verify(Array(keysMax + 1).fill({})), /^issuer_unavailable/)
    assert.match(await verify({}), /^issuer_unavailable/)
  })

  test('come in a document of limited length', async () => {
    await using server = await serveDocuments({})
    const verify = (length: number) => {
      server.documents['/jwks'] = {
        keys: [],
        pad: 'x'.repeat(length - JSON.stringify({ keys: [], pad: '' }).length),
      }
      return verifierOf(server.origin, { jwksUri: `${server.origin}/jwks` })(
        issuer.sign({ iss: server.origin }),
      )
    }
    assert.equal(await verify(documentBytesMax), 'token_key_unknown')
    assert.match(await verify(documentBytesMax + 1), /^issuer_unavailable/)
  })

  test('are fetched over TLS from the authority of the contract alone', async () => {
    const validity = { notBefore: Date.now() - 1000, notAfter: Date.now() + 3_600_000 }
    const [right, wrong] = await Promise.all(
      ['Right CA', 'Wrong CA'].map((commonName) => createAuthority({ commonName, ...validity })),
    )
    assert.ok(right && wrong)
    const tls = await right.issue({ addresses: ['127.0.0.1'], purpose: 'server', ...validity })
    const keys: unknown = await (await fetch(issuer.jwksUri)).json()
    await using server = await serveDocuments({ '/jwks': keys }, tls)
    server.documents['/.well-known/openid-configuration'] = {
      issuer: server.origin,
      jwks_uri: `${server.origin}/jwks`,
    }
    const token = issuer.sign({ iss: server.origin })
    const verify = (caPem: Map<string, string>) => verifierOf(server.origin, {}, caPem)(token)
    assert.equal(await verify(new Map([['cluster', right.own.certPem]])), 'read')
    assert.match(await verify(new Map([['cluster', wrong.own.certPem]])), /^issuer_unavailable/)
    assert.match(await verify(new Map()), /^issuer_unavailable/)
    server.documents['/.well-known/openid-configuration'] = {
      issuer: server.origin,
      jwks_uri: issuer.jwksUri,
    }
    assert.match(await verify(new Map([['cluster', right.own.certPem]])), /names no safe jwks_uri/)
  })
})
