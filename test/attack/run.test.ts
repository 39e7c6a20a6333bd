import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { contractText } from '../end-to-end/contract.ts'
import { makeSite, type Serving, type Site } from '../end-to-end/site.ts'

describe('`sallyport run` that goes wrong', { timeout: 60_000 }, () => {
  let site: Site
  let serving: Serving
  before(async () => {
    site = await makeSite(contract)
    serving = await site.serve()
  })
  after(() => site?.close())

  const wanted = ['run', '--service', 'vault', '--action', 'read', '--resource', 'acme/x']
  const run = (words: readonly string[], more: readonly string[] = []) =>
    site.cli('agent-7', [...wanted, ...more, '--', ...words], { serving })

  test('prints no credential, and ends the lease that it had', async () => {
    for (const [words, code] of [
      [['/nowhere/at/all'], undefined],
      [['/etc/passwd'], undefined],
      [['sh', '-c', 'exit 7'], 7],
      [['sh', '-c', 'kill -9 $$'], 137],
    ] as const)
      for (const more of [[], ['--json']]) {
        const outcome = await run(words, more)
        assert.ok(code === undefined ? outcome.code !== 0 : outcome.code === code, outcome.told)
        assert.doesNotMatch(outcome.out + outcome.told, /eyJ|PRIVATE KEY/)
      }
    const client = serving.client('agent-7')
    const { leases } = await client.leases()
    client.close()
    assert.equal(leases.length, 8)
    assert.ok(leases.every(({ state }) => state === 'ended'))
  })

  test('shows a credential to nobody but the child: not in arguments, not on the parent’s output', async () => {
    const outcome = await run([
      'sh',
      '-c',
      'tr "\\0" " " < /proc/$PPID/cmdline; tr "\\0" " " < /proc/self/cmdline',
    ])
    assert.equal(outcome.code, 0, outcome.told)
    assert.match(outcome.out, /run --service vault/)
    assert.doesNotMatch(outcome.out, /eyJ/)
  })
})

const contract = contractText({
  providers: `tokens:
  kind: jwt
  config: { issuer: "https://sallyport.example.test", audience: "https://vault.example.test" }`,
  services: `vault:
  provider: tokens
  actions:
    read: { resource: "{thing+}", means: { scope: "vault:read" } }`,
  grants: `- id: acme-reads-its-vault
  tenant: acme
  agents: ["*"]
  service: vault
  actions: [read]
  resources: ["acme/**"]
  modes: [TEST]
  maxDuration: 30m`,
})
