import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLogKey, parseEntry, parseLogKey } from '../audit/index.ts'
import { callerFixture, inTime, requestFixture, type TestBroker } from '../testing/broker.ts'
import { createTestClock } from '../testing/clock.ts'
import { createFakeProvider, type FakeProvider, type FakeStep } from '../testing/fake-provider.ts'
import { openBreakableStore, openBroker, refused, throttled, unreachable } from './broker.fixture.ts'
import type { IssuedCredential } from './index.ts'
import { type Lease, type LeaseState, leaseMoves } from './lease.ts'
import type { Ledger, Provider } from './ports/index.ts'

type Command =
  | {
      readonly kind: 'request' | 'begin'
      readonly agent: number
      readonly key: number
      readonly seconds: number
    }
  | { readonly kind: 'revoke'; readonly nth: number }
  | { readonly kind: 'revoke-all'; readonly agent: number }
  | { readonly kind: 'pass'; readonly milliseconds: number }
  | { readonly kind: 'turn'; readonly listing: boolean }
  | { readonly kind: 'script'; readonly of: 'mint' | 'revoke' | 'probe'; readonly steps: readonly FakeStep[] }
  | { readonly kind: 'disk'; readonly broken: boolean }
  | { readonly kind: 'crash' }

const failure = fc.constantFrom(unreachable, throttled, refused)
const step: fc.Arbitrary<FakeStep> = fc.oneof(
  fc.record({ kind: fc.constantFrom('work' as const, 'hang' as const, 'drop-and-hang' as const) }),
  fc.record({ kind: fc.constant('wait' as const), milliseconds: fc.integer({ min: 1, max: 6_000 }) }),
  fc.record({ kind: fc.constant('fail' as const), failure }),
  // A provider that says no and mints all the same would lie; an answer that is lost looks like this.
  fc.constant({ kind: 'drop' as const, failure: unreachable }),
)
const agent = fc.integer({ min: 0, max: 1 })
const asking = { agent, key: fc.integer({ min: 0, max: 3 }), seconds: fc.integer({ min: 1, max: 90 }) }
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('request' as const, 'begin' as const), ...asking }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('revoke' as const), nth: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revoke-all' as const), agent }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      milliseconds: fc.constantFrom(1, 500, 4_000, 20_000, 100_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('turn' as const), listing: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('script' as const),
      of: fc.constantFrom('mint' as const, 'revoke' as const, 'probe' as const),
      steps: fc.array(step, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disk' as const), broken: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'crash' as const }) },
)

const signer = parseLogKey(createLogKey('log.example.test/life'))

/** A process that can die at any moment: from then on nothing that it does reaches the world. */
function createProcess(moves: (lease: Lease) => void) {
  const death = new AbortController()
  const mortal =
    <Input, Output>(work: (input: Input, signal: AbortSignal) => Promise<Output>) =>
    (input: Input, signal: AbortSignal) =>
      death.signal.aborted
        ? new Promise<never>(() => undefined)
        : work(input, AbortSignal.any([signal, death.signal]))
  return {
    kill: () => death.abort(),
    ledger: (log: Ledger): Ledger => ({
      writable: () => log.writable(),
      async record(change) {
        if (death.signal.aborted) return new Promise<never>(() => undefined)
        const receipt = await log.record(change)
        if (change.lease) moves(change.lease)
        return receipt
      },
    }),
    around: (fake: FakeProvider): Provider => ({
      ...fake,
      mint: mortal(fake.mint),
      revoke: mortal(fake.revoke),
    }),
  }
}

/** A world in which commands happen, and what must hold in it after each. */
async function createWorld(endsByItself: boolean) {
  const clock = createTestClock()
  const { disk, store } = openBreakableStore()
  const provider = createFakeProvider({ clock, capabilities: { endsByItself } })
  const states = new Map<string, LeaseState>()
  const wrongMoves: string[] = []
  const moves = ({ id, state }: Lease) => {
    const before = states.get(id)
    const allowed = before === undefined ? state === 'intended' : leaseMoves[before].includes(state)
    if (!allowed) wrongMoves.push(`${before} to ${state}`)
    states.set(id, state)
  }
  let process = createProcess(moves)
  let broker: TestBroker = await openBroker({ clock, provider, store, signer, ...process })
  let issued: IssuedCredential[] = []
  let begun: Promise<unknown>[] = []
  let lives = 0

  const ask = async ({ agent: nth, key, seconds }: Extract<Command, { kind: 'request' | 'begin' }>) => {
    const { answer } = await broker.broker.issue(
      {
        caller: callerFixture(`agent-${nth}`),
        requestId: 'r',
        request: { ...requestFixture, durationSeconds: seconds },
        ...(key > 0 ? { idempotencyKey: `life-${lives}-key-${key}` } : {}),
      },
      new AbortController().signal,
    )
    if (answer.kind === 'issued') issued.push(answer)
  }
  const perform = async (one: Command): Promise<unknown> => {
    switch (one.kind) {
      case 'request':
        return inTime(clock, ask(one))
      case 'begin':
        begun.push(ask(one).catch(() => undefined))
        return new Promise((resolve) => setImmediate(resolve))
      case 'revoke': {
        const { leases } = await store.leases.list({}, { limit: 6 })
        const lease = leases[one.nth]
        return lease && broker.revoke(lease.id, callerFixture(lease.agent))
      }
      case 'revoke-all': {
        const caller = callerFixture(`agent-${one.agent}`)
        return inTime(clock, broker.broker.revokeWhere({ caller, requestId: 'r', filter: {} }))
      }
      case 'pass':
        return clock.advance(one.milliseconds)
      case 'turn':
        return broker.turn(one.listing ? 'listing' : 'due')
      case 'script':
        return provider.enqueue({ [one.of]: one.steps })
      case 'disk':
        disk.broken = one.broken
        return undefined
      case 'crash':
        return restart()
    }
  }
  const restart = async () => {
    process.kill()
    begun = []
    // A write that it had begun may still come to its end, but not after its successor has the store: that is locked.
    for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    const broken = disk.broken
    disk.broken = false
    process = createProcess(moves)
    broker = await broker.restart(process)
    disk.broken = broken
  }

  /** Whatever lives at the provider has a lease that says so, or that it may. */
  const check = async () => {
    assert.deepEqual(wrongMoves, [])
    for (const leaseId of await provider.planted(new AbortController().signal)) {
      const state = (await store.leases.find(leaseId))?.state ?? 'nothing'
      assert.ok(['intended', 'live', 'ending'].includes(state), `a credential lives whose lease is ${state}`)
    }
  }
  const unfinished = async () => {
    const { intended, live, ending } = await store.leases.count()
    return intended + live + ending
  }
  /** The world is well again: everything that was asked for comes to its end, and every answer has its entry. */
  const finish = async () => {
    disk.broken = false
    await inTime(clock, Promise.all(begun))
    // What is left of the scripts may fail one try for each of its steps.
    for (let round = 0; round < 60 && (await unfinished()) > 0; round += 1) {
      await broker.turn('listing').catch(() => undefined)
      await clock.advance(3_600_000)
      await check()
    }
    assert.equal(await unfinished(), 0)
    assert.deepEqual(await provider.planted(new AbortController().signal), [])
    for (const { lease, receipt } of issued) {
      const [bytes] = await broker.log.entries(receipt.index, 1)
      const entry = parseEntry(bytes ?? Buffer.of())
      assert.deepEqual([entry?.event, entry?.lease_id], ['credential_issued', lease.id])
    }
    const count = issued.length
    issued = []
    begun = []
    lives += 1
    return { issued: count, lives }
  }
  return { perform, check, finish }
}

test('whatever happens in whatever order, no credential lives without its lease and no answer leaves without its entry', {
  timeout: 120_000,
}, async (context) => {
  let [cases, commands, issued] = [0, 0, 0]
  // Opening a world takes longer than a life in it, and so does a restart in an old one.
  const worlds = new Map<boolean, Awaited<ReturnType<typeof createWorld>>>()
  const property = fc.asyncProperty(
    fc.array(command, { minLength: 1, maxLength: 12 }),
    fc.boolean(),
    async (all, endsByItself) => {
      cases += 1
      const world = worlds.get(endsByItself) ?? (await createWorld(endsByItself))
      worlds.delete(endsByItself)
      for (const one of all) {
        commands += 1
        // A command may fail, as it would for a caller; what must hold is checked after it.
        await world.perform(one).catch(() => undefined)
        await world.check()
      }
      const life = await world.finish()
      issued += life.issued
      if (life.lives < 12) worlds.set(endsByItself, world)
    },
  )
  await fc.assert(property, { numRuns: 2_000 })
  context.diagnostic(
    `${cases} lives of ${commands} commands, ${issued} credentials issued; unexplained: none`,
  )
  assert.ok(issued > 500)
})
