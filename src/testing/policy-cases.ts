import fc from 'fast-check'
import type { PolicyQuestion } from '../broker/index.ts'
import type { Contract, Grant } from '../contract/index.ts'
import { contractFixture } from './contract.ts'
import { disguises, grantedQuestion, hostileTexts } from './policy.ts'

const names = ['acme', 'globex', '__proto__', 'constructor', 'ünïcode'] as const
const words = fc.constantFrom('a', 'b', 'ab', 'é', '😀', '.', '$', '^', '+', '-', '(', '|', '\n')
const pieces = fc.oneof(
  { weight: 3, arbitrary: words },
  fc.constant('/'),
  fc.constant('*'),
  fc.constant('**'),
)
const seconds = fc.constantFrom(0, 1, 59, 60, 61, 899, 900, 901, 3600)

/** A resource pattern as the contract lets it be written, and stranger. */
export const arbitraryPattern: fc.Arbitrary<string> = fc
  .array(pieces, { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join(''))

/** A resource that the pattern covers or nearly covers: its stars filled in, the rest as it is. */
export function resourceNear(pattern: string): fc.Arbitrary<string> {
  const filling = fc.array(fc.oneof(words, fc.constant('/')), { maxLength: 3 }).map((parts) => parts.join(''))
  return fc.array(filling, { minLength: 8, maxLength: 8 }).map((fillings) => {
    let nth = 0
    return pattern.replace(/\*+/g, () => fillings[nth++ % 8] ?? '')
  })
}

export const arbitraryGrant: fc.Arbitrary<Omit<Grant, 'id' | 'place'>> = fc.record({
  tenant: fc.constantFrom(...names),
  agents: fc.subarray(['agent-7', 'agent-8', '*', '__proto__'], { minLength: 1 }),
  service: fc.constantFrom('orders-db', 'files', 'constructor'),
  actions: fc.subarray(['read-table', 'write-table', 'toString'], { minLength: 1 }),
  resources: fc.array(arbitraryPattern, { minLength: 1, maxLength: 3 }),
  modes: fc.subarray(['LOCAL', 'PROD']),
  planes: fc.subarray(['machine', 'human'] as const),
  maxDurationSeconds: seconds,
})

/** Contracts that hold nothing but grants, in random order and under random ids. */
export const arbitraryGrants: fc.Arbitrary<Contract> = fc
  .array(arbitraryGrant, { minLength: 1, maxLength: 40 })
  .map((grants) =>
    contractFixture({ grants: grants.map((grant, nth) => ({ ...grant, id: `g${(nth * 7919) % 997}` })) }),
  )

/** A question that one of the grants allows or nearly allows: a few of its fields changed, some into hostile texts. */
export function arbitraryQuestion(contract: Contract): fc.Arbitrary<PolicyQuestion> {
  return fc.constantFrom(...contract.grants).chain((grant) =>
    fc.tuple(fitting(grant), change, change).map(([question, first, second]) => {
      const changed = { ...question, ...first(question) }
      return { ...changed, ...second(changed) }
    }),
  )
}

function fitting(grant: Grant): fc.Arbitrary<PolicyQuestion> {
  return fc.record({
    tenant: fc.constant(grant.tenant),
    agent: fc.constantFrom(...grant.agents.map((agent) => (agent === '*' ? 'agent-9' : agent))),
    plane: fc.constantFrom(...(grant.planes.length ? grant.planes : (['machine'] as const))),
    mode: fc.constantFrom(...(grant.modes.length ? grant.modes : ['PROD'])),
    service: fc.constant(grant.service),
    action: fc.constantFrom(...grant.actions),
    resource: fc.constantFrom(...grant.resources).chain(resourceNear),
    duration_seconds: fc.oneof(fc.constant(Math.max(1, grant.maxDurationSeconds)), seconds),
  })
}

type Change = (question: PolicyQuestion) => Partial<PolicyQuestion>
const fields = ['tenant', 'agent', 'mode', 'service', 'action', 'resource'] as const

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(() => ({})) },
  fc.constantFrom(...names).map((tenant) => () => ({ tenant })),
  fc.constantFrom('agent-7', 'agent-8').map((agent) => () => ({ agent })),
  fc.constantFrom('machine', 'human').map((plane) => () => ({ plane })),
  fc.constantFrom('LOCAL', 'PROD').map((mode) => () => ({ mode })),
  arbitraryPattern.chain(resourceNear).map((resource) => () => ({ resource })),
  seconds.map((duration_seconds) => () => ({ duration_seconds })),
  fc.tuple(fc.constantFrom(...fields), fc.constantFrom(...hostileTexts)).map(([field, text]) => () => ({
    [field]: text,
  })),
  fc.tuple(fc.constantFrom(...fields), fc.nat()).map(([field, nth]) => (question: PolicyQuestion) => {
    const disguised = disguises(question[field])
    return { [field]: disguised[nth % disguised.length] ?? grantedQuestion[field] }
  }),
)
