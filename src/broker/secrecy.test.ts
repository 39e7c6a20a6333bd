import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Failure, Secret } from '../primitives/index.ts'
import { callerFixture, requestFixture, type TestBroker } from '../testing/broker.ts'
import type { FakeProvider, FakeStep } from '../testing/fake-provider.ts'
import { openBreakableStore, openBroker, refused, unreachable } from './broker.fixture.ts'
import type { Provider } from './ports/index.ts'

/** Everything that the broker says anywhere but in the answer to who asked. */
async function everythingSaid({ entries, leases, alerter, broker }: TestBroker, failures: unknown[]) {
  const said = [
    await entries(),
    (await leases.list({}, { limit: 1000 })).leases,
    alerter.alerts,
    await broker.health(),
    failures,
    failures.map((failure) => failure instanceof Failure && [failure.code, failure.message, failure.next]),
  ]
  return said
    .map((one) => `${JSON.stringify(one)}\n${inspect(one, { depth: 12, showHidden: true })}`)
    .join('\n')
}

/** Mints credentials whose secret carries the marker. */
function marking(marker: string, change: Partial<Provider> = {}) {
  return (fake: FakeProvider): Provider => ({
    ...fake,
    async mint(order, signal) {
      const minted = await fake.mint(order, signal)
      const fields = { user: order.leaseId, password: new Secret(`${marker}-${order.leaseId}`) }
      return { ...minted, credential: { type: 'marked', fields } }
    },
    ...change,
  })
}

test('what was minted is in no entry, lease, alert, metric or failure, whatever goes wrong', async (context) => {
  const marker = randomBytes(12).toString('hex')
  const { disk, store } = openBreakableStore()
  const opened = await openBroker({ store, around: marking(marker) })
  const { ask, provider, turn, clock } = opened
  const failures: unknown[] = []
  const failing = (thrown: unknown) => void failures.push(thrown)
  const steps: readonly FakeStep[] = [
    { kind: 'work' },
    { kind: 'fail', failure: refused },
    { kind: 'drop', failure: unreachable },
    { kind: 'drop-and-hang' },
  ]
  let released = 0
  for (let round = 0; round < 40; round += 1) {
    provider.enqueue({
      mint: [steps[round % 4] ?? { kind: 'work' }],
      revoke: round % 5 === 0 ? [{ kind: 'fail', failure: unreachable }] : [],
    })
    const answer = await ask({ idempotencyKey: `key-${round}` }).catch(failing)
    if (answer?.answer.kind === 'issued') {
      const { password } = answer.answer.credential.fields
      assert.ok(password instanceof Secret && password.reveal().startsWith(marker))
      released += 1
      await ask({ idempotencyKey: `key-${round}` }).catch(failing)
      await opened.revoke(answer.answer.lease.id).catch(failing)
    }
    disk.broken = round % 7 === 6
    await turn('listing').catch(failing)
    await clock.advance(1_000)
  }
  disk.broken = false
  assert.ok(released > 10 && failures.length > 5)
  assert.doesNotMatch(await everythingSaid(opened, failures), new RegExp(marker))
  context.diagnostic(
    `${released} credentials released, ${failures.length} failures read; marker found: never`,
  )
})

test('what a provider says when it breaks is for the log alone, and a caller never sees it', async () => {
  const marker = randomBytes(12).toString('hex')
  const opened = await openBroker({
    around: marking(marker, {
      mint: async () => {
        throw new Error(`connect postgres://admin:${marker}@db`)
      },
    }),
  })
  const failures: unknown[] = []
  await opened.ask().catch((thrown: unknown) => failures.push(thrown))
  const [failure] = failures
  assert.ok(failure instanceof Failure)
  assert.doesNotMatch(JSON.stringify([failure.message, failure.next, failure.code]), new RegExp(marker))
  assert.doesNotMatch(await everythingSaid(opened, []), new RegExp(marker))
})

test('an issued answer shows its credential to nobody who merely prints it', async () => {
  const marker = randomBytes(12).toString('hex')
  const { issue } = await openBroker({ around: marking(marker) })
  const issued = await issue()
  for (const text of [
    JSON.stringify(issued),
    inspect(issued, { depth: 12 }),
    `${issued.credential.fields['password']}`,
  ])
    assert.doesNotMatch(text, new RegExp(marker))
})

test('who reads a lease, explains a request or lists leases gets no credential', async () => {
  const marker = randomBytes(12).toString('hex')
  const { issue, broker } = await openBroker({ around: marking(marker) })
  const { lease } = await issue()
  const caller = callerFixture('root', { roles: ['platform'] })
  const seen = [
    await broker.findLease(caller, lease.id),
    await broker.listLeases(caller, {}, { limit: 10 }),
    await broker.explain({ caller, requestId: 'r', request: requestFixture }, new AbortController().signal),
    await broker.revoke({ caller, requestId: 'r', id: lease.id }),
  ]
  assert.doesNotMatch(JSON.stringify(seen) + inspect(seen, { depth: 12 }), new RegExp(marker))
})
