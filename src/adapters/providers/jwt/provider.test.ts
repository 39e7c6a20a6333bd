import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  createRemoteJWKSet,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose'
import type { Credential, MintOrder, Provider } from '../../../broker/index.ts'
import type { Action } from '../../../contract/index.ts'
import { type Clock, Failure, newId, Secret } from '../../../primitives/index.ts'
import { createTestClock } from '../../../testing/clock.ts'
import { providerConformance } from '../../../testing/provider.ts'
import { jwt } from './index.ts'
import { tokenBytesMax } from './jws.ts'
import { signingKeysMax } from './signing-keys.ts'

const place = { line: 74, column: 5 }
const issuer = 'https://sallyport.example.test'
const audience = 'https://orders.example.test'
const signal = AbortSignal.timeout(60_000)

const readOrder: Action = {
  name: 'read-order',
  resource: '{order}',
  means: { scope: 'orders:read' },
  place: { line: 88, column: 9 },
}

/** The user's own service: verifies as RFC 9068 §4 says, and asks for introspection whether the lease is live. */
function createService(provider: Provider, clock: Clock, isLive: (leaseId: string) => boolean) {
  return async (credential: Credential, wanted: { scope: string; resource: string }) => {
    const verified = await provider.authority?.verify(new Secret(tokenOf(credential)))
    if (!verified || !isLive(verified.leaseId)) return 'refused'
    const { payload } = await verifyWithJose(provider, clock, tokenOf(credential))
    const scopes = String(payload['scope']).split(' ')
    return scopes.includes(wanted.scope) && payload['resource'] === wanted.resource ? 'accepted' : 'refused'
  }
}

providerConformance('jwt', async () => {
  const clock = createTestClock()
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-jwt-'))
  const provider = await start(folder, { clock })
  const ended = new Set<string>()
  const service = createService(provider, clock, (leaseId) => !ended.has(leaseId))
  return {
    // What the broker's lease store would know: a lease that was revoked.
    provider: {
      ...provider,
      async revoke(reference, stop) {
        await provider.revoke(reference, stop)
        ended.add(reference.leaseId)
      },
    },
    clock,
    order: (leaseId) => orderOf(clock, { leaseId }),
    allows: { actions: ['orders:read'], resources: ['order-7'] },
    use: (credential) => service(credential, { scope: 'orders:read', resource: 'order-7' }),
    useOutside: (credential) => service(credential, { scope: 'orders:write', resource: 'order-7' }),
    close: async () => rmSync(folder, { recursive: true }),
  }
})

for (const algorithm of ['ES256', 'EdDSA'] as const)
  test(`a token signed with ${algorithm} is verified by jose through the key set over HTTP`, async (t) => {
    const { provider, clock } = await startIn(t, { algorithm })
    const keySet = await serveKeys(t, provider)
    const confirmation = { certificateSha256: randomBytes(32).toString('base64url') }
    const minted = await provider.mint(orderOf(clock, { confirmation }), signal)
    const { payload, protectedHeader } = await jwtVerify(
      tokenOf(minted.credential),
      createRemoteJWKSet(keySet),
      {
        issuer,
        audience,
        typ: 'at+jwt',
        algorithms: [algorithm],
        currentDate: new Date(clock.now()),
      },
    )
    assert.deepEqual(payload, {
      iss: issuer,
      sub: 'agent-7',
      aud: audience,
      iat: clock.now() / 1000,
      exp: clock.now() / 1000 + 300,
      jti: minted.handle,
      client_id: 'agent-7',
      tenant: 'acme',
      scope: 'orders:read',
      resource: 'order-7',
      authorization_details: [
        { type: 'sallyport_action', locations: [audience], actions: ['read-order'], identifier: 'order-7' },
      ],
      cnf: { 'x5t#S256': confirmation.certificateSha256 },
    })
    const [jwk] = keysOf(provider)
    assert.equal(protectedHeader.kid, await calculateJwkThumbprint(jwk ?? {}))
  })

test('a caller without a key of its own gets a token without cnf', async (t) => {
  const { provider, clock } = await startIn(t)
  const { credential } = await provider.mint(orderOf(clock), signal)
  assert.equal('cnf' in (await verifyWithJose(provider, clock, tokenOf(credential))).payload, false)
})

test('scopes, resource and audience are those of the action', async (t) => {
  const audiences = [audience, 'https://stock.example.test']
  const action: Action = {
    name: 'move-stock',
    resource: '{shelf}/{item}',
    means: {
      scope: ['stock:read', 'stock:move:{shelf}'],
      audience: 'https://stock.example.test',
      resource: 'shelf/{shelf}/item/{item}',
    },
    place,
  }
  const { provider, clock } = await startIn(t, { audience: audiences, actions: [action] })
  const parts = { shelf: 'a1', item: 'x', resource: 'a1/x' }
  const minted = await provider.mint(orderOf(clock, { action, resource: 'a1/x', parts }), signal)
  assert.deepEqual(minted.effective, {
    actions: ['stock:read', 'stock:move:a1'],
    resources: ['shelf/a1/item/x'],
  })
  const read = await provider.authority?.verify(new Secret(tokenOf(minted.credential)))
  assert.equal(read?.claims['aud'], 'https://stock.example.test')
  assert.equal(read?.claims['scope'], 'stock:read stock:move:a1')
})

test('a part that would split a scope in two mints nothing', async (t) => {
  const action: Action = { ...readOrder, means: { scope: 'orders:{order}' } }
  const { provider, clock } = await startIn(t, { actions: [action] })
  const parts = { order: 'x orders:admin', resource: 'x orders:admin' }
  await assert.rejects(provider.mint(orderOf(clock, { action, parts }), signal), failing('provider_refused'))
})

test('a token is valid until its last second and not in the next', async (t) => {
  const { provider, clock } = await startIn(t)
  const minted = await provider.mint(orderOf(clock, { lifeMilliseconds: 60_999 }), signal)
  const token = new Secret(tokenOf(minted.credential))
  assert.equal(minted.notAfter, clock.now() + 60_000)
  await clock.advance(59_999)
  assert.ok(await provider.authority?.verify(token))
  await clock.advance(1)
  assert.equal(await provider.authority?.verify(token), undefined)
})

test('a life of less than a second or more than a day is refused', async (t) => {
  const { provider, clock } = await startIn(t)
  const mint = (lifeMilliseconds: number) => provider.mint(orderOf(clock, { lifeMilliseconds }), signal)
  await assert.rejects(mint(999), failing('provider_refused'))
  assert.ok(await mint(1000))
  assert.ok(await mint(86_400_000))
  await assert.rejects(mint(86_400_001), failing('provider_refused'))
})

test('whatever is changed in a token, it is refused', async (t) => {
  const { provider, clock } = await startIn(t)
  const token = tokenOf((await provider.mint(orderOf(clock), signal)).credential)
  let cases = 0
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...'Aa0_-.=+/ '), async (at, letter) => {
      fc.pre(token[at] !== letter)
      cases += 1
      const forged = token.slice(0, at) + letter + token.slice(at + 1)
      assert.equal(await provider.authority?.verify(new Secret(forged)), undefined)
    }),
    { numRuns: 2000 },
  )
  t.diagnostic(`${cases} changed tokens, none accepted`)
})

test('no text at all is taken for a token', async (t) => {
  const { provider } = await startIn(t)
  let cases = 0
  const piece = fc.oneof(
    fc.string(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 5 }), async (pieces) => {
      cases += 1
      assert.equal(await provider.authority?.verify(new Secret(pieces.join('.'))), undefined)
    }),
    { numRuns: 1000 },
  )
  t.diagnostic(`${cases} texts, none accepted`)
})

test('the token chooses neither algorithm nor key', async (t) => {
  const { provider, clock } = await startIn(t)
  const token = tokenOf((await provider.mint(orderOf(clock), signal)).credential)
  const [, claims = '', signature = ''] = token.split('.')
  const [jwk] = keysOf(provider)
  const kid = String(jwk?.['kid'])
  const own = generateKeyPairSync('ed25519')
  const ownJwk = own.publicKey.export({ format: 'jwk' })
  const read = await provider.authority?.verify(new Secret(token))
  const forge = (header: Record<string, unknown>) => `${encode(header)}.${claims}`
  const hmac = (signed: string) =>
    `${signed}.${createHmac('sha256', JSON.stringify(jwk)).update(signed).digest('base64url')}`
  const forgeries = {
    'alg none without a signature': `${forge({ typ: 'at+jwt', alg: 'none', kid })}.`,
    'alg none with the old signature': `${forge({ typ: 'at+jwt', alg: 'none', kid })}.${signature}`,
    'the public key as an HMAC secret': hmac(forge({ typ: 'at+jwt', alg: 'HS256', kid })),
    'another algorithm under our kid': await new SignJWT({ ...read?.claims })
      .setProtectedHeader({ typ: 'at+jwt', alg: 'EdDSA', kid })
      .sign(own.privateKey),
    'a key in the header': await new SignJWT({ ...read?.claims })
      .setProtectedHeader({ typ: 'at+jwt', alg: 'EdDSA', kid, jwk: ownJwk })
      .sign(own.privateKey),
    'a kid that nobody has': await new SignJWT({ ...read?.claims })
      .setProtectedHeader({ typ: 'at+jwt', alg: 'EdDSA', kid: 'x' })
      .sign(own.privateKey),
    'another header over the same signature': `${forge({ typ: 'JWT', alg: 'ES256', kid })}.${signature}`,
    'a fourth part': `${token}.`,
  }
  assert.ok(read)
  for (const [forgery, text] of Object.entries(forgeries))
    assert.equal(await provider.authority?.verify(new Secret(text)), undefined, forgery)
})

test('a token of the same keys for another issuer or audience is refused', async (t) => {
  const { provider, clock, folder } = await startIn(t, { keyFile: 'shared.jwks.json' })
  const others = [{ issuer: 'https://other.example.test' }, { audience: 'https://other.example.test' }]
  for (const other of others) {
    const foreign = await start(folder, { clock, keyFile: 'shared.jwks.json', ...other })
    const token = tokenOf((await foreign.mint(orderOf(clock), signal)).credential)
    assert.ok(await foreign.authority?.verify(new Secret(token)))
    assert.equal(await provider.authority?.verify(new Secret(token)), undefined)
  }
})

test('a token that its verifiers would find too large is not minted', async (t) => {
  const action: Action = { ...readOrder, means: { scope: 'orders:read', resource: '{order}' } }
  const { provider, clock } = await startIn(t, { actions: [action] })
  const mint = (length: number) =>
    provider.mint(
      orderOf(clock, { action, parts: { order: 'o'.repeat(length), resource: 'order-7' } }),
      signal,
    )
  // The resource stands in the token twice, each time a third longer in base64url.
  const fits = Math.floor((tokenBytesMax - tokenOf((await mint(1)).credential).length) / 2 / 1.34)
  const largest = tokenOf((await mint(fits)).credential)
  assert.ok(largest.length > tokenBytesMax - 100 && (await provider.authority?.verify(new Secret(largest))))
  await assert.rejects(mint(fits + 50), failing('provider_refused'))
})

test('after a rotation the old key verifies until its last token is over, across restarts, and then it is gone', async (t) => {
  const { provider, clock, folder } = await startIn(t)
  const day = 86_400_000
  const old = new Secret(
    tokenOf((await provider.mint(orderOf(clock, { lifeMilliseconds: day }), signal)).credential),
  )
  const [before] = keysOf(provider)
  assert.match(await provider.rotate('signing-key', signal), /^signing-key is now [A-Za-z0-9_-]{43}$/)

  const again = await start(folder, { clock })
  for (const one of [provider, again]) {
    assert.equal(keysOf(one).length, 2)
    assert.notEqual(keysOf(one)[0]?.['kid'], before?.['kid'], 'the new key signs and stands first')
    assert.ok(await one.authority?.verify(old))
    assert.ok(await verifyWithJose(one, clock, old.reveal()))
  }
  await clock.advance(day - 1)
  assert.ok(await again.authority?.verify(old), 'to its last moment')
  await clock.advance(1)
  const later = await start(folder, { clock })
  for (const one of [provider, again, later]) {
    assert.equal(keysOf(one).length, 1)
    assert.equal(await one.authority?.verify(old), undefined)
  }
})

test('a retired key has lost its private half, and no private half is ever published', async (t) => {
  const { provider, folder } = await startIn(t)
  await provider.rotate('signing-key', signal)
  const file = JSON.parse(readFileSync(join(folder, 'jwt-tokens.jwks.json'), 'utf8'))
  assert.deepEqual(
    file.keys.map((key: JWK) => 'd' in key),
    [true, false],
  )
  for (const key of keysOf(provider))
    assert.deepEqual(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
})

test('rotating while minting loses no token', async (t) => {
  const { provider, clock } = await startIn(t)
  const tokens = await Promise.all(
    Array.from({ length: 200 }, async (_, turn) => {
      if (turn % 20 === 10) await provider.rotate('signing-key', signal)
      return tokenOf((await provider.mint(orderOf(clock), signal)).credential)
    }),
  )
  assert.equal(keysOf(provider).length, 11)
  for (const token of tokens) assert.ok(await provider.authority?.verify(new Secret(token)))
})

test('the number of keys has a limit, and room comes back with time', async (t) => {
  const { provider, clock } = await startIn(t, { algorithm: 'EdDSA' })
  for (let key = 1; key < signingKeysMax; key += 1) await provider.rotate('signing-key', signal)
  await assert.rejects(provider.rotate('signing-key', signal), failing('provider_refused'))
  await clock.advance(86_400_000)
  await provider.rotate('signing-key', signal)
  assert.equal(keysOf(provider).length, 2)
})

test('changing the algorithm in the contract brings a new key, and living tokens go on', async (t) => {
  const { provider, clock, folder } = await startIn(t, { algorithm: 'ES256' })
  const token = tokenOf((await provider.mint(orderOf(clock), signal)).credential)
  const changed = await start(folder, { clock, algorithm: 'EdDSA' })
  assert.deepEqual(
    keysOf(changed).map((key) => key['alg']),
    ['EdDSA', 'ES256'],
  )
  assert.ok(await changed.authority?.verify(new Secret(token)))
})

test('the key file is its owner’s alone; one that others can read stops the start', async (t) => {
  const { folder, clock } = await startIn(t)
  const path = join(folder, 'jwt-tokens.jwks.json')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(folder), ['jwt-tokens.jwks.json'], 'no draft stays behind')
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(path, mode)
    await assert.rejects(start(folder, { clock }), failing('store_invalid'))
  }
  chmodSync(path, 0o600)
  symlinkSync(path, join(folder, 'link'))
  await assert.rejects(
    start(folder, { clock, keyFile: 'link' }),
    failing('store_invalid'),
    'nor is a link followed',
  )
})

test('a damaged key file stops the start, and its text is in no message', async (t) => {
  const { folder, clock } = await startIn(t)
  const path = join(folder, 'jwt-tokens.jwks.json')
  const sound = JSON.parse(readFileSync(path, 'utf8'))
  const [key] = sound.keys
  const damaged = [
    '',
    '{"keys": [',
    JSON.stringify({ keys: [] }),
    JSON.stringify({ keys: [key, key] }),
    JSON.stringify({ keys: [{ ...key, kid: 'another' }] }),
    JSON.stringify({ keys: [{ ...key, d: undefined }] }),
    JSON.stringify({ keys: [{ ...key, alg: 'EdDSA' }] }),
    ' '.repeat(65_537),
  ]
  for (const text of damaged) {
    writeFileSync(path, text)
    await assert.rejects(start(folder, { clock }), (thrown) => {
      assert.ok(thrown instanceof Failure && thrown.code === 'store_invalid')
      return !`${thrown.message} ${thrown.internal} ${thrown.stack}`.includes(key.d)
    })
  }
})

test('a folder that cannot be written stops the start, and a rotation there keeps the old key', async (t) => {
  const { provider, folder, clock } = await startIn(t)
  await assert.rejects(start(join(folder, 'nowhere'), { clock }), failing('store_invalid'))
  const [before] = keysOf(provider)
  rmSync(folder, { recursive: true })
  await assert.rejects(provider.rotate('signing-key', signal), failing('store_invalid'))
  assert.deepEqual(keysOf(provider), [before])
})

test('a configuration that is not understood names its line and makes no key', async (t) => {
  const { folder, clock } = await startIn(t, { keyFile: 'other.json' })
  const wrong: readonly Parameters<typeof start>[1][] = [
    { clock, issuer: 'http://sallyport.example.test' },
    { clock, issuer: 'https://sallyport.example.test/?a=b' },
    { clock, issuer: 'https://user@sallyport.example.test' },
    { clock, issuer: 'sallyport' },
    { clock, audience: [] },
    { clock, algorithm: 'none' },
    { clock, algorithm: 'RS256' },
    { clock, extra: { ttl: 5 } },
    { clock, audience: ['a', 'b'] },
    ...[
      {},
      { scope: [] },
      { scope: 'orders read' },
      { scope: 'orders:{customer}' },
      { scope: 'orders:read', resource: '{customer}' },
      { scope: 'orders:read', resource: 'orders' },
      { scope: 'orders:read', audience: 'https://elsewhere.test' },
      { scope: 'orders:read', verbs: ['GET'] },
    ].map((means) => ({ clock, actions: [{ ...readOrder, means }] })),
  ]
  for (const options of wrong)
    await assert.rejects(start(folder, options), (thrown) => {
      assert.ok(thrown instanceof Failure && thrown.code === 'contract_invalid')
      return /^Line (74|88): /.test(thrown.message)
    })
  assert.deepEqual(readdirSync(folder), ['other.json'])
  assert.ok(
    await start(folder, { clock, issuer: 'http://127.0.0.1:8080', keyFile: 'other.json' }),
    'loopback may be http',
  )
})

type Options = {
  readonly clock: Clock
  readonly issuer?: string
  readonly audience?: string | readonly string[]
  readonly algorithm?: string
  readonly keyFile?: string
  readonly actions?: readonly Action[]
  readonly extra?: Readonly<Record<string, unknown>>
}

function start(keyFolder: string, options: Options): Promise<Provider> {
  const { clock, actions = [readOrder], extra, ...config } = options
  const entry = { name: 'tokens', kind: 'jwt', config: { issuer, audience, ...config, ...extra }, place }
  const resolve = () => assert.fail('nothing to resolve')
  return jwt.create(entry, actions, { clock, random: randomBytes, resolve, keyFolder, brokerName: 'test' })
}

async function startIn(t: TestContext, options: Omit<Options, 'clock'> = {}) {
  const clock = createTestClock()
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-jwt-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return { provider: await start(folder, { clock, ...options }), clock, folder }
}

function orderOf(clock: Clock, order: Partial<MintOrder> & { lifeMilliseconds?: number } = {}): MintOrder {
  const { lifeMilliseconds = 300_000, ...rest } = order
  return {
    leaseId: newId({ prefix: 'lease', now: clock.now(), random: randomBytes }),
    tenant: 'acme',
    agent: 'agent-7',
    action: readOrder,
    resource: 'order-7',
    parts: { order: 'order-7', resource: 'order-7' },
    notAfter: clock.now() + lifeMilliseconds,
    requestId: 'test',
    ...rest,
  }
}

async function serveKeys(t: TestContext, provider: Provider): Promise<URL> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/jwk-set+json')
    response.end(JSON.stringify(provider.authority?.jwks()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return new URL(`http://127.0.0.1:${address.port}/jwks`)
}

function verifyWithJose(provider: Provider, clock: Clock, token: string) {
  const keys = createLocalJWKSet({ keys: keysOf(provider).map((key) => ({ kty: '', ...key })) })
  return jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt', currentDate: new Date(clock.now()) })
}

function keysOf(provider: Provider): readonly Readonly<Record<string, unknown>>[] {
  return provider.authority?.jwks().keys ?? []
}

function tokenOf(credential: Credential): string {
  const token = credential.fields['access_token']
  assert.ok(token instanceof Secret)
  return token.reveal()
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function failing(code: string) {
  return (thrown: unknown) => thrown instanceof Failure && thrown.code === code
}
