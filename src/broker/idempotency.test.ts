import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../primitives/index.ts'
import { callerFixture, inTime, requestFixture, type TestBroker } from '../testing/broker.ts'
import { fails, openBroker, throttled, unreachable } from './broker.fixture.ts'
import { createIdempotency, keyDigest } from './idempotency.ts'
import { brokerLimits } from './limits.ts'
import type { IssuedCredential } from './release.ts'

const key = { idempotencyKey: 'key-1' }

function askAtOnce({ broker, clock }: TestBroker, count: number) {
  const caller = callerFixture()
  const calls = Array.from({ length: count }, (_, at) =>
    broker.issue(
      { caller, requestId: `r${at}`, request: requestFixture, ...key },
      new AbortController().signal,
    ),
  )
  return inTime(clock, Promise.allSettled(calls))
}

test('a hundred equal requests at once are one mint, one lease and one credential', async () => {
  const opened = await openBroker()
  opened.provider.enqueue({ mint: [{ kind: 'wait', milliseconds: 500 }] })
  const answers = (await askAtOnce(opened, 100)).map((outcome) => {
    assert.ok(outcome.status === 'fulfilled' && outcome.value.answer.kind === 'issued')
    return { ...outcome.value, answer: outcome.value.answer }
  })
  assert.equal(opened.provider.mints, 1)
  assert.equal(new Set(answers.map(({ answer }) => answer.lease.id)).size, 1)
  assert.equal(new Set(answers.map(({ answer }) => answer.credential)).size, 1)
  assert.equal(answers.filter(({ replayed }) => !replayed).length, 1)
  assert.equal((await opened.entries()).length, 2)
})

test('a hundred equal requests at once fail alike, and the provider is asked for one of them', async () => {
  const opened = await openBroker()
  opened.provider.enqueue({ mint: Array.from({ length: 4 }, () => ({ kind: 'fail', failure: throttled })) })
  for (const outcome of await askAtOnce(opened, 100))
    assert.ok(outcome.status === 'rejected' && fails('credential_minting_failure')(outcome.reason))
  assert.equal(opened.provider.mints, 4)
})

test('a repeat gets the same credential again, with the same receipt and no second entry', async () => {
  const { ask, entries, provider } = await openBroker()
  const first = await ask(key)
  const again = await ask(key)
  assert.deepEqual([first.replayed, again.replayed, provider.mints], [false, true, 1])
  assert.equal(again.answer, first.answer)
  assert.equal((await entries()).length, 2)
})

test('another request under the same key is a conflict, at once, later and after a restart', async () => {
  const opened = await openBroker()
  await opened.ask(key)
  for (const change of [
    { resource: 'public.users' },
    { durationSeconds: 60 },
    { purpose: 'other' },
    { action: 'write-table' },
  ]) {
    await assert.rejects(opened.ask({ ...key, request: change }), fails('idempotency_conflict'))
    const restarted = await opened.restart()
    await assert.rejects(restarted.ask({ ...key, request: change }), fails('idempotency_conflict'))
  }
  assert.equal(opened.provider.mints, 1)
})

test('after a restart the key is spent: the answer names the lease, and nothing is minted', async () => {
  const opened = await openBroker()
  const { lease } = await opened.issue(key)
  const restarted = await opened.restart()
  await assert.rejects(restarted.ask(key), fails('idempotency_replayed', new RegExp(lease.id)))
  assert.equal(opened.provider.mints, 1)
})

test('the same key of another agent or another tenant is its own', async () => {
  const { issue, provider } = await openBroker()
  const callers = [callerFixture(), callerFixture('agent-8'), callerFixture('agent-7', { tenant: 'globex' })]
  const issued: IssuedCredential[] = []
  for (const caller of callers) issued.push(await issue({ ...key, caller }))
  assert.equal(provider.mints, 3)
  assert.deepEqual(
    issued.map(({ lease }) => [lease.tenant, lease.agent]),
    [
      ['acme', 'agent-7'],
      ['acme', 'agent-8'],
      ['globex', 'agent-7'],
    ],
  )
})

test('the credential of a lease that is over is not given again', async () => {
  const revoked = await openBroker()
  const { lease } = await revoked.issue(key)
  await revoked.revoke(lease.id)
  await assert.rejects(revoked.ask(key), fails('idempotency_replayed'))

  const expired = await openBroker()
  await expired.issue({ ...key, request: { durationSeconds: 60 } })
  await expired.clock.advance(59_999)
  assert.equal((await expired.ask({ ...key, request: { durationSeconds: 60 } })).replayed, true)
  await expired.clock.advance(1)
  await assert.rejects(
    expired.ask({ ...key, request: { durationSeconds: 60 } }),
    fails('idempotency_replayed'),
  )
})

test('an answer can be asked for again for two minutes, up to the last millisecond', async () => {
  const { ask, clock } = await openBroker()
  await ask(key)
  await clock.advance(brokerLimits.replayMs - 1)
  assert.equal((await ask(key)).replayed, true)
  await clock.advance(1)
  await assert.rejects(ask(key), fails('idempotency_replayed'))
})

test('a denial is not kept: when a grant comes the same key asks anew', async () => {
  const { ask, entries } = await openBroker()
  for (let round = 0; round < 2; round += 1) {
    const { answer, replayed } = await ask({ ...key, request: { resource: 'private.orders' } })
    assert.deepEqual([answer.kind, replayed], ['denied', false])
  }
  assert.equal((await entries()).length, 2)
})

test('who comes back with the key gets what another call of his, that left, had begun', async () => {
  const { broker, clock, provider } = await openBroker()
  provider.enqueue({ mint: [{ kind: 'wait', milliseconds: 1_000 }] })
  const leaving = new AbortController()
  const call = { caller: callerFixture(), requestId: 'r', request: requestFixture, ...key }
  const first = broker.issue(call, leaving.signal)
  leaving.abort(new Failure('shutting_down', 'The caller went away.'))
  const second = broker.issue(call, new AbortController().signal)
  const [left, stayed] = await inTime(clock, Promise.all([first, second]))
  assert.deepEqual([provider.mints, left.answer.kind, stayed.replayed], [1, 'issued', true])
})

test('two processes that take one key at the same time open one lease', async () => {
  const opened = await openBroker()
  let race: Promise<unknown> | undefined
  const other = await opened.restart()
  const losing = await opened.restart({
    ledger: () => ({
      writable: () => true,
      async record(change) {
        race ??= other.ask(key)
        await race
        return other.log.record(change)
      },
    }),
  })
  await assert.rejects(losing.ask(key), fails('idempotency_replayed'))
  assert.equal(opened.provider.mints, 1)
})

test('a key has 1 to 128 visible characters', async () => {
  const { ask } = await openBroker()
  for (const idempotencyKey of ['k', 'k'.repeat(128), '!"#$%&\'()*+,-./~']) await ask({ idempotencyKey })
  for (const idempotencyKey of [
    '',
    'k'.repeat(129),
    'a b',
    ' k',
    'k\n',
    'k\0',
    '\x7f',
    '\t',
    'ключ',
    '💥',
    '\u200b',
  ])
    await assert.rejects(ask({ idempotencyKey }), fails('idempotency_key_invalid'))
})

test('a key is stored as its digest alone', async () => {
  const { issue, entries } = await openBroker()
  const { lease } = await issue({ idempotencyKey: 'attacker-chose-this' })
  assert.equal(lease.idempotencyKeyDigest, keyDigest('attacker-chose-this'))
  assert.doesNotMatch(JSON.stringify([lease, await entries()]), /attacker-chose-this/)
})

test('no more answers are kept than the limit says, and none after its time although nobody asks', async () => {
  const { clock, leases } = await openBroker()
  let worked = 0
  const idempotency = createIdempotency<string>(clock, leases, () => undefined)
  const kept = createIdempotency<number>(clock, { ...leases, find: async () => undefined }, (id) => `${id}`)
  const owner = (nth: number) => ({
    caller: callerFixture(),
    keyDigest: `${nth}`,
    requestDigest: 'same',
  })
  const work = async () => {
    worked += 1
    return worked
  }
  for (let nth = 0; nth <= brokerLimits.replaysMax; nth += 1) await kept.once(owner(nth), work)
  assert.equal(worked, brokerLimits.replaysMax + 1)
  await assert.rejects(kept.once(owner(1), work), fails('idempotency_replayed'))
  await kept.once(owner(0), work)
  assert.equal(worked, brokerLimits.replaysMax + 2)
  await clock.advance(brokerLimits.replayMs)
  kept.forget()
  await kept.once(owner(brokerLimits.replaysMax), work)
  assert.equal(worked, brokerLimits.replaysMax + 3)
  assert.deepEqual(await idempotency.once(owner(0), async () => 'x'), { answer: 'x', replayed: false })
})

test('the many keys of one agent push out no answer of another', async () => {
  const { clock, leases } = await openBroker()
  const kept = createIdempotency<number>(clock, { ...leases, find: async () => undefined }, (id) => `${id}`)
  const ask = (agent: string, key: string) =>
    kept.once({ caller: callerFixture(agent), keyDigest: key, requestDigest: 'same' }, async () => 1)
  await ask('agent-8', 'own')
  for (let nth = 0; nth <= brokerLimits.replaysMax; nth += 1) await ask('agent-7', `${nth}`)
  await assert.rejects(ask('agent-8', 'own'), fails('idempotency_replayed'))
  // Kept was the other's, forgotten the oldest of who has most.
  assert.deepEqual(await ask('agent-7', '0'), { answer: 1, replayed: false })
})

test('a mint that failed for sure may be repeated by many at once, and is minted once', async () => {
  const opened = await openBroker()
  opened.provider.enqueue({ mint: [{ kind: 'fail', failure: new Failure('provider_refused', 'No.') }] })
  await assert.rejects(opened.ask(key), fails('provider_refused'))
  const outcomes = await askAtOnce(opened, 20)
  assert.ok(outcomes.every(({ status }) => status === 'fulfilled'))
  assert.equal(opened.provider.mints, 2)
})

test('a key whose mint is uncertain stays spent after its lease is proven dead', async () => {
  const { ask, provider, turn, clock, leases } = await openBroker()
  provider.enqueue({ mint: Array.from({ length: 4 }, () => ({ kind: 'drop', failure: unreachable })) })
  await assert.rejects(ask(key), fails('credential_minting_failure'))
  await clock.advance(10_000)
  await turn()
  assert.deepEqual([(await leases.count()).ended, provider.live.size], [1, 0])
  await assert.rejects(ask(key), fails('idempotency_replayed'))
})
