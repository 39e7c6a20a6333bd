import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Running, startRunning, type WireRequest } from '../running.ts'

const post = (path: string, body: unknown): WireRequest => ({ method: 'POST', path, body })

describe('what was asked for and came to nothing is one entry, by the name of who asked', () => {
  let running: Running
  before(async () => {
    running = await startRunning()
  })
  after(() => running?.close())

  const rotation = { provider: 'tokens', target: 'signing-key' }
  const cases: readonly (readonly [what: string, request: WireRequest, told: readonly string[]])[] = [
    ['a rotation that is not theirs', post('/v1/rotations', rotation), ['request_denied not_permitted']],
    [
      'a revocation beyond them',
      post('/v1/revocations', { tenant: 'globex' }),
      ['request_denied not_permitted'],
    ],
    [
      'a revocation of nothing',
      post('/v1/revocations', { service: 'nowhere' }),
      ['leases_revoked role:operator'],
    ],
    ['a backup that is not theirs', post('/v1/backups', undefined), ['request_refused not_permitted']],
    ['the whole log', { path: '/v1/log/export' }, ['request_refused not_permitted']],
    ['another tenant’s leases', { path: '/v1/leases?tenant=globex' }, ['request_refused not_permitted']],
    ['a lease that is none', { path: `/v1/leases/lse_${'0'.repeat(26)}` }, ['request_refused lease_unknown']],
    [
      'a credential beyond the contract',
      post('/v1/credentials', { service: 'vault', action: 'read', resource: 'globex/x' }),
      ['request_denied resource'],
    ],
    ['a field that is none', post('/v1/credentials', { nonsense: 1 }), ['request_refused request_invalid']],
  ]
  for (const [what, request, told] of cases)
    test(what, async () => {
      const before = (await running.entries()).length
      const answer = await running.human({ ...request, as: running.people.dana })
      const entries = (await running.entries()).slice(before)
      assert.deepEqual(
        entries.map(({ event, rule }) => `${event} ${rule}`),
        told,
        answer.text,
      )
      assert.ok(entries.every(({ agent_id, tenant }) => agent_id === 'dana' && tenant === 'acme'))
    })

  test('a rotation that the provider does not know is its intent and its outcome', async () => {
    const before = (await running.entries()).length
    const moon = post('/v1/rotations', { provider: 'tokens', target: 'moon' })
    assert.equal((await running.human({ ...moon, as: running.people.paula })).status, 422)
    assert.deepEqual(
      (await running.entries()).slice(before).map(({ event, outcome }) => `${event} ${outcome}`),
      ['secret_rotated intended', 'secret_rotated rotation_unsupported'],
    )
  })
})
