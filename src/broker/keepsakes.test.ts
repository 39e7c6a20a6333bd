import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerFixture, requestFixture } from '../testing/broker.ts'
import { openBroker } from './broker.fixture.ts'
import { createEntryWriter } from './entry.ts'
import { brokerLimits } from './limits.ts'
import { watchLedger } from './outage.ts'

const { keepsakesMax } = brokerLimits

test('of so many credentials each can be tried when it is dead; past them the oldest cannot, and its lease ends unproven', {
  timeout: 60_000,
}, async () => {
  const { broker, revoke } = await openBroker({
    around: (fake) => ({
      ...fake,
      probe: async (reference, credential, signal) =>
        credential ? fake.probe(reference, credential, signal) : 'unknown',
    }),
  })
  const issue = async (nth: number) => {
    const { answer } = await broker.issue(
      { caller: callerFixture(), requestId: `r${nth}`, request: requestFixture },
      new AbortController().signal,
    )
    assert.ok(answer.kind === 'issued')
    return answer.lease.id
  }
  const leases: string[] = []
  while (leases.length <= keepsakesMax) {
    const some = Math.min(brokerLimits.mintsEach.waitingEach, keepsakesMax + 1 - leases.length)
    leases.push(...(await Promise.all(Array.from({ length: some }, (_, nth) => issue(leases.length + nth)))))
  }
  const [oldest = '', second = ''] = leases
  assert.equal((await revoke(oldest)).proof, 'unproven')
  assert.equal((await revoke(second)).proof, 'refused')
})

test('of so many leases it is known that they were killed while the log is down, and of no more', async () => {
  const { contract, log: ledger, alerter, clock } = await openBroker()
  const mode = contract.modes.get('LOCAL') ?? assert.fail()
  const entries = createEntryWriter(contract, mode, clock.now)
  const { outage } = watchLedger({ ledger, alerter, clock, mode }, entries)
  for (let nth = 0; nth <= keepsakesMax; nth += 1) outage.killed(`lse_${nth}`)
  assert.equal(outage.hasKilled(`lse_${keepsakesMax - 1}`), true)
  assert.equal(outage.hasKilled(`lse_${keepsakesMax}`), false)
})
