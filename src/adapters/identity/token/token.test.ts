import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { CompactSign, exportJWK, generateKeyPair, importJWK } from 'jose'
import { algorithms, type Issuer } from '../../../contract/index.ts'
import { Failure, Secret } from '../../../primitives/index.ts'
import { createTestClock } from '../../../testing/clock.ts'
import { serveDocuments } from '../../../testing/documents.ts'
import {
  type Claims,
  signCompact,
  startTestIssuer,
  type TestIssuer,
  testAudience,
} from '../../../testing/issuer.ts'

import { createTokenVerifier, type TokenReading, tokenBytesMax } from './index.ts'

const clock = createTestClock()
const skew = 30
const maxAge = 3600
const second = () => Math.floor(clock.now() / 1000)

function issuerEntry(issuer: string, more: Partial<Issuer> = {}): Issuer {
  return {
    name: 'cluster',
    plane: 'machine',
    issuer,
    audience: testAudience,
    algorithms: ['ES256'],
    clockSkewSeconds: skew,
    maxAgeSeconds: maxAge,
    place: { line: 7, column: 3 },
    ...more,
  }
}

function contractOf(issuers: readonly Issuer[]) {
  return { file: 'sallyport.yaml', issuers: new Map(issuers.map((one) => [one.name, one])) }
}

async function verify(issuers: readonly Issuer[], token: string) {
  const verifier = createTokenVerifier({ contract: contractOf(issuers), clock, caPem: new Map() })
  return verifier.verify(new Secret(token), AbortSignal.timeout(10_000))
}

describe('a token', () => {
  let issuer: TestIssuer
  before(async () => {
    issuer = await startTestIssuer(clock.now)
  })
  after(() => issuer.close())

  const codeOf = async (token: string) => {
    const answer = await verify([issuerEntry(issuer.issuer)], token)
    return answer.kind === 'read' ? 'read' : answer.code
  }

  test('that the provider itself issues is read', async () => {
    const now = { ...clock, now: Date.now }
    const verifier = createTokenVerifier({
      contract: contractOf([issuerEntry(issuer.issuer)]),
      clock: now,
      caPem: new Map(),
    })
    const answer = await verifier.verify(
      new Secret(await issuer.token('agent-7')),
      AbortSignal.timeout(10_000),
    )
    const { claims, subject }: TokenReading = answer.kind === 'read' ? answer : assert.fail(answer.code)
    assert.deepEqual(
      [claims['sub'], claims['aud'], subject],
      ['agent-7', testAudience, `${issuer.issuer}#agent-7`],
    )
  })

  test('without a signature (alg none) is refused', async () => {
    const [header, claims] = issuer.sign({}, { alg: 'none', kid: undefined }).split('.')
    assert.equal(await codeOf(`${header}.${claims}.`), 'token_algorithm_refused')
    assert.equal(await codeOf(issuer.sign({}, { alg: 'NONE' })), 'token_algorithm_refused')
  })

  test('signed with the public key as a shared secret (HS256) is refused', async () => {
    const [header, claims] = issuer.sign({}, { alg: 'HS256' }).split('.')
    const mac = createHmac('sha256', issuer.publicKeyPem()).update(`${header}.${claims}`).digest('base64url')
    assert.equal(await codeOf(`${header}.${claims}.${mac}`), 'token_algorithm_refused')
  })

  test('with an algorithm that exists but is not in the contract is refused', async () => {
    assert.equal(await codeOf(issuer.sign({}, { alg: 'ES384' })), 'token_algorithm_refused')
  })

  test('signed by another key under the issuer’s key id is refused', async () => {
    const [header = ''] = issuer.sign({}).split('.')
    const { kid }: { kid: string } = JSON.parse(Buffer.from(header, 'base64url').toString())
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const claims = { iss: issuer.issuer, aud: testAudience, iat: second(), exp: second() + 60 }
    assert.equal(
      await codeOf(signCompact({ alg: 'ES256', kid }, claims, privateKey)),
      'token_signature_invalid',
    )
  })

  test('with a changed claim, or a cut signature, is refused', async () => {
    const [header, , signature = ''] = issuer.sign({ sub: 'agent-7' }).split('.')
    const [, others] = issuer.sign({ sub: 'agent-8' }).split('.')
    assert.equal(await codeOf(`${header}.${others}.${signature}`), 'token_signature_invalid')
    assert.equal(await codeOf(`${header}.${others}.${signature.slice(0, -4)}`), 'token_signature_invalid')
    assert.equal(await codeOf(`${header}.${others}.`), 'token_signature_invalid')
  })

  test('for another audience is refused, and one for several with ours among them is read', async () => {
    for (const aud of [
      'other',
      'Sallyport',
      'sallyport ',
      '',
      undefined,
      ['other'],
      [[testAudience]],
      { 0: testAudience },
    ])
      assert.equal(await codeOf(issuer.sign({ aud })), 'token_audience_wrong')
    assert.equal(await codeOf(issuer.sign({ aud: ['other', testAudience] })), 'read')
  })

  test('is refused from the second of its expiry and the skew', async () => {
    assert.equal(await codeOf(issuer.sign({ exp: second() - skew + 1 })), 'read')
    assert.equal(await codeOf(issuer.sign({ exp: second() - skew })), 'token_expired')
  })

  test('is refused until its not-before less the skew', async () => {
    assert.equal(await codeOf(issuer.sign({ nbf: second() + skew })), 'read')
    assert.equal(await codeOf(issuer.sign({ nbf: second() + skew + 1 })), 'token_not_yet_valid')
  })

  test('issued in the future is refused beyond the skew', async () => {
    assert.equal(await codeOf(issuer.sign({ iat: second() + skew })), 'read')
    assert.equal(await codeOf(issuer.sign({ iat: second() + skew + 1 })), 'token_issued_in_future')
  })

  test('older than the contract allows is refused although it has not expired', async () => {
    assert.equal(await codeOf(issuer.sign({ iat: second() - maxAge - skew })), 'read')
    assert.equal(await codeOf(issuer.sign({ iat: second() - maxAge - skew - 1 })), 'token_too_old')
  })

  test('without an end or a beginning, or with times that are no numbers, is malformed', async () => {
    for (const claims of [
      { exp: undefined },
      { iat: undefined },
      { exp: '9999999999' },
      { nbf: 'now' },
      { iat: null },
    ])
      assert.equal(await codeOf(issuer.sign(claims)), 'token_malformed')
  })

  test('that is malformed is told what of it is', async () => {
    const words = new Map<string, readonly string[]>([
      ['whole and unchanged', ['x', 'x.y.z', issuer.sign({}).replace('.', '..'), '']],
      ['(iss)', [issuer.sign({ iss: undefined }), issuer.sign({ iss: 7 })]],
      ['(alg)', [issuer.sign({}, { alg: undefined })]],
      ['(crit, b64)', [issuer.sign({}, { crit: ['exp'] }), issuer.sign({}, { b64: false })]],
      ['(typ)', [issuer.sign({}, { typ: 'dpop+jwt' }), issuer.sign({}, { typ: 7 })]],
      ['(kid)', [issuer.sign({}, { kid: 7 })]],
      [
        '(iat, exp)',
        [{ exp: undefined }, { exp: 'never' }, { iat: null }, { nbf: null }].map((claims) =>
          issuer.sign(claims),
        ),
      ],
      ['(cnf)', [issuer.sign({ cnf: { jkt: 'x' } }), issuer.sign({ cnf: { 'x5t#S256': '' } })]],
    ])
    for (const [word, tokens] of words)
      for (const token of tokens) {
        const answer = await verify([issuerEntry(issuer.issuer)], token)
        if (answer.kind === 'read') assert.fail(word)
        assert.equal(answer.code, 'token_malformed', word)
        assert.ok(answer.message.includes(word), `${word}: ${answer.message}`)
      }
  })

  test('says nothing of its claims before its signature holds', async () => {
    const [header, claims] = issuer.sign({ exp: undefined, cnf: { jkt: 'x' } }).split('.')
    assert.equal(await codeOf(`${header}.${claims}.AAAA`), 'token_signature_invalid')
  })

  test('of an issuer that the contract does not name is refused, however near its name', async () => {
    for (const iss of ['https://evil.test', `${issuer.issuer}/`, issuer.issuer.toUpperCase(), ''])
      assert.equal(await codeOf(issuer.sign({ iss })), 'token_issuer_unknown')
  })

  test('that asks for an extension, or says that it is another kind of token, is malformed', async () => {
    for (const header of [
      { crit: ['exp'] },
      { crit: [] },
      { b64: false },
      { typ: 'logout+jwt' },
      { typ: 'dpop+jwt' },
      { typ: 7 },
      { kid: 7 },
      { alg: undefined },
    ])
      assert.equal(await codeOf(issuer.sign({}, header)), 'token_malformed')
    for (const typ of ['JWT', 'at+jwt', 'application/at+jwt', 'JOSE', undefined])
      assert.equal(await codeOf(issuer.sign({}, { typ })), 'read')
  })

  test('that carries its own key, or says where its key is, is checked with the issuer’s all the same', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const header = { alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }), jku: 'http://127.0.0.1:1/jwks' }
    const claims = { iss: issuer.issuer, aud: testAudience, iat: second(), exp: second() + 60 }
    assert.equal(await codeOf(signCompact(header, claims, privateKey)), 'token_signature_invalid')
  })

  test('is read at exactly the longest length and refused beyond it', async () => {
    // Base64url has no text for some lengths, so the longest token is found by trying.
    const rest = issuer.sign({ pad: '' }).length
    const padded = (size: number) => issuer.sign({ pad: 'x'.repeat(Math.floor(((size - rest) * 3) / 4)) })
    const longest = [0, 1, 2, 3, 4]
      .map((less) => padded(tokenBytesMax - less))
      .find((token) => token.length <= tokenBytesMax)
    assert.ok(longest && longest.length > tokenBytesMax - 8)
    assert.equal(await codeOf(longest), 'read')
    assert.equal(
      await codeOf(`${longest}${'A'.repeat(tokenBytesMax + 1 - longest.length)}`),
      'token_too_large',
    )
    assert.equal(await codeOf('x'.repeat(10_000_000)), 'token_too_large')
  })

  test('that is bound to a key which is not a certificate is malformed', async () => {
    for (const cnf of [
      { 'x5t#S256': '' },
      { 'x5t#S256': 'x' },
      { jkt: 'x' },
      { 'x5t#S256': 'x', jkt: 'y' },
      { 'x5t#S256': 7 },
      {},
      'x',
      null,
    ])
      assert.equal(await codeOf(issuer.sign({ cnf })), 'token_malformed')
  })

  test('cannot put a line of its own into the log', async () => {
    const answer = await verify(
      [issuerEntry(issuer.issuer)],
      issuer.sign({ sub: 'a\nb\u001b[2J\u202e', exp: 1 }),
    )
    assert.equal(answer.subject, `${issuer.issuer}#a?b?[2J?`)
  })

  test('is nobody’s name in the log before its signature holds', async () => {
    const [header, claims] = issuer.sign({ sub: 'agent-7' }).split('.')
    const answer = await verify([issuerEntry(issuer.issuer)], `${header}.${claims}.AAAA`)
    assert.deepEqual([answer.kind, answer.subject], ['refused', undefined])
  })

  test('of an issuer with an audience for each plane belongs to the one it names, and for both to none', async () => {
    const machine = issuerEntry(issuer.issuer, { audience: 'for-machines' })
    const human = issuerEntry(issuer.issuer, { name: 'people', plane: 'human', audience: 'for-people' })
    const planeOf = async (aud: unknown) => {
      const answer = await verify([machine, human], issuer.sign({ aud }))
      return answer.kind === 'read' ? answer.issuer.plane : answer.code
    }
    assert.equal(await planeOf('for-people'), 'human')
    assert.equal(await planeOf('for-machines'), 'machine')
    assert.equal(await planeOf(['for-people', 'for-machines']), 'token_audience_wrong')
    assert.equal(await planeOf('other'), 'token_audience_wrong')
  })

  test('that is malformed is refused, whatever bytes it has', async () => {
    const parts = issuer.sign({ sub: 'agent-7' }).split('.')
    const part = fc.constantFrom(
      ...parts,
      '',
      'e30',
      'bnVsbA',
      'W10',
      '_',
      'eyJhbGciOiJFUzI1NiJ9',
      '\u0000',
      '%00',
      'ÿ',
    )
    const shuffled = fc.array(part, { maxLength: 5 }).map((some) => some.join('.'))
    const verifier = createTokenVerifier({
      contract: contractOf([issuerEntry(issuer.issuer)]),
      clock,
      caPem: new Map(),
    })
    let cases = 0
    await fc.assert(
      fc.asyncProperty(fc.oneof(shuffled, fc.string({ unit: 'binary', maxLength: 300 })), async (text) => {
        cases += 1
        const answer = await verifier.verify(new Secret(text), AbortSignal.timeout(10_000))
        assert.equal(answer.kind === 'read', text === parts.join('.'))
      }),
      { numRuns: 2000 },
    )
    console.log(`${cases} malformed tokens were refused`)
  })
})

test('every algorithm that can be named verifies, and a key of another kind never does', async () => {
  const rsa = await generateKeyPair('RS256', { extractable: true })
  const keys = new Map<string, { publicJwk: Claims; token: (iss: string) => Promise<string> }>()
  for (const algorithm of algorithms) {
    const pair = /^[RP]S/.test(algorithm) ? rsa : await generateKeyPair(algorithm, { extractable: true })
    const privateKey = await importJWK(await exportJWK(pair.privateKey), algorithm)
    const publicJwk = { ...(await exportJWK(pair.publicKey)), kid: algorithm }
    const token = (iss: string) =>
      new CompactSign(
        Buffer.from(JSON.stringify({ iss, aud: testAudience, iat: second(), exp: second() + 60 })),
      )
        .setProtectedHeader({ alg: algorithm, kid: algorithm })
        .sign(privateKey)
    keys.set(algorithm, { publicJwk, token })
  }
  const published = [...keys.values()].map((key) => key.publicJwk)
  await using server = await serveDocuments({ '/jwks': { keys: published } })
  const entry = issuerEntry('https://issuer.test', {
    jwksUri: `${server.origin}/jwks`,
    algorithms,
  })
  for (const [algorithm, key] of keys) {
    const token = await key.token(entry.issuer)
    const right = await verify([entry], token)
    assert.equal(right.kind, 'read', algorithm)
    server.documents['/jwks'] = {
      keys: published
        .filter((jwk) => jwk['kty'] !== key.publicJwk['kty'])
        .map((jwk) => ({ ...jwk, kid: algorithm })),
    }
    const wrong = await verify([entry], token)
    assert.equal(wrong.kind === 'refused' && wrong.code, 'token_key_unknown', algorithm)
    server.documents['/jwks'] = { keys: published }
  }
})

test('an issuer that cannot be trusted safely stops the start', () => {
  const good = issuerEntry('https://issuer.test')
  const wrong: readonly (readonly Issuer[])[] = [
    [{ ...good, algorithms: ['HS256'] }],
    [{ ...good, algorithms: ['ES256', 'none'] }],
    [{ ...good, algorithms: [] }],
    [{ ...good, jwksUri: 'http://issuer.test/jwks' }],
    [{ ...good, jwksUri: 'https://user:word@issuer.test/jwks' }],
    [{ ...good, jwksUri: 'file:///etc/keys' }],
    [{ ...good, jwksUri: 'http://127.0.0.1.evil.test/jwks' }],
    [{ ...good, issuer: 'http://issuer.test' }],
    [{ ...good, issuer: 'not an address' }],
    [{ ...good, caFile: '/etc/ca.pem' }],
    [good, { ...good, name: 'again', plane: 'human' }],
  ]
  for (const issuers of wrong)
    assert.throws(
      () => createTokenVerifier({ contract: contractOf(issuers), clock, caPem: new Map() }),
      (error) => error instanceof Failure && error.code === 'contract_invalid' && error.message.length > 0,
    )
  createTokenVerifier({ contract: contractOf([good]), clock, caPem: new Map() })
})
