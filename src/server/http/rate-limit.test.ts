import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '../../broker/index.ts'
import { Failure } from '../../primitives/index.ts'
import { createRateLimiter, network, rateLimits } from './rate-limit.ts'

const caller = (agent: string, tenant = 'acme'): Caller => ({
  plane: 'machine',
  tenant,
  agent,
  roles: [],
  method: 'certificate',
  subject: `spiffe://demo.test/${agent}`,
})
const small = {
  agentPerSecond: 2,
  agentBurst: 3,
  tenantPerSecond: 20,
  tenantBurst: 8,
  refusedPerSecond: 1,
  refusedBurst: 2,
  addressesMax: 3,
}

function isRateLimited(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.code === 'rate_limited'
}

function started() {
  let time = 1_000_000
  const limiter = createRateLimiter(() => time, small)
  const admitted = (who: Caller, times: number) => {
    let count = 0
    for (let n = 0; n < times; n += 1)
      try {
        limiter.admit(who)
        count += 1
      } catch (thrown) {
        assert.ok(isRateLimited(thrown))
      }
    return count
  }
  const failed = (address: string) => limiter.afterRefusal('token_malformed', address)?.code
  return { limiter, admitted, failed, pass: (milliseconds: number) => (time += milliseconds) }
}

test('an agent may send its burst and not one more, and then its rate', () => {
  const { admitted, pass } = started()
  assert.equal(admitted(caller('agent-7'), 10), 3)
  pass(499)
  assert.equal(admitted(caller('agent-7'), 10), 0)
  pass(1)
  assert.equal(admitted(caller('agent-7'), 10), 1)
  pass(3_600_000)
  assert.equal(admitted(caller('agent-7'), 10), 3, 'a pause fills the burst and no more')
})

test('an agent that floods takes nothing from a colleague, and a tenant nothing from another', () => {
  const { admitted } = started()
  assert.equal(admitted(caller('agent-7'), 1_000), 3)
  assert.equal(admitted(caller('agent-8'), 3), 3, 'what was refused did not count against the tenant')
  assert.equal(admitted(caller('agent-9'), 3), 2, 'eight at once is the burst of the tenant')
  assert.equal(admitted(caller('agent-7', 'globex'), 3), 3, 'a name of another tenant is somebody else')
})

test('no agent has a tenth of its tenant’s rate or more by default', () => {
  assert.ok(rateLimits.agentPerSecond * 10 <= rateLimits.tenantPerSecond)
  assert.ok(rateLimits.agentBurst * 10 <= rateLimits.tenantBurst)
})

test('an address that keeps failing is told to slow down, and failing is all that is slowed down', () => {
  const { admitted, failed, limiter, pass } = started()
  assert.deepEqual(
    [1, 2, 3].map(() => failed('192.0.2.1')),
    [undefined, undefined, 'rate_limited'],
  )
  assert.equal(failed('192.0.2.2'), undefined, 'another address is another')
  assert.equal(admitted(caller('agent-7'), 1), 1, 'who proves who it is gets in')
  assert.equal(limiter.afterRefusal('issuer_unavailable', '192.0.2.1'), undefined)
  pass(1_000)
  assert.deepEqual(
    [1, 2].map(() => failed('192.0.2.1')),
    [undefined, 'rate_limited'],
  )
})

test('a clock that goes backwards frees nobody and stops nobody for long', () => {
  const { admitted, pass } = started()
  assert.equal(admitted(caller('agent-7'), 10), 3)
  pass(-3_600_000)
  assert.equal(admitted(caller('agent-7'), 10), 0)
  pass(500)
  assert.equal(admitted(caller('agent-7'), 10), 1)
})

test('more addresses than are remembered push out the one longest unseen', () => {
  const { failed } = started()
  const seen = (address: string) => failed(address) === undefined
  assert.deepEqual(['a', 'a', 'a'].map(seen), [true, true, false])
  assert.deepEqual(['b', 'c'].map(seen), [true, true])
  assert.equal(seen('a'), false, 'three are remembered')
  assert.deepEqual(['b', 'c', 'd'].map(seen), [true, true, true])
  assert.equal(seen('a'), true, 'a fourth pushed it out')
})

test('an address is counted by what one holder has of it', () => {
  for (const [address, holder] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ] as const)
    assert.equal(network(address), holder)
})
