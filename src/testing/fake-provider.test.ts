import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../primitives/index.ts'
import { createTestClock } from './clock.ts'
import { createFakeProvider } from './fake-provider.ts'
import { providerConformance } from './provider.ts'

const place = { line: 1, column: 1 }
const live = () => AbortSignal.timeout(5_000)

function orderAt(now: number) {
  return (leaseId: string) => ({
    leaseId,
    tenant: 'acme',
    agent: 'agent-7',
    action: { name: 'read', resource: '{thing}', means: {}, place },
    resource: 'thing-1',
    parts: { thing: 'thing-1', resource: 'thing-1' },
    notAfter: now + 300_000,
    requestId: '0af7651916cd43dd8448eb211c80319c',
  })
}

providerConformance('the fake provider', async () => {
  const clock = createTestClock()
  const provider = createFakeProvider({ clock })
  return {
    provider,
    clock,
    order: orderAt(clock.now()),
    allows: { actions: ['read'], resources: ['thing-1'] },
    use: async (credential) => provider.use(credential, { action: 'read', resource: 'thing-1' }),
    useOutside: async (credential) => provider.use(credential, { action: 'read', resource: 'thing-2' }),
  }
})

test('a dropped answer leaves a credential that nobody holds, until a revocation ends it', async () => {
  const clock = createTestClock()
  const failure = new Failure('provider_timeout', 'The provider did not answer in time.')
  const provider = createFakeProvider({ clock, script: { mint: [{ kind: 'drop', failure }] } })
  const order = orderAt(clock.now())('lease_1')
  await assert.rejects(provider.mint(order, live()), failure)
  assert.deepEqual([...provider.live.keys()], ['lease_1'])
  await provider.revoke({ leaseId: 'lease_1', handle: '', providerNotAfter: 0 }, live())
  assert.equal(provider.live.size, 0)
  assert.deepEqual([provider.mints, provider.revokes], [1, 1])
})

test('a provider that waits answers when the clock says so, and one that hangs when it is aborted', async () => {
  const clock = createTestClock()
  const provider = createFakeProvider({
    clock,
    script: { mint: [{ kind: 'wait', milliseconds: 500 }, { kind: 'drop-and-hang' }, { kind: 'hang' }] },
  })
  const order = orderAt(clock.now())
  const waiting = provider.mint(order('lease_1'), live())
  await clock.advance(499)
  assert.equal(provider.live.size, 0)
  await clock.advance(1)
  assert.equal((await waiting).handle, 'fake/lease_1')

  for (const id of ['lease_2', 'lease_3']) {
    const abort = new AbortController()
    const hanging = provider.mint(order(id), abort.signal)
    abort.abort(new Error('enough'))
    await assert.rejects(hanging, /enough/)
  }
  assert.deepEqual([...provider.live.keys()], ['lease_1', 'lease_2'])
})

test('a credential of the fake dies when its time is over', async () => {
  const clock = createTestClock()
  const provider = createFakeProvider({ clock })
  const { credential } = await provider.mint(orderAt(clock.now())('lease_1'), live())
  const scope = { action: 'read', resource: 'thing-1' }
  await clock.advance(299_999)
  assert.equal(provider.use(credential, scope), 'accepted')
  await clock.advance(1)
  assert.equal(provider.use(credential, scope), 'refused')
  assert.deepEqual(await provider.planted(live()), [])
})
