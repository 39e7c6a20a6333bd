import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PolicyAnswer, PolicyQuestion } from '../../../broker/index.ts'
import { policyData } from '../../../contract/index.ts'
import { type OpaServer, policySource, startOpa } from '../../../testing/opa.ts'
import { arbitraryGrants, arbitraryQuestion } from '../../../testing/policy-cases.ts'
import { openWasmPolicy } from './index.ts'

const contractCount = 50
const questionsPerContract = 1000

/** Loaded into the server alone: many questions in one request, each decided by the server as its own. */
const batch = `package batch
answers := [answer |
	some question in input.questions
	answer := data.sallyport.decision with input as question
]`

test('the compiled policy and a real OPA server agree on every random request', {
  timeout: 300_000,
}, async (context) => {
  const server = await startOpa()
  if ('skip' in server) return context.skip(server.skip)
  const seed = Date.now() % 2 ** 31
  const seen = new Map<string, number>()
  try {
    await server.putPolicy('sallyport', policySource())
    await server.putPolicy('batch', batch)
    for (let nth = 0; nth < contractCount; nth += 1) await compare(server, seed + nth, seen)
  } finally {
    await server.stop()
  }
  const compared = [...seen.values()].reduce((sum, count) => sum + count, 0)
  console.log(
    `Wasm and OPA server agree on ${compared} random requests (seed ${seed}):`,
    Object.fromEntries(seen),
  )
  assert.ok(compared >= 50_000)
  assert.equal(seen.size, 7, 'every reason and an allow must have occurred')
})

async function compare(server: OpaServer, seed: number, seen: Map<string, number>): Promise<void> {
  const [contract] = fc.sample(arbitraryGrants, { numRuns: 1, seed })
  assert.ok(contract)
  const questions = fc.sample(arbitraryQuestion(contract), { numRuns: questionsPerContract, seed })
  const data = policyData(contract)
  await server.putData('grants', data.grants)
  const theirs = await askServer(server, questions)
  const bundle = resolve(import.meta.dirname, '../../../../policies/bundle/policy.wasm')
  const engine = await openWasmPolicy({ wasm: readFileSync(bundle), data })
  for (const [nth, question] of questions.entries()) {
    const ours: PolicyAnswer = await engine.decide(question, AbortSignal.timeout(10_000))
    assert.deepEqual(ours, theirs[nth], `seed ${seed}: ${JSON.stringify(question)}`)
    const word = ours.allow ? 'allow' : ours.reason
    seen.set(word, (seen.get(word) ?? 0) + 1)
  }
}

async function askServer(
  server: OpaServer,
  questions: readonly PolicyQuestion[],
): Promise<readonly unknown[]> {
  const body = JSON.stringify({ input: { questions } })
  const answer = await fetch(`${server.url}/v1/data/batch/answers`, { method: 'POST', body })
  const document: unknown = await answer.json()
  const result = typeof document === 'object' && document !== null && 'result' in document && document.result
  assert.ok(Array.isArray(result) && result.length === questions.length, JSON.stringify(document))
  return result
}
