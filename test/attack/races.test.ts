import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Running, startRunning } from '../running.ts'

const rounds = 150

describe('a revocation that races the mint', { timeout: 120_000 }, () => {
  let running: Running
  before(async () => {
    running = await startRunning()
  })
  after(() => running?.close())

  test('never leaves a credential that works after both were answered', async () => {
    const { 'agent-7': agent } = running.machines
    const as = { machineKey: agent.machineKey }
    const came = { issued: 0, revoked: 0, lateRevoked: 0 }
    for (let round = 0; round < rounds; round += 1) {
      running.fake.enqueue({ mint: [{ kind: 'wait', milliseconds: randomInt(0, 6) }] })
      const issuing = running.machine({
        method: 'POST',
        path: '/v1/credentials',
        body: { service: 'vault', action: 'read', resource: `acme/round-${round}` },
        as,
      })
      await pause(randomInt(0, 8))
      const revoking = running.machine({
        method: 'POST',
        path: '/v1/revocations',
        body: { agent: 'agent-7' },
        as,
      })
      const [issued, revoked] = await Promise.all([issuing, revoking])
      assert.equal(revoked.status, 200, revoked.text)
      const tally = Object(revoked.json)
      const seen = tally.refused + tally.unproven + tally.pending
      if (issued.status === 201) {
        came.issued += 1
        const id = String(issued.json['lease_id'])
        const alive = running.fake.live.has(id)
        // It was answered with a credential: either the revocation saw it and killed it, or it came before there was a lease.
        assert.equal(alive, seen === 0, `round ${round}: ${JSON.stringify(tally)}`)
        if (!alive) came.lateRevoked += 1
        const ended = await running.machine({ method: 'DELETE', path: `/v1/leases/${id}`, as })
        assert.equal(ended.json['proof'], 'refused', ended.text)
      } else {
        came.revoked += 1
        assert.equal(issued.json['code'], 'lease_revoked', issued.text)
        assert.equal('credential' in issued.json, false)
      }
      assert.equal(running.fake.live.size, 0, `round ${round} left a credential alive`)
    }
    console.log(`${rounds} races: ${JSON.stringify(came)}, none left a credential alive`)
    assert.ok(came.issued > 0 && came.revoked > 0, 'both ways were met')
  })

  test('two requests with one Idempotency-Key at once mint once', async () => {
    const before = running.fake.mints
    const as = { machineKey: running.machines['agent-8'].machineKey }
    for (let round = 0; round < 30; round += 1) {
      const headers = { 'idempotency-key': `race-${round}` }
      const body = { service: 'vault', action: 'read', resource: `acme/key-${round}` }
      const answers = await Promise.all(
        Array.from({ length: 8 }, () =>
          running.machine({ method: 'POST', path: '/v1/credentials', body, as, headers }),
        ),
      )
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]))
      assert.equal(new Set(answers.map(({ json }) => json['lease_id'])).size, 1)
      assert.equal(answers.filter(({ json }) => json['replayed'] === false).length, 1)
    }
    assert.equal(running.fake.mints - before, 30)
  })
})
