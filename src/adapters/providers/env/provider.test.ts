import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { MintOrder } from '../../../broker/index.ts'
import type { Action } from '../../../contract/index.ts'
import { Failure, Secret } from '../../../primitives/index.ts'
import { createTestClock } from '../../../testing/clock.ts'
import { providerConformance } from '../../../testing/provider.ts'
import { env } from './index.ts'

const signal = AbortSignal.timeout(60_000)
const clock = createTestClock()
const readStock: Action = {
  name: 'read-stock',
  resource: '{shelf}',
  means: { variable: 'STOCK_TOKEN' },
  place: { line: 40, column: 9 },
}
const values = { STOCK_TOKEN: { env: 'DEV_STOCK_TOKEN' }, ORDERS_TOKEN: { file: 'orders.token' } }

providerConformance('env', async () => {
  const secrets = createSecrets()
  return {
    provider: await start({ secrets }),
    clock,
    developmentOnly: true,
    order: (leaseId) => orderOf({ leaseId }),
    allows: { actions: ['*'], resources: ['*'] },
    // The one thing that the value opens, and the one that it does not.
    use: async ({ fields }) => (reveal(fields['value']) === secrets.stock ? 'accepted' : 'refused'),
    useOutside: async ({ fields }) => (reveal(fields['value']) === secrets.orders ? 'accepted' : 'refused'),
  }
})

test('the value of the configured variable is handed out under its name', async () => {
  const secrets = createSecrets()
  const provider = await start({ secrets })
  const { credential } = await provider.mint(orderOf(), signal)
  assert.equal(credential.type, 'env')
  assert.equal(credential.fields['name'], 'STOCK_TOKEN')
  assert.equal(reveal(credential.fields['value']), secrets.stock)
})

test('the answer says that nothing was narrowed, nothing ends it and nothing revokes it', async () => {
  const provider = await start()
  const { effective, providerNotAfter, enforcedBy } = await provider.mint(orderOf(), signal)
  assert.deepEqual(effective, { actions: ['*'], resources: ['*'] })
  assert.equal(new Date(providerNotAfter).toISOString(), '9999-12-31T23:59:59.000Z')
  assert.equal(enforcedBy, 'nothing')
  assert.equal(provider.capabilities.revocation, 'none')
  assert.equal(provider.capabilities.endsByItself, false)
  assert.equal(env.developmentOnly, true)
})

test('a configuration that is not understood names its line and resolves nothing', async () => {
  const wrong: readonly Parameters<typeof start>[0][] = [
    { config: {} },
    { config: { values: { STOCK_TOKEN: 'in the clear' } } },
    { config: { values: { STOCK_TOKEN: { env: 'A', file: 'b' } } } },
    { config: { values: { 'STOCK TOKEN': { env: 'A' } } } },
    { config: { values, more: true } },
    { means: {} },
    { means: { variable: 'UNKNOWN_TOKEN' } },
    { means: { variable: 'toString' } },
    { means: { variable: 'STOCK_TOKEN', scope: 'read' } },
  ]
  for (const options of wrong) {
    let resolved = 0
    await assert.rejects(start({ ...options, onResolve: () => (resolved += 1) }), (thrown) => {
      assert.ok(thrown instanceof Failure && thrown.code === 'contract_invalid')
      return /^Line (12|40): /.test(thrown.message) && !thrown.message.includes('in the clear')
    })
    assert.equal(resolved, 0)
  }
})

test('a variable that is not set stops the start', async () => {
  const missing = new Failure('contract_invalid', 'not there')
  const onResolve = () => {
    throw missing
  }
  await assert.rejects(start({ onResolve }), missing)
})

type Secrets = { readonly stock: string; readonly orders: string }

function createSecrets(): Secrets {
  return { stock: randomBytes(16).toString('hex'), orders: randomBytes(16).toString('hex') }
}

function start(
  options: {
    secrets?: Secrets
    config?: Readonly<Record<string, unknown>>
    means?: Readonly<Record<string, unknown>>
    onResolve?: () => void
  } = {},
) {
  const { secrets = createSecrets(), config = { values }, means = readStock.means, onResolve } = options
  const entry = { name: 'stock', kind: 'env', config, place: { line: 12, column: 3 } }
  return env.create(entry, [{ ...readStock, means }], {
    clock,
    random: randomBytes,
    keyFolder: '/nowhere',
    brokerName: 'test',
    resolve(value) {
      onResolve?.()
      assert.ok(value && typeof value === 'object')
      return new Secret('env' in value ? secrets.stock : secrets.orders)
    },
  })
}

function orderOf(order: Partial<MintOrder> = {}): MintOrder {
  return {
    leaseId: 'lease_test',
    tenant: 'acme',
    agent: 'agent-7',
    action: readStock,
    resource: 'a1',
    parts: { shelf: 'a1', resource: 'a1' },
    notAfter: clock.now() + 300_000,
    requestId: 'test',
    ...order,
  }
}

function reveal(field: unknown): string | undefined {
  return field instanceof Secret ? field.reveal() : undefined
}
