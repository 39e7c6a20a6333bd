import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openAuthority, startOpenBao } from '../../src/testing/openbao.ts'
import { contractText } from './contract.ts'
import { makeSite } from './site.ts'

const workload = 'spiffe://bao.example/tenant/acme/agent/workload-9'
const wanted = { service: 'orders-api', action: 'read-order', resource: 'order-7' }

test('an X.509-SVID from the pki of a real OpenBao is a caller; one that nobody knows, or that others signed, is not', {
  timeout: 60_000,
}, async (context) => {
  const bao = await startOpenBao()
  if ('skip' in bao) return context.skip(bao.skip)
  context.after(() => bao.stop())
  const authority = await openAuthority(bao, 'bao.example')
  const site = await makeSite(contract(), { clientAuthorities: authority.certPem })
  context.after(() => site.close())
  const serving = await site.serve()
  const shown = async (order: Readonly<Record<string, string>>, role?: 'unsuited') => {
    const { certPem, keyPem } = await authority.issue(order, role)
    return serving.clientWith('machine', { kind: 'certificate', certificate: certPem, key: keyPem })
  }

  const issued = await (await shown({ uri_sans: workload })).request(wanted)
  assert.ok(issued.kind === 'issued' && issued.grant === 'acme-reads-orders')
  const refusals = [
    [await shown({ uri_sans: 'spiffe://bao.example/tenant/acme/agent/nobody' }), 'identity_unknown'],
    [await shown({ uri_sans: `${workload},${workload}-b` }), 'certificate_without_identity'],
    [await shown({ common_name: 'workload-9' }), 'certificate_without_identity'],
    [await shown({ uri_sans: workload }, 'unsuited'), 'certificate_untrusted'],
  ] as const
  for (const [client, code] of refusals) await assert.rejects(client.request(wanted), { code })

  const other = await startOpenBao()
  assert.ok(!('skip' in other))
  context.after(() => other.stop())
  const { certPem, keyPem } = await (await openAuthority(other, 'bao.example')).issue({ uri_sans: workload })
  const stranger = serving.clientWith('machine', { kind: 'certificate', certificate: certPem, key: keyPem })
  await assert.rejects(stranger.request(wanted), { code: 'certificate_untrusted', status: 401 })
})

function contract(): string {
  return contractText({
    identities: `workload-9:
  tenant: acme
  plane: machine
  proofs: [{ spiffe: "${workload}" }]`,
    providers:
      'tokens: { kind: jwt, config: { issuer: "https://a.example.test", audience: "https://b.example.test" } }',
    services: `orders-api:
  provider: tokens
  actions:
    read-order: { resource: "{order}", means: { scope: "orders:read" } }`,
    grants: `- id: acme-reads-orders
  tenant: acme
  agents: ["*"]
  service: orders-api
  actions: [read-order]
  resources: ["order-*"]
  modes: [TEST]
  maxDuration: 15m`,
  })
}
