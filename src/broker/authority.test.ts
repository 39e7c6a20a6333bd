import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure, Secret } from '../primitives/index.ts'
import { callerFixture } from '../testing/broker.ts'
import type { FakeProvider } from '../testing/fake-provider.ts'
import { fails, openBroker, unreachable } from './broker.fixture.ts'
import { brokerLimits } from './limits.ts'
import type { Provider, TokenAuthority } from './ports/index.ts'

/** The fake as an authority: a token is `token:` and its lease id. */
function withAuthority(fake: FakeProvider): Provider {
  const authority: TokenAuthority = {
    issuer: 'https://tokens.example.test',
    jwks: () => ({ keys: [] }),
    async verify(token) {
      const [, leaseId] = token.reveal().split(':')
      return leaseId ? { leaseId, claims: { jti: leaseId } } : undefined
    },
  }
  return { ...fake, authority }
}

const tokenOf = (lease: { id: string }) => new Secret(`token:${lease.id}`)
const robot = callerFixture('robot', { tenant: 'globex' })

test('a token of a live lease is active for its tenant, with its claims', async () => {
  const { issue, broker } = await openBroker({ around: withAuthority })
  const { lease } = await issue()
  for (const caller of [callerFixture(), callerFixture('agent-8')])
    assert.deepEqual(await broker.introspect({ caller, requestId: 'r', token: tokenOf(lease) }), {
      active: true,
      claims: { jti: lease.id },
    })
  assert.deepEqual(
    broker.authorities().map(({ issuer }) => issuer),
    ['https://tokens.example.test'],
  )
})

test('a token of another tenant, of no lease, or of no authority is inactive, and says nothing more', async () => {
  const { issue, broker } = await openBroker({ around: withAuthority })
  const { lease } = await issue()
  const inactive = { active: false }
  assert.deepEqual(
    await broker.introspect({ caller: robot, requestId: 'r', token: tokenOf(lease) }),
    inactive,
  )
  const platform = callerFixture('root', { tenant: 'globex', roles: ['platform'] })
  assert.deepEqual(
    await broker.introspect({ caller: platform, requestId: 'r', token: tokenOf(lease) }),
    inactive,
  )
  for (const text of ['token:lse_00000000000000000000000000', 'nonsense', ''])
    assert.deepEqual(
      await broker.introspect({ caller: callerFixture(), requestId: 'r', token: new Secret(text) }),
      inactive,
    )
  const without = await openBroker()
  assert.deepEqual(
    await without.broker.introspect({ caller: callerFixture(), requestId: 'r', token: tokenOf(lease) }),
    inactive,
  )
})

test('a token is inactive as soon as its time is over or its lease is revoked, whatever its signature says', async () => {
  const { issue, broker, clock } = await openBroker({ around: withAuthority })
  const { lease } = await issue({ request: { durationSeconds: 60 } })
  const active = async () =>
    (await broker.introspect({ caller: callerFixture(), requestId: 'r', token: tokenOf(lease) })).active
  await clock.advance(59_999)
  assert.equal(await active(), true)
  await clock.advance(1)
  assert.equal(await active(), false)

  const second = (await issue()).lease
  await broker.revokeToken({ caller: callerFixture(), requestId: 'r', token: tokenOf(second) })
  assert.deepEqual(
    await broker.introspect({ caller: callerFixture(), requestId: 'r', token: tokenOf(second) }),
    { active: false },
  )
})

test('revoking a token ends its lease; another tenant ends nothing and learns nothing', async () => {
  const { issue, broker, leases, entries } = await openBroker({ around: withAuthority })
  const { lease } = await issue()
  const before = (await entries()).length
  await broker.revokeToken({ caller: robot, requestId: 'r', token: tokenOf(lease) })
  assert.equal((await leases.find(lease.id))?.state, 'live')
  assert.deepEqual(
    (await entries())
      .slice(before)
      .map(({ event, rule, tenant, agent_id }) => [event, rule, tenant, agent_id]),
    [['request_denied', 'tenant', 'globex', 'robot']],
  )
  for (let round = 0; round < 2; round += 1)
    await broker.revokeToken({ caller: callerFixture(), requestId: 'r', token: tokenOf(lease) })
  assert.equal((await leases.find(lease.id))?.state, 'ended')
})

test('revoking what is no token of ours ends nothing and is one entry', async () => {
  const { broker, entries } = await openBroker({ around: withAuthority })
  for (const text of ['forged', `token:lse_${'0'.repeat(26)}`])
    await broker.revokeToken({ caller: callerFixture(), requestId: 'r', token: new Secret(text) })
  const told = (await entries()).map(({ event, rule, agent_id }) => [event, rule, agent_id])
  assert.deepEqual(told, Array(2).fill(['request_denied', 'token_unknown', 'agent-7']))
})

const platform = callerFixture('root', { roles: ['platform'] })
const command = { caller: platform, provider: 'fake', target: 'fake-secret', requestId: 'r' }

async function rotations({ entries }: Awaited<ReturnType<typeof openBroker>>) {
  return (await entries()).map(({ event, outcome, decision, scope }) => [event, outcome, decision, scope])
}

test('rotation is intended, done and said, in that order', async () => {
  const opened = await openBroker()
  assert.equal(await opened.broker.rotate(command), 'fake-secret has a new value')
  assert.deepEqual(await rotations(opened), [
    ['secret_rotated', 'intended', 'allow', 'rotate fake fake-secret'],
    ['secret_rotated', 'rotated', 'allow', 'rotate fake fake-secret'],
  ])
})

test('who is not of the platform rotates nothing, and that stands in the log', async () => {
  for (const caller of [callerFixture(), callerFixture('dana', { roles: ['operator', 'auditor'] })]) {
    const opened = await openBroker({
      around: (fake) => ({
        ...fake,
        rotate: () => assert.fail('the provider was asked'),
      }),
    })
    await assert.rejects(opened.broker.rotate({ ...command, caller }), fails('not_permitted'))
    assert.deepEqual(await rotations(opened), [
      ['request_denied', 'denied', 'deny', 'rotate fake fake-secret'],
    ])
  }
})

test('a rotation that fails says so to the caller and in the log', async () => {
  const opened = await openBroker()
  await assert.rejects(opened.broker.rotate({ ...command, target: 'other' }), fails('rotation_unsupported'))
  await assert.rejects(opened.broker.rotate({ ...command, provider: 'nobody' }), fails('not_found'))
  assert.deepEqual(
    (await rotations(opened)).map(([, outcome]) => outcome),
    ['intended', 'rotation_unsupported'],
  )
})

test('a rotation that hangs is given up', async () => {
  const opened = await openBroker({
    around: (fake) => ({ ...fake, rotate: () => new Promise<never>(() => undefined) }),
  })
  const rotating = assert.rejects(opened.broker.rotate(command), fails('provider_timeout'))
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  await opened.clock.advance(brokerLimits.endAttemptMs)
  await rotating
  assert.equal((await rotations(opened)).at(-1)?.[1], 'provider_timeout')
})

test('a rotation that cannot be recorded does not begin', async () => {
  const { broker } = await openBroker({
    ledger: () => ({
      writable: () => false,
      record: async () => {
        throw new Failure('log_unwritable', 'The log cannot be written.', { cause: unreachable })
      },
    }),
    around: (fake) => ({ ...fake, rotate: () => assert.fail('the provider was asked') }),
  })
  await assert.rejects(broker.rotate(command), fails('log_unwritable'))
})

test('a start says by which policy will be decided', async () => {
  const { broker, entries } = await openBroker()
  await broker.recordStart('r')
  const [entry] = await entries()
  assert.deepEqual(
    [entry?.event, entry?.plane, entry?.detail?.['policy']],
    ['broker_started', 'broker', 'grant-policy fake'],
  )
})
