import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { policyData } from '../../../contract/index.ts'
import { Failure, sha256Hex } from '../../../primitives/index.ts'
import {
  contractFixture,
  createGrantPolicy,
  grantedQuestion,
  isPolicyUnavailable,
  policyConformance,
} from '../../../testing/index.ts'
import {
  arbitraryGrant,
  arbitraryGrants,
  arbitraryPattern,
  arbitraryQuestion,
  resourceNear,
} from '../../../testing/policy-cases.ts'
import { openWasmPolicy } from './index.ts'

const policies = resolve(import.meta.dirname, '../../../../policies')
const wasm = readFileSync(resolve(policies, 'bundle/policy.wasm'))
const custom = readFileSync(resolve(import.meta.dirname, 'fixtures/custom.wasm'))
const never = new AbortController().signal

policyConformance('opa-wasm', async () => ({
  open: (data) => openWasmPolicy({ wasm, data }),
  openBroken: () => openWasmPolicy({ wasm: custom, data: data(), entrypoint: 'custom/undefined' }),
}))

test('the committed policy was compiled from the committed source', () => {
  const manifest: unknown = JSON.parse(readFileSync(resolve(policies, 'bundle/manifest.json'), 'utf8'))
  assert.deepEqual(manifest, {
    entrypoint: 'sallyport/decision',
    opa: '1.19.0',
    rego: `sha256:${sha256Hex(readFileSync(resolve(policies, 'sallyport.rego')))}`,
    wasm: `sha256:${sha256Hex(wasm)}`,
  })
})

test('the compiled policy decides as the plain reading of the grants does', async () => {
  const seen = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(
      arbitraryGrants.chain((contract) =>
        fc.tuple(
          fc.constant(contract),
          fc.array(arbitraryQuestion(contract), { minLength: 20, maxLength: 20 }),
        ),
      ),
      async ([contract, questions]) => {
        const engine = await openWasmPolicy({ wasm, data: policyData(contract) })
        const plain = createGrantPolicy(contract)
        for (const question of questions) {
          const answer = await engine.decide(question, never)
          assert.deepEqual(answer, await plain.decide(question, never), JSON.stringify(question))
          const word = answer.allow ? 'allow' : answer.reason
          seen.set(word, (seen.get(word) ?? 0) + 1)
        }
      },
    ),
    { numRuns: 100 },
  )
  console.log('compared with the plain reading:', Object.fromEntries(seen))
  assert.equal(seen.size, 7, 'every reason and an allow must have occurred')
})

test('a pattern covers in policy exactly what it covers in the contract', async () => {
  const cases = 400
  let covered = 0
  await fc.assert(
    fc.asyncProperty(
      arbitraryPattern.chain((pattern) =>
        fc.tuple(fc.constant(pattern), fc.array(resourceNear(pattern), { minLength: 10, maxLength: 10 })),
      ),
      async ([pattern, resources]) => {
        const contract = contractFixture({ grants: [{ id: 'g', resources: [pattern] }] })
        const engine = await openWasmPolicy({ wasm, data: policyData(contract) })
        const plain = createGrantPolicy(contract)
        for (const resource of resources) {
          const question = { ...grantedQuestion, resource }
          const answer = await engine.decide(question, never)
          assert.deepEqual(answer, await plain.decide(question, never), JSON.stringify({ pattern, resource }))
          if (answer.allow) covered += 1
        }
      },
    ),
    { numRuns: cases },
  )
  console.log(`patterns compared: ${cases}, resources: ${cases * 10}, covered: ${covered}`)
  assert.ok(covered > 0 && covered < cases * 10)
})

test('one grant more never takes an allow away, and one constraint more never gives one', async () => {
  const cases = 200
  await fc.assert(
    fc.asyncProperty(
      arbitraryGrants.chain((contract) =>
        fc.tuple(
          fc.constant(contract),
          arbitraryGrant,
          fc.nat(contract.grants.length - 1),
          fc.constantFrom('agents', 'modes', 'planes', 'resources', 'actions', 'maxDurationSeconds'),
          fc.array(arbitraryQuestion(contract), { minLength: 10, maxLength: 10 }),
        ),
      ),
      async ([contract, extra, nth, field, questions]) => {
        const [more, less] = [
          [...contract.grants, { ...extra, id: 'extra' }],
          contract.grants.map((grant, at) =>
            at === nth
              ? {
                  ...grant,
                  [field]: field === 'maxDurationSeconds' ? grant[field] - 1 : grant[field].slice(1),
                }
              : grant,
          ),
        ]
        const open = (grants: typeof more) =>
          openWasmPolicy({ wasm, data: policyData(contractFixture({ grants })) })
        const engines = [await open(less), await open([...contract.grants]), await open(more)]
        for (const question of questions) {
          const answers = await Promise.all(engines.map((engine) => engine.decide(question, never)))
          const allows = answers.map((answer) => Number(answer.allow))
          assert.deepEqual(allows, allows.toSorted(), JSON.stringify(question))
        }
      },
    ),
    { numRuns: cases },
  )
  console.log(`contracts with one grant more and one constraint more: ${cases}, questions: ${cases * 10}`)
})

test('the revision changes with the policy, with the grants and with the contract, and with nothing else', async () => {
  const revisions = await Promise.all([
    openWasmPolicy({ wasm, data: data() }),
    openWasmPolicy({ wasm: custom, data: data(), entrypoint: 'custom/decision' }),
    openWasmPolicy({ wasm, data: policyData(contractFixture({ grants: [] })) }),
    openWasmPolicy({ wasm, data: { ...data(), revision: 'sha256:other' } }),
    openWasmPolicy({ wasm: Uint8Array.from(wasm), data: data() }),
  ])
  const texts = revisions.map((engine) => engine.revision)
  assert.equal(new Set(texts).size, 4)
  assert.equal(texts[0], texts[4])
  assert.match(texts[0] ?? '', /^opa-wasm sha256:[0-9a-f]{64}$/)
})

test('a bundle of the user takes the place of ours, and its own reasons are custom', async () => {
  const engine = await openWasmPolicy({
    wasm: custom,
    data: data(),
    name: 'office-hours',
    entrypoint: 'custom/decision',
  })
  assert.match(engine.revision, /^office-hours sha256:/)
  assert.deepEqual(await engine.decide(grantedQuestion, never), { allow: true, grant: 'office-hours' })
  const denied = await engine.decide({ ...grantedQuestion, action: 'write-table' }, never)
  assert.deepEqual(denied, { allow: false, reason: 'custom' })
})

for (const entrypoint of ['text', 'bare_boolean', 'partial', 'allow_without_boolean', 'too_much', 'conflict'])
  test(`a bundle whose answer is wrong (${entrypoint}) decides nothing`, async () => {
    const engine = await openWasmPolicy({ wasm: custom, data: data(), entrypoint: `custom/${entrypoint}` })
    await assert.rejects(engine.decide(grantedQuestion, never), isPolicyUnavailable)
    await assert.rejects(engine.decide(grantedQuestion, never), isPolicyUnavailable)
  })

test('a decision that failed does not spoil the next', async () => {
  const engine = await openWasmPolicy({ wasm: custom, data: data(), entrypoint: 'custom/sometimes' })
  for (let turn = 0; turn < 100; turn += 1) {
    await assert.rejects(engine.decide({ ...grantedQuestion, agent: 'conflict' }, never), isPolicyUnavailable)
    assert.deepEqual(await engine.decide(grantedQuestion, never), { allow: true, grant: 'sometimes' })
  }
})

test('what is no policy, or has no such entrypoint, is refused when it is opened', async () => {
  const isInvalid = (thrown: unknown) => thrown instanceof Failure && thrown.code === 'option_invalid'
  await assert.rejects(openWasmPolicy({ wasm: Buffer.from('not wasm'), data: data() }), isInvalid)
  await assert.rejects(openWasmPolicy({ wasm: wasm.subarray(0, 1000), data: data() }), isInvalid)
  await assert.rejects(openWasmPolicy({ wasm, data: data(), entrypoint: 'sallyport/other' }), isInvalid)
  await assert.rejects(openWasmPolicy({ wasm, data: data(), entrypoint: 'toString' }), isInvalid)
  await assert.rejects(openWasmPolicy({ wasm: custom, data: data() }), isInvalid)
})

test('data of exactly the limit is taken, one byte more is refused', async () => {
  const bytes = Buffer.byteLength(JSON.stringify(data()))
  await openWasmPolicy({ wasm, data: data(), dataBytesMax: bytes })
  await assert.rejects(
    openWasmPolicy({ wasm, data: data(), dataBytesMax: bytes - 1 }),
    (thrown) => thrown instanceof Failure && thrown.code === 'option_invalid',
  )
})

test('a text that is not well-formed is never allowed', async () => {
  const engine = await openWasmPolicy({
    wasm,
    data: policyData(contractFixture({ grants: [{ id: 'g', resources: ['**'] }] })),
  })
  for (const field of ['tenant', 'agent', 'service', 'action', 'mode'] as const) {
    const question = { ...grantedQuestion, [field]: `${grantedQuestion[field]}\ud800` }
    const answer = await engine.decide(question, never).catch(() => ({ allow: false }))
    assert.equal(answer.allow, false)
  }
})

function data() {
  return policyData(contractFixture())
}
