import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { requireContract } from '../contract/index.ts'
import {
  type CheckedRequest,
  checkAdapterRequest,
  checkAdapterRequestText,
  findRawSecrets,
  isSecretName,
} from './index.ts'

const file = join(import.meta.dirname, '../../contracts/ficecal.yaml')
const contract = requireContract({ file, text: readFileSync(file, 'utf8') })
const about = { contract, adapter: 'billing-ingest' }
const credentialRef = 'cred://aws/production/readonly'

function check(request: unknown, mode = 'PROD'): CheckedRequest {
  return checkAdapterRequest({ ...about, mode, request })
}

function codes(checked: CheckedRequest): readonly string[] {
  return checked.kind === 'refused' ? checked.problems.map(({ code }) => code) : []
}

const plain = { credentialRef, provider: 'aws', from: '2026-01-01', to: '2026-01-31', granularity: 'DAILY' }

/** Made at run time, so that no secret stands in a file. */
function made(length: number): string {
  return randomBytes(length).toString('base64url')
}

const hex = (length: number) => `a1${randomBytes(length).toString('hex')}`
const upper = (length: number) =>
  Array.from(randomBytes(length), (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32]).join('')

const secrets: readonly (readonly [string, () => string])[] = [
  ['an AWS key', () => `AKIA${upper(16)}`],
  ['a GitHub token', () => `ghp_${hex(18)}`],
  ['an API key', () => `sk-ant-${made(24)}`],
  ['a Stripe key', () => `sk_live_${hex(12)}`],
  [
    'a token',
    () =>
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"a"}').toString('base64url')}.`,
  ],
  ['a private key', () => `-----BEGIN EC PRIVATE KEY-----\n${made(30)}`],
  ['a password in an address', () => `postgresql://user:p${hex(3)}@db.example.test/app`],
  ['a key in an address', () => `https://t${hex(10)}@example.test/`],
  ['a header', () => `Bearer ${made(18)}`],
  ['a named secret in text', () => `host=db password=p${hex(3)}`],
  ['random text', () => `${made(32)}x9Q`],
  ['random hexadecimal', () => hex(20)],
]

for (const [what, make] of secrets)
  test(`${what} is refused wherever it stands, and is not echoed`, () => {
    const secret = make()
    const base64 = Buffer.from(secret).toString('base64')
    for (const request of [
      { ...plain, note: secret },
      { ...plain, deep: [{ deeper: { deepest: [1, secret] } }] },
      { ...plain, [secret]: 1 },
      { ...plain, note: base64 },
      { ...plain, note: Buffer.from(base64).toString('base64') },
      { ...plain, note: encodeURIComponent(`x ${secret}`) },
      { ...plain, note: `words before ${secret} and after` },
    ]) {
      const checked = check(request, 'LOCAL')
      assert.ok(codes(checked).includes('raw-secret'), `not seen in the form ${Object.keys(request).length}`)
      const told = JSON.stringify(checked)
      assert.ok(!told.includes(secret) && !told.includes(base64))
    }
  })

test('a name that is kept for secrets holds nothing', () => {
  for (const name of [
    'password',
    'apiKey',
    'API_KEY',
    'clientSecret',
    'access-token',
    'aws_secret_access_key',
    'dbPassword',
    'Authorization',
  ])
    assert.deepEqual(codes(check({ ...plain, options: { [name]: 'short' } })), ['raw-secret'], name)
  assert.deepEqual(codes(check({ ...plain, secret: { value: 'short' } })), ['raw-secret'])
  assert.deepEqual(codes(check({ ...plain, password: 1234 })), ['raw-secret'])
  for (const name of ['nextPageToken', 'maxTokens', 'keyword', 'monkey', 'author', 'secretary'])
    assert.equal(isSecretName(name), false, name)
})

test('a name that only looks like another is that name, or none that anybody may use', () => {
  const lookalikes = [
    'ｐａｓｓｗｏｒｄ',
    'pass\u200bword',
    'pässword',
    'p\u0430ssword',
    'api\u039aey',
    't\u043eken',
  ]
  for (const name of lookalikes)
    assert.deepEqual(codes(check({ ...plain, options: { [name]: 'short' } })), ['raw-secret'], name)
  for (const name of ['описание', 'größe', 'περίοδος', 'co₂', '期間'])
    assert.equal(check({ ...plain, options: { [name]: 'short' } }).kind, 'accepted', name)
})

test('what is no secret passes', () => {
  for (const note of [
    '123e4567-e89b-12d3-a456-426614174000',
    'arn:aws:iam::123456789012:role/billing-export-reader',
    'https://api.example.test/v1/billing/exports?from=2026-01-01',
    's3://company-billing-exports/production/2026/01/cost-and-usage-report.csv',
    'aws-cost-and-usage-report-monthly-2026-01',
    'AmazonEC2ElasticLoadBalancing',
    'a sentence of several ordinary words about billing',
    '2026-01-18T10:11:12.000Z',
    'tier-1-provider-ingest-baseline',
  ])
    assert.equal(check({ ...plain, note }).kind, 'accepted', note)
  assert.equal(check({ ...plain, digest: `sha256:${hex(31)}` }).kind, 'accepted')
})

test('a reference is required in stage and prod, and optional in local', () => {
  const { credentialRef: _, ...without } = plain
  assert.deepEqual(codes(check(without, 'PROD')), ['reference-missing'])
  assert.deepEqual(codes(check(without, 'STAGE')), ['reference-missing'])
  assert.equal(check(without, 'LOCAL').kind, 'accepted')
  assert.equal(check(plain).kind, 'accepted')
})

test('a reference is opaque and of the pattern, in every mode', () => {
  const wrong = [
    '',
    'aws/production',
    'cred://aws',
    'cred://AWS/x',
    `${credentialRef}\n`,
    `cred://aws/${hex(20)}`,
    7,
    null,
    [credentialRef],
    { ref: credentialRef },
  ]
  for (const reference of wrong)
    for (const mode of ['LOCAL', 'STAGE', 'PROD'])
      assert.ok(
        codes(check({ ...plain, credentialRef: reference }, mode)).includes('reference-malformed'),
        String(reference),
      )
  assert.ok(
    codes(check({ ...plain, credentialRef: `cred://a/${'b'.repeat(300)}` })).includes('reference-malformed'),
  )
})

test('the auth mode is read-only when absent, and nothing else', () => {
  const checked = check(plain)
  assert.equal(checked.kind === 'accepted' && checked.authMode, 'read-only')
  assert.equal(checked.kind === 'accepted' && checked.request['authMode'], 'read-only')
  assert.equal(check({ ...plain, authMode: 'read-only' }).kind, 'accepted')
  for (const authMode of ['read-write', 'READ-ONLY', '', null, ['read-only'], 1])
    assert.deepEqual(codes(check({ ...plain, authMode })), ['auth-mode-unsupported'])
})

test('a field in another spelling is told, not passed over', () => {
  const { credentialRef: _, ...without } = plain
  assert.deepEqual(codes(check({ ...without, credential_ref: credentialRef }, 'LOCAL')), ['field-misspelled'])
  assert.deepEqual(codes(check({ ...plain, authmode: 'read-write' })), ['field-misspelled'])
})

const problemsOf = (text: string, mode = 'LOCAL') => {
  const checked = checkAdapterRequestText({ ...about, mode, text })
  return checked.kind === 'refused' ? checked.problems : []
}
const textCodes = (text: string) => problemsOf(text).map(({ code }) => code)

test('a text is JSON without a key that stands twice', () => {
  assert.deepEqual(textCodes('{"a":1,"a":2}'), ['key-repeated'])
  assert.deepEqual(textCodes('{"x":[{"a":1,"\\u0061":2}]}'), ['key-repeated'])
  assert.deepEqual(textCodes('{"a":{"a":"a:a"},"b":[{"a":1},{"a":1}]}'), [])
  for (const words of ['', '[]', 'null', '{"a":}', `"${'x'.repeat(1024 * 1024)}"`])
    assert.deepEqual(textCodes(words), ['request-malformed'])
})

test('a key that stands twice is told by its place, beside every other problem', () => {
  const problems = problemsOf('{"a":1,"x":[0,"1,]",{"y":1,"y":[2]}],"a":[{},{}],"password":"x"}', 'PROD')
  assert.deepEqual(
    problems.map(({ code, path }) => `${code} ${path}`),
    [
      'key-repeated $.x[2].y',
      'key-repeated $.a',
      'raw-secret $.password',
      'reference-missing $.credentialRef',
    ],
  )
  const secret = `ghp_${hex(18)}`
  const told = JSON.stringify(problemsOf(`{"${secret}":1,"${secret}":2}`))
  assert.ok(told.includes('key-repeated') && !told.includes(secret))
})

test('a text is read without its byte order mark', () => {
  assert.equal(
    checkAdapterRequestText({ ...about, mode: 'PROD', text: `\ufeff${JSON.stringify(plain)}` }).kind,
    'accepted',
  )
  assert.deepEqual(textCodes('\ufeff\ufeff{}'), ['request-malformed'])
})

test('what is no value of JSON is refused, since nobody can say what is made of it later', () => {
  const secret = 'https://u:hunter2@h'
  const others: readonly unknown[] = [
    new URL(secret),
    new Map([['password', 'x']]),
    Buffer.from('password=hunter2'),
    new String(secret),
    new Date(0),
    { toJSON: () => ({ password: 'hunter2' }) },
    Object.create({ toJSON: () => secret }),
    Object.assign([1], { toJSON: () => secret }),
    Object.assign([1], { note: secret }),
    Object.defineProperty({}, 'toJSON', { value: () => secret, enumerable: false }),
    Object.defineProperty([], 0, { get: () => secret, enumerable: true }),
    {
      get note() {
        return secret
      },
    },
    { [Symbol('note')]: secret },
    new Array(1),
    () => secret,
    Symbol(secret),
    1n,
  ]
  for (const other of others) {
    assert.deepEqual(codes(check({ ...plain, other })), ['raw-secret'])
    assert.deepEqual(codes(check({ ...plain, deep: [{ other }] })), ['raw-secret'])
  }
  assert.deepEqual(codes(check(new Map())).includes('raw-secret'), true)
  const without = Object.assign(Object.create(null), plain, { toJSON: 'a text', gone: undefined })
  assert.equal(check(without).kind, 'accepted')
  assert.equal(check({ ...plain, other: runInNewContext('({ list: [1, { a: null }] })') }).kind, 'accepted')
})

test('what refers to itself, or to one thing in many places, is looked into no further than a text may be long', () => {
  const ring: { inner?: unknown } = {}
  ring.inner = ring
  assert.deepEqual(codes(check({ ...plain, ring })), ['raw-secret'])
  const many = Array.from({ length: 30 }).reduce((inner) => [inner, inner], 'x')
  assert.deepEqual(codes(check({ ...plain, many })), ['raw-secret'])
  assert.deepEqual(codes(check({ ...plain, note: ' '.repeat(1024 * 1024) })), ['raw-secret'])
})

test('a hundred problems are told, and nothing is looked at past them', () => {
  const secretsOf = (count: number) => codes(check({ ...plain, secrets: Array(count).fill('x') })).length
  assert.deepEqual([secretsOf(99), secretsOf(100), secretsOf(101), secretsOf(100_000)], [99, 100, 100, 100])
  const twice = (count: number) =>
    problemsOf(
      `{${Array(count + 1)
        .fill('"a":1')
        .join()}}`,
    ).length
  assert.deepEqual([twice(99), twice(100), twice(101)], [99, 100, 100])
  const deep = `{"a":1,"a":${'{"b":'.repeat(1000)}{${Array(100).fill('"c":1').join()}}${'}'.repeat(1001)}`
  assert.ok(JSON.stringify(problemsOf(deep)).length < 100_000)
})

test('a text of a megabyte is looked at whole', () => {
  for (const unit of [
    'ab-',
    'a1:',
    '0x70',
    'a=b',
    '--a b ',
    'token: x ',
    'Token a.a.a.a.',
    'Basic QUFB ',
    'https://a',
    'sha256-',
    'k9Z!',
    'eyJ-',
    'SG.',
    'a://',
    'password ',
    'Bearer ',
    '%41',
    'Aa',
    'sk',
    '{"',
    'QUFB',
    '-----BEGIN ',
  ])
    check({ ...plain, note: unit.repeat(1_000_000 / unit.length) }, 'LOCAL')
  const late = `${'word '.repeat(200_000)}AKIA${upper(16)}`
  assert.deepEqual(codes(check({ ...plain, note: late }, 'LOCAL')), ['raw-secret'])
})

test('a name of a megabyte is looked at whole', () => {
  for (const unit of ['max', 'pwd', 'sha1', 'name1', 'aB', 'ｐ'])
    check({ ...plain, [unit.repeat(1_000_000 / unit.length)]: 1 }, 'LOCAL')
})

test('a text of half a million values below thirty names is looked at whole', () => {
  const inner = `[${Array(500_000).fill(1).join()}]`
  const text = `{"x":${'{"a":'.repeat(29)}${inner}${'}'.repeat(29)}}`
  assert.deepEqual(textCodes(text), [])
})

test('what is nested too deep is refused', () => {
  const nested = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
  assert.equal(check({ ...plain, x: nested(31) }).kind, 'accepted')
  assert.deepEqual(codes(check({ ...plain, x: nested(32) })), ['raw-secret'])
})

test('an adapter or mode that there is not is no acceptance', () => {
  assert.throws(() => checkAdapterRequest({ contract, adapter: 'other', mode: 'PROD', request: {} }), {
    code: 'option_invalid',
  })
  assert.throws(() => check({}, 'NOWHERE'), { code: 'option_invalid' })
})

test('a secret planted anywhere in any JSON is found, and never told', () => {
  const runs = 400
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 4 }),
      fc.nat(secrets.length - 1),
      fc.array(fc.constantFrom('a', 'b', '0')),
      (value, which, way) => {
        const secret = secrets[which]?.[1]() ?? ''
        const planted = way.reduceRight<unknown>(
          (inner, step) => (step === '0' ? [inner, value] : { [step]: inner, z: value }),
          secret,
        )
        const found = way.length > 30 ? [] : findRawSecrets({ planted })
        assert.ok(way.length > 30 || found.length > 0)
        assert.ok(!JSON.stringify(found).includes(secret))
      },
    ),
    { numRuns: runs },
  )
  console.log(`${runs} requests with a planted secret`)
})
