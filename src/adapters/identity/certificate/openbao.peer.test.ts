import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { handshake } from '../../../testing/handshake.ts'
import { type OpenBaoAuthority, openAuthority, startOpenBao } from '../../../testing/openbao.ts'
import { createAuthority, readCertificate } from './index.ts'

const workload = 'spiffe://demo.test/tenant/acme/agent/agent-7'

describe('an X.509-SVID from the pki of a real OpenBao', { timeout: 60_000 }, () => {
  let made: { authority: OpenBaoAuthority; stop(): Promise<void> } | { skip: string } | undefined
  before(async () => {
    const bao = await startOpenBao()
    made = 'skip' in bao ? bao : { authority: await openAuthority(bao, 'demo.test'), stop: bao.stop }
  })
  after(async () => {
    if (made && !('skip' in made)) await made.stop()
  })
  const ready = (context: TestContext): OpenBaoAuthority | undefined => {
    if (made && !('skip' in made)) return made.authority
    context.skip(made?.skip ?? 'OpenBao was not started')
    return undefined
  }

  const show = async (
    bao: OpenBaoAuthority,
    order: Readonly<Record<string, string>>,
    { role = 'workload', at = Date.now() }: { role?: 'workload' | 'unsuited'; at?: number } = {},
  ) => {
    const client = await bao.issue(order, role)
    const own = await createAuthority({ commonName: 'Listener CA', ...around(Date.now()) })
    const listener = await own.issue({ addresses: ['127.0.0.1'], purpose: 'server', ...around(Date.now()) })
    const shown = await handshake({
      authority: bao.certPem,
      listener,
      client,
      listenerAuthority: own.own.certPem,
    })
    return readCertificate(shown ?? assert.fail('no certificate was shown'), at)
  }

  test('is accepted over TLS, with its SPIFFE ID', async (context) => {
    const bao = ready(context)
    if (!bao) return
    const answer = await show(bao, { uri_sans: workload })
    assert.ok(answer.kind === 'read' && answer.spiffeId === workload)
  })

  test('is refused after its ten minutes', async (context) => {
    const bao = ready(context)
    if (!bao) return
    const answer = await show(bao, { uri_sans: workload }, { at: Date.now() + 11 * 60_000 })
    assert.ok(answer.kind === 'refused' && answer.code === 'certificate_expired')
  })

  test('with two SPIFFE IDs, or none, names nobody', async (context) => {
    const bao = ready(context)
    if (!bao) return
    for (const order of [{ uri_sans: `${workload},${workload}-b` }, { common_name: 'agent-7.demo.test' }]) {
      const answer = await show(bao, order)
      assert.ok(answer.kind === 'read' && answer.spiffeId === undefined)
    }
  })

  test('that may sign certificates is refused', async (context) => {
    const bao = ready(context)
    if (!bao) return
    const answer = await show(bao, { uri_sans: workload }, { role: 'unsuited' })
    assert.equal(answer.kind, 'refused')
  })
})

function around(now: number) {
  return { notBefore: now - 60_000, notAfter: now + 600_000 }
}
