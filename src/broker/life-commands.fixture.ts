import fc from 'fast-check'
import type { FakeStep } from '../testing/fake-provider.ts'
import { refused, throttled, unreachable } from './broker.fixture.ts'

/** What can happen in a life. `by`, `agent` and `nth` count who and what there is. */
export type LifeCommand =
  /** `begin` goes on while the next things happen. */
  | {
      readonly kind: 'request' | 'begin'
      readonly tenant: Tenant
      readonly agent: number
      /** None when it is 0. */
      readonly key: number
      readonly seconds: number
    }
  /** One of the newest leases. */
  | { readonly kind: 'revoke'; readonly by: Asker; readonly nth: number }
  | { readonly kind: 'revoke-where'; readonly by: Asker; readonly filter: Filter }
  | { readonly kind: 'pass'; readonly milliseconds: number }
  | { readonly kind: 'turn'; readonly listing: boolean }
  | { readonly kind: 'script'; readonly of: 'mint' | 'revoke' | 'probe'; readonly steps: readonly FakeStep[] }
  | { readonly kind: 'disk'; readonly broken: boolean }
  | { readonly kind: 'crash' }
  /** The process dies at the n-th passage of that point from now. */
  | { readonly kind: 'die'; readonly at: DeathPoint; readonly nth: number }

export type Tenant = 'acme' | 'globex'
export type Asker = {
  readonly role: 'agent' | 'operator' | 'platform'
  readonly tenant: Tenant
  readonly agent: number
}
export type Filter = {
  readonly tenant?: Tenant
  readonly agent?: string
  readonly service?: string
  readonly mode?: string
}
export type DeathPoint = 'before a write' | 'after a write' | 'after a mint' | 'after a revocation'

const word = <const Word>(...words: Word[]) => fc.constantFrom(...words)
const tenant = word<Tenant>('acme', 'acme', 'acme', 'globex')
const agent = word(0, 0, 1)
const by: fc.Arbitrary<Asker> = fc.record({
  role: word('agent', 'agent', 'operator', 'platform'),
  tenant,
  agent,
})
const filter: fc.Arbitrary<Filter> = fc.record(
  {
    tenant,
    agent: word('agent-0', 'agent-1'),
    service: word('orders-db', 'orders-db', 'files'),
    mode: word('LOCAL', 'LOCAL', 'PROD'),
  },
  { requiredKeys: [] },
)
const step: fc.Arbitrary<FakeStep> = fc.oneof(
  fc.record({ kind: word('work', 'hang', 'drop-and-hang') }),
  fc.record({ kind: fc.constant('wait' as const), milliseconds: fc.integer({ min: 1, max: 6_000 }) }),
  fc.record({ kind: fc.constant('fail' as const), failure: word(unreachable, throttled, refused) }),
  // A provider that says no and mints all the same would lie; an answer that is lost looks like this.
  fc.constant({ kind: 'drop' as const, failure: unreachable }),
)

const asking = {
  tenant,
  agent,
  key: word(0, 1, 1, 1, 2),
  seconds: fc.oneof({ weight: 6, arbitrary: word(60) }, fc.integer({ min: 1, max: 90 })),
}
const deathPoint = word<DeathPoint>('before a write', 'after a write', 'after a mint', 'after a revocation')

export const lifeCommand: fc.Arbitrary<LifeCommand> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: word('request', 'begin'), ...asking }) },
  { weight: 4, arbitrary: fc.record({ kind: word('revoke'), by, nth: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ kind: word('revoke-where'), by, filter }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: word('pass'),
      milliseconds: word(1, 500, 4_000, 20_000, 100_000, 5_000_000, 90_000_000),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: word('turn'), listing: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: word('script'),
      of: word('mint', 'revoke', 'probe'),
      steps: fc.array(step, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: word('disk'), broken: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: word('crash') }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: word('die'), at: deathPoint, nth: fc.integer({ min: 1, max: 4 }) }),
  },
)
