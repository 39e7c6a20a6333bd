import type { Minted, Provider } from '../broker/index.ts'
import { Secret } from '../primitives/index.ts'
import { createTestClock } from './clock.ts'
import { createFakeProvider, type FakeProvider } from './fake-provider.ts'
import { providerConformance, type Use } from './provider.ts'

// Run by provider.test.ts in a process of its own: every provider here but the first breaks one promise, and its suite must fail.

type Broken = Partial<Provider> & { readonly useOutside?: () => Promise<Use> }

const broken: Readonly<Record<string, (fake: FakeProvider) => Broken>> = {
  'one that keeps them all': () => ({}),
  'one that does not revoke': () => ({ revoke: async (_, signal) => signal.throwIfAborted() }),
  'one that fails to revoke what never was': (fake) => ({
    async revoke(reference, signal) {
      if (!fake.live.has(reference.leaseId)) throw new Error('not found')
      await fake.revoke(reference, signal)
    },
  }),
  'one that needs its handle to revoke': (fake) => ({
    revoke: (reference, signal) => fake.revoke({ ...reference, leaseId: reference.handle.slice(5) }, signal),
  }),
  'one that revokes everything': (fake) => ({
    async revoke(_, signal) {
      signal.throwIfAborted()
      for (const leaseId of fake.live.keys())
        await fake.revoke({ leaseId, handle: '', providerNotAfter: 0 }, signal)
    },
  }),
  'one that is wider than ordered': () => ({ useOutside: async () => 'accepted' }),
  'one that declares more than ordered': (fake) =>
    changing(fake, (minted) => ({ ...minted, effective: { actions: ['*'], resources: ['*'] } })),
  'one that lives longer than ordered': (fake) =>
    changing(fake, (minted) => ({ ...minted, notAfter: minted.notAfter + 1 })),
  'one whose provider forgets before it ends': (fake) =>
    changing(fake, (minted) => ({ ...minted, providerNotAfter: minted.notAfter - 1 })),
  'one with the secret in its handle': (fake) =>
    changing(fake, (minted) => ({ ...minted, handle: revealed(minted) })),
  'one with the secret in plain fields': (fake) =>
    changing(fake, (minted) => ({
      ...minted,
      credential: { ...minted.credential, fields: { ...minted.credential.fields, plain: revealed(minted) } },
    })),
  'one without any secret': (fake) =>
    changing(fake, (minted) => ({ ...minted, credential: { type: 'fake', fields: { name: 'x' } } })),
  'one that plants nothing': () => ({ planted: async () => [] }),
  'one that never forgets what it planted': (fake) => ({
    planted: async () => fake.orders.map((order) => order.leaseId),
  }),
  'one that mints twice for one lease': (fake) => ({
    mint: (order, signal) => {
      const again = fake.live.has(order.leaseId) ? `${order.leaseId}again` : order.leaseId
      return fake.mint({ ...order, leaseId: again }, signal)
    },
  }),
  'one that ignores its signal': (fake) => ({
    mint: (order) => fake.mint(order, AbortSignal.timeout(9_000)),
  }),
  'one that says dead of the living': () => ({ probe: async () => 'refused' }),
  'one that says alive of the dead': () => ({ probe: async () => 'accepted' }),
  'one that says yes to any rotation': () => ({ rotate: async () => 'done' }),
  'one whose credentials never end': (fake) => ({
    capabilities: { ...fake.capabilities, endsByItself: false, revocation: 'none' },
  }),
}

for (const [name, breaking] of Object.entries(broken))
  providerConformance(name, async () => {
    const clock = createTestClock()
    const fake = createFakeProvider({ clock })
    const { useOutside, ...changes } = breaking(fake)
    const scope = { action: 'read', resource: 'thing-1' }
    return {
      provider: { ...fake, ...changes },
      clock,
      order: (leaseId) => ({
        leaseId,
        tenant: 'acme',
        agent: 'agent-7',
        action: { name: 'read', resource: '{thing}', means: {}, place: { line: 1, column: 1 } },
        resource: 'thing-1',
        parts: { thing: 'thing-1', resource: 'thing-1' },
        notAfter: clock.now() + 300_000,
        requestId: 'request-1',
      }),
      allows: { actions: ['read'], resources: ['thing-1'] },
      use: async (credential) => fake.use(credential, scope),
      useOutside:
        useOutside ?? (async (credential) => fake.use(credential, { ...scope, resource: 'thing-2' })),
    }
  })

function changing(fake: FakeProvider, change: (minted: Minted) => Minted): Broken {
  return { mint: async (order, signal) => change(await fake.mint(order, signal)) }
}

function revealed({ credential }: Minted): string {
  const { value } = credential.fields
  return value instanceof Secret ? value.reveal() : ''
}
