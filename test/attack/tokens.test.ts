import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { createTokenVerifier } from '../../src/adapters/identity/token/index.ts'
import { systemClock } from '../../src/catalog/index.ts'
import { Secret } from '../../src/primitives/index.ts'
import { type Running, seedRequest, startRunning } from '../running.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** Of P-256 (SEC 2 §2.4.2). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** Who reads a token, and two that are real. */
type Reader = {
  readonly real: readonly [string, string]
  /** Whether the token is taken for one that works. */
  readonly takes: (token: string) => Promise<boolean>
  readonly numRuns: number
}

describe('a real token that was changed is refused unless it is byte for byte what was signed', {
  timeout: 120_000,
}, () => {
  let running: Running
  const readers: Partial<Record<'an identity' | 'an access token', Reader>> = {}
  before(async () => {
    running = await startRunning()
    readers['an identity'] = identityReader(running)
    readers['an access token'] = await accessReader(running)
  })
  after(() => running?.close())

  for (const name of ['an identity', 'an access token'] as const) {
    const reader = () => readers[name] ?? assert.fail('not started')

    test(`as ${name}, whatever was done to it`, async () => {
      const { real, takes, numRuns } = reader()
      for (const token of real) assert.equal(await takes(token), true, 'the real ones work')
      const counts = { cases: 0, same: 0 }
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...real),
          fc.array(changes(real), { minLength: 1, maxLength: 3 }),
          async (token, some) => {
            const changed = some.reduce((text, change) => change(text), token)
            counts.cases += 1
            if (real.includes(changed)) counts.same += 1
            assert.equal(await takes(changed), real.includes(changed), changed)
          },
        ),
        { numRuns },
      )
      assert.ok(counts.same < counts.cases / 10, 'nearly all were changed')
      console.log(
        `${name}: ${counts.cases} changed tokens, ${counts.same} of them back to what they were, none other taken`,
      )
    })

    test(`as ${name}, its signature has one spelling, and no magic one holds`, async () => {
      const { real, takes } = reader()
      const [token] = real
      const [head = '', claims = '', signature = ''] = token.split('.')
      // The last of 86 characters has four bits that stand for nothing.
      const spellings = [...alphabet].map((letter) => signature.slice(0, -1) + letter)
      const bytes = Buffer.from(signature, 'base64url')
      assert.equal(spellings.filter((one) => Buffer.from(one, 'base64url').equals(bytes)).length, 16)
      const zero = Buffer.alloc(32)
      const [r, s] = [bytes.subarray(0, 32), bytes.subarray(32)]
      const magic = [
        ...[
          [zero, zero],
          [r, zero],
          [zero, s],
          [ofNumber(order), ofNumber(order)],
          [ofNumber(order), s],
          [r, ofNumber(order)],
        ],
        ...[
          [ofNumber(1n), ofNumber(1n)],
          [s, r],
          [Buffer.alloc(32, 0xff), Buffer.alloc(32, 0xff)],
          [r],
          [r, s, zero],
          [zero, r, s],
          [],
        ],
      ].map((parts) => Buffer.concat(parts).toString('base64url'))
      for (const one of [
        ...spellings,
        ...magic,
        `${signature}=`,
        `${signature}==`,
        `${signature} `,
        `${signature}\n`,
      ])
        assert.equal(await takes(`${head}.${claims}.${one}`), one === signature, one)
      console.log(`${name}: ${spellings.length + magic.length + 4} signatures, one taken`)
    })
  }
})

test('the twin that ECDSA allows anybody to compute is the same token, and dies with it', async (t) => {
  const running = await startRunning()
  t.after(() => running.close())
  const { real, takes } = await accessReader(running)
  const [head = '', claims = '', signature = ''] = real[0].split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const twin = `${head}.${claims}.${Buffer.concat([bytes.subarray(0, 32), ofNumber(order - s)]).toString('base64url')}`
  assert.equal(await takes(twin), true, 'it says what was signed, and no word more')
  const { jti } = JSON.parse(Buffer.from(claims, 'base64url').toString())
  const ended = await running.machine({
    method: 'DELETE',
    path: `/v1/leases/${jti}`,
    as: { machineKey: running.machines['agent-7'].machineKey },
  })
  assert.equal(ended.status, 200, ended.text)
  assert.deepEqual([await takes(twin), await takes(real[0])], [false, false])
})

function identityReader(running: Running): Reader {
  const { contract } = running.broker.assembled.broker
  const verifier = createTokenVerifier({ contract, clock: systemClock, caPem: new Map() })
  return {
    real: [running.machines['agent-7'].bearer, running.machines['agent-8'].bearer],
    takes: async (token) =>
      (await verifier.verify(new Secret(token), AbortSignal.timeout(10_000))).kind === 'read',
    numRuns: 20_000,
  }
}

/** By way of the wire: what introspection says of it. */
async function accessReader(running: Running): Promise<Reader> {
  const as = { machineKey: running.machines['agent-7'].machineKey }
  const issue = async () => {
    const { json } = await running.machine({ method: 'POST', path: '/v1/credentials', body: seedRequest, as })
    return String(Object(json['credential']).access_token)
  }
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return {
    real: [await issue(), await issue()],
    takes: async (token) => {
      const body = new URLSearchParams({ token }).toString()
      const { status, json } = await running.machine({
        method: 'POST',
        path: '/oauth2/introspect',
        body,
        as,
        headers,
      })
      return status === 200 && json['active'] === true
    },
    numRuns: 2_000,
  }
}

/** What somebody who holds two real tokens can make of one. */
function changes(real: readonly [string, string]): fc.Arbitrary<(token: string) => string> {
  const letter = fc.constantFrom(...alphabet, '=', '+', '/', '.', ' ', '\n', '\u0000', 'é', '%')
  const place = fc.nat(Math.max(...real.map(({ length }) => length)))
  const part = fc.nat(2)
  const other = real.map((token) => token.split('.'))
  const parted = (change: (parts: string[]) => readonly string[]) => (token: string) =>
    change(token.split('.')).join('.')
  return fc.oneof(
    fc.tuple(place, letter).map(
      ([at, one]) =>
        (token: string) =>
          token.slice(0, at) + one + token.slice(at + 1),
    ),
    fc.tuple(place, letter).map(
      ([at, one]) =>
        (token: string) =>
          token.slice(0, at) + one + token.slice(at),
    ),
    fc.tuple(place, fc.nat(40)).map(
      ([at, length]) =>
        (token: string) =>
          token.slice(0, at) + token.slice(at + length),
    ),
    fc.tuple(place, place).map(
      ([from, to]) =>
        (token: string) =>
          token.slice(0, from) + token.slice(to),
    ),
    fc
      .tuple(part, fc.nat(1))
      .map(([at, which]) =>
        parted((parts) => parts.with(Math.min(at, parts.length - 1), other[which]?.[at] ?? '')),
      ),
    fc
      .tuple(part, part)
      .map(([one, two]) =>
        parted((parts) => parts.map((text, at) => (at === one ? (parts[two] ?? '') : text))),
      ),
    part.map((at) => parted((parts) => parts.map((text, which) => (which === at ? respelt(text) : text)))),
    part.map((at) =>
      parted((parts) => parts.map((text, which) => (which === at ? text.toUpperCase() : text))),
    ),
    fc.constantFrom('=', '.', '..', ' ', '.e30', '\u0000').map((tail) => (token: string) => token + tail),
  )
}

/** The same JSON with a space more; what is no JSON stays. */
function respelt(part: string): string {
  const text = Buffer.from(part, 'base64url').toString('utf8')
  return text.startsWith('{') ? Buffer.from(text.replace('{', '{ ')).toString('base64url') : part
}

function ofNumber(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
}
