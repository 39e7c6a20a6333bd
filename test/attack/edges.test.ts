import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createMemory, rememberedMax } from '../../src/adapters/providers/seed-interface/memory.ts'
import { fails, openBroker } from '../../src/broker/broker.fixture.ts'
import { printable, wordCharactersMax } from '../../src/broker/command-line.ts'
import { brokerLimits } from '../../src/broker/limits.ts'
import { collectVariables } from '../../src/cli/env-file.ts'
import { requireContract } from '../../src/contract/index.ts'
import { nearestName } from '../../src/contract/nearest.ts'
import { parseContract } from '../../src/contract/parse.ts'
import { claimsMax, contractDurationSecondsMax } from '../../src/contract/shape.ts'
import { listItemsMax } from '../../src/contract/shape-parts.ts'
import { seenWords } from '../../src/guard/finding.ts'
import { digitsMax, jsonDepthMax, valueFault } from '../../src/guard/value.ts'
import { parseBaseline } from '../../src/hygiene/baseline.ts'
import { findInSource } from '../../src/hygiene/source-detector.ts'
import { checkAdapterRequestText } from '../../src/references/adapter-request.ts'
import { requestCharactersMax } from '../../src/references/raw-secret.ts'
import { secretKindOf } from '../../src/references/secret-shape.ts'
import { createTestClock } from '../../src/testing/clock.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

test('a sweep kills so many orphans, and the next one the rest', { timeout: 60_000 }, async () => {
  const opened = await openBroker()
  await opened.issue()
  const [order] = opened.provider.orders
  assert.ok(order)
  const count = brokerLimits.sweepOrphansMax + 1
  for (let nth = 0; nth < count; nth += 1)
    await opened.provider.mint(
      { ...order, leaseId: `lse_0${String(nth).padStart(25, '0')}` },
      new AbortController().signal,
    )
  assert.equal((await opened.turn('listing')).orphans, brokerLimits.sweepOrphansMax)
  assert.equal((await opened.turn('listing')).orphans, 1)
  assert.equal(opened.provider.live.size, 1)
})

test('a word of a sentence has so many characters', () => {
  assert.equal(printable('x'.repeat(wordCharactersMax)).length, wordCharactersMax)
  assert.equal(printable('x'.repeat(wordCharactersMax + 1)).length, wordCharactersMax)
  assert.equal(printable('\0'.repeat(wordCharactersMax)).length, wordCharactersMax)
})

test('of a provider that plants nothing, so many answers are remembered', async () => {
  const memory = createMemory(createTestClock())
  const minted = Promise.resolve({ tokenId: 'id', value: 's' })
  const remember = (nth: number) => memory.remember(`lse_${nth}`, minted, { rejectionLeavesNothing: true })
  for (let nth = 0; nth < rememberedMax; nth += 1) remember(nth)
  const first = await memory.outcome('lse_0')
  remember(rememberedMax)
  const [forgotten, second] = [await memory.outcome('lse_0'), await memory.outcome('lse_1')]
  assert.notDeepEqual(forgotten, first)
  assert.deepEqual(second, first)
})

test('a list of the contract has so many items', () => {
  const text = read('contracts/demo.yaml')
  const tenants = (count: number) => Array.from({ length: count }, (_, nth) => `acme-${nth}`).join(', ')
  const problems = (count: number) => {
    const changed = text.replace(
      /^tenants: \[(.*)\]$/m,
      (_, own) => `tenants: [${own}, ${tenants(count - own.split(',').length)}]`,
    )
    assert.notEqual(changed, text)
    const parsed = parseContract({ file: 'demo.yaml', text: changed })
    return 'problems' in parsed
      ? parsed.problems.map(({ message }) => message).filter((message) => message.includes('tenants'))
      : []
  }
  assert.deepEqual(problems(listItemsMax), [])
  assert.equal(problems(listItemsMax + 1).length, 1)
})

test('a duration of the contract has a day, and a token eight claims', () => {
  const text = read('contracts/demo.yaml')
  const problems = (from: string, to: string) => {
    assert.ok(text.includes(from))
    const parsed = parseContract({ file: 'demo.yaml', text: text.replace(from, to) })
    return 'problems' in parsed ? parsed.problems.length : 0
  }
  const claims = (count: number) =>
    `claims: { sub: user_dana, ${Array.from({ length: count - 1 }, (_, nth) => `c${nth}: x`).join(', ')} }`
  assert.equal(problems('claims: { sub: user_dana }', claims(claimsMax)), 0)
  assert.equal(problems('claims: { sub: user_dana }', claims(claimsMax + 1)), 1)
  assert.equal(problems('duration: 1h', `duration: ${contractDurationSecondsMax}s`), 0)
  assert.equal(problems('duration: 1h', `duration: ${contractDurationSecondsMax + 1}s`), 1)
})

test('a suggestion is looked for among 200 names, for one of 128 characters', () => {
  const others = (count: number) => Array.from({ length: count }, (_, nth) => `${nth}`.repeat(9))
  assert.equal(nearestName('bucket', [...others(199), 'buckets']), 'buckets')
  assert.equal(nearestName('bucket', [...others(200), 'buckets']), undefined)
  assert.equal(nearestName('x'.repeat(128), ['x'.repeat(127)]), 'x'.repeat(127))
  assert.equal(nearestName('x'.repeat(129), ['x'.repeat(128)]), undefined)
})

test('a number has so many digits, and JSON is so deep', () => {
  for (const kind of ['integer', 'number'] as const) {
    assert.equal(valueFault('9'.repeat(digitsMax), { kind }), undefined)
    assert.equal(valueFault('9'.repeat(digitsMax + 1), { kind }), 'type')
  }
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  assert.equal(valueFault(nested(jsonDepthMax), { kind: 'json' }), undefined)
  assert.equal(valueFault(nested(jsonDepthMax + 1), { kind: 'json' }), 'type')
})

test('a file of variables has a megabyte', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-edge-'))
  const file = join(folder, '.env')
  const missing = (bytes: number) => {
    writeFileSync(file, `A=${'x'.repeat(bytes - 3)}\n`)
    return collectVariables({}, [file], undefined).missing.length
  }
  assert.deepEqual([missing(1024 * 1024), missing(1024 * 1024 + 1)], [0, 1])
  rmSync(folder, { recursive: true })
})

test('a baseline has so many findings', () => {
  const entry = (_: unknown, nth: number) => ({
    finding: nth.toString(16).padStart(16, '0'),
    reason: 'known',
  })
  const parse = (length: number) =>
    parseBaseline({ file: 'b.json', text: JSON.stringify({ accepted: Array.from({ length }, entry) }) })
  assert.equal(parse(10_000).accepted.size, 10_000)
  assert.throws(() => parse(10_001), fails('option_invalid'))
})

test('a request to an adapter has so many characters, and its reference 256', () => {
  const contract = requireContract({ file: 'ficecal.yaml', text: read('contracts/ficecal.yaml') })
  const codes = (text: string) => {
    const checked = checkAdapterRequestText({ contract, adapter: 'billing-ingest', mode: 'PROD', text })
    return checked.kind === 'refused' ? checked.problems.map(({ code }) => code) : []
  }
  const request = (reference: string) =>
    JSON.stringify({
      credentialRef: reference,
      provider: 'aws',
      from: '2026-01-01',
      to: '2026-01-31',
      granularity: 'DAILY',
    })
  const plain = request('cred://aws/production/readonly')
  assert.deepEqual(codes(plain + ' '.repeat(requestCharactersMax - plain.length)), [])
  assert.deepEqual(codes(plain + ' '.repeat(requestCharactersMax + 1 - plain.length)), ['request-malformed'])
  const long = (length: number) => {
    const head = `cred://aws${'/readonly'.repeat(Math.floor((length - 10) / 9))}`
    return head.padEnd(length, 'o')
  }
  assert.deepEqual(codes(request(long(256))), [])
  assert.equal(codes(request(long(257))).length, 1)
})

test('a text of a request is unwrapped three times', () => {
  const wrapped = (times: number): string =>
    times === 0 ? 'password=hunter2' : Buffer.from(wrapped(times - 1)).toString('base64')
  assert.equal(secretKindOf(wrapped(3)), 'encoded named secret')
  assert.notEqual(secretKindOf(wrapped(4)), 'encoded named secret')
})

test('a line of a source has 2000 characters, and of a value that is no secret 60 are shown', () => {
  const contract = requireContract({ file: 'agenticverz.yaml', text: read('contracts/agenticverz.yaml') })
  const guess = 'MODE = os.getenv("AOS_MODE", "preprod")'
  const found = (length: number) =>
    findInSource(contract, { path: 'a.py', text: `${guess};${'x'.repeat(length - guess.length - 1)}` }).length
  assert.deepEqual([found(2000), found(2001)], [1, 0])
  const words = 'a b '.repeat(20)
  assert.equal(seenWords(words.slice(0, 60), false), words.slice(0, 60))
  assert.equal(seenWords(words.slice(0, 61), false), `set, 61 characters, beginning ${words.slice(0, 60)}`)
})
