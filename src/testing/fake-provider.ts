import { randomBytes } from 'node:crypto'
import type { Capabilities, Credential, Minted, MintOrder, Provider } from '../broker/index.ts'
import { type Clock, Failure, Secret } from '../primitives/index.ts'

/** A provider in memory that does what its script says. It passes the same conformance suite as the real ones. */
export interface FakeProvider extends Provider {
  readonly probe: NonNullable<Provider['probe']>
  readonly planted: NonNullable<Provider['planted']>
  /** What is alive at the provider, by lease id. */
  readonly live: ReadonlyMap<string, FakeCredential>
  /** Calls so far, whatever came of them. */
  readonly mints: number
  readonly revokes: number
  readonly probes: number
  /** Every order that was seen, oldest first. */
  readonly orders: readonly MintOrder[]
  /** Adds steps for the calls to come. */
  enqueue(script: FakeScript): void
  /** Uses a credential for one action on one resource, as the world would. */
  use(credential: Credential, scope: { action: string; resource: string }): 'accepted' | 'refused'
}

export type FakeCredential = { readonly order: MintOrder; readonly minted: Minted }

export type FakeScript = {
  readonly mint?: readonly FakeStep[]
  readonly revoke?: readonly FakeStep[]
  readonly probe?: readonly FakeStep[]
}

/**
 * What the fake does in one call; a call past the end of its script just works. `wait` works after that time on the clock, `fail`
 * throws and does nothing, `drop` does the work and then throws (the answer is lost), `hang` does nothing until it is aborted,
 * `drop-and-hang` does the work and then answers nothing until it is aborted.
 */
export type FakeStep =
  | { readonly kind: 'work' | 'hang' | 'drop-and-hang' }
  | { readonly kind: 'wait'; readonly milliseconds: number }
  | { readonly kind: 'fail' | 'drop'; readonly failure: Failure }

const fakeCapabilities: Capabilities = {
  revocation: 'immediate',
  revocationNote: 'The fake forgets the credential at once.',
  endsByItself: true,
  providerTtlSecondsMin: 0,
  ttlSecondsMax: 86_400,
  probes: true,
  rotates: ['fake-secret'],
}

export function createFakeProvider(options: {
  clock: Clock
  script?: FakeScript
  capabilities?: Partial<Capabilities>
}): FakeProvider {
  const { clock } = options
  const capabilities = { ...fakeCapabilities, ...options.capabilities }
  const live = new Map<string, FakeCredential>()
  const orders: MintOrder[] = []
  const steps: Record<'mint' | 'revoke' | 'probe', FakeStep[]> = { mint: [], revoke: [], probe: [] }
  const calls = { mints: 0, revokes: 0, probes: 0 }

  const enqueue = (script: FakeScript) => {
    steps.mint.push(...(script.mint ?? []))
    steps.revoke.push(...(script.revoke ?? []))
    steps.probe.push(...(script.probe ?? []))
  }
  enqueue(options.script ?? {})

  const isAlive = (held: FakeCredential | undefined): held is FakeCredential =>
    held !== undefined && (!capabilities.endsByItself || clock.now() < held.minted.notAfter)

  return {
    capabilities,
    live,
    orders,
    enqueue,
    get mints() {
      return calls.mints
    },
    get revokes() {
      return calls.revokes
    },
    get probes() {
      return calls.probes
    },
    async mint(order, signal) {
      calls.mints += 1
      orders.push(order)
      return perform({ step: steps.mint.shift(), clock, signal }, () => {
        const minted = mintFor(order, capabilities)
        live.set(order.leaseId, { order, minted })
        return minted
      })
    },
    async revoke(reference, signal) {
      calls.revokes += 1
      return perform({ step: steps.revoke.shift(), clock, signal }, () => {
        if (capabilities.revocation !== 'none') live.delete(reference.leaseId)
      })
    },
    async rotate(target, signal) {
      signal.throwIfAborted()
      if (capabilities.rotates.includes(target)) return `${target} has a new value`
      throw new Failure('rotation_unsupported', 'The fake has no such secret to rotate.')
    },
    async probe(reference, _credential, signal) {
      calls.probes += 1
      return perform({ step: steps.probe.shift(), clock, signal }, () =>
        isAlive(live.get(reference.leaseId)) ? 'accepted' : 'refused',
      )
    },
    async planted(signal) {
      signal.throwIfAborted()
      return [...live.values()].filter(isAlive).map((held) => held.order.leaseId)
    },
    use(credential, scope) {
      const held = [...live.values()].find((one) => secretOf(one.minted.credential) === secretOf(credential))
      const allowed = held?.order.action.name === scope.action && held.order.resource === scope.resource
      return isAlive(held) && allowed ? 'accepted' : 'refused'
    },
  }
}

function mintFor(order: MintOrder, capabilities: Capabilities): Minted {
  const value = `fake-${randomBytes(16).toString('hex')}`
  return {
    credential: { type: 'fake', fields: { name: order.leaseId, value: new Secret(value) } },
    handle: `fake/${order.leaseId}`,
    effective: { actions: [order.action.name], resources: [order.resource] },
    notAfter: order.notAfter,
    providerNotAfter: order.notAfter + capabilities.providerTtlSecondsMin * 1000,
    enforcedBy: 'fake-clock',
  }
}

function secretOf(credential: Credential): string | undefined {
  const { value } = credential.fields
  return value instanceof Secret ? value.reveal() : undefined
}

async function perform<Result>(
  call: { step: FakeStep | undefined; clock: Clock; signal: AbortSignal },
  work: () => Result,
): Promise<Result> {
  const { step = { kind: 'work' }, clock, signal } = call
  signal.throwIfAborted()
  switch (step.kind) {
    case 'work':
      return work()
    case 'wait':
      await clock.sleep(step.milliseconds, signal)
      return work()
    case 'fail':
      throw step.failure
    case 'drop':
      work()
      throw step.failure
    case 'hang':
      return aborted(signal)
    case 'drop-and-hang':
      work()
      return aborted(signal)
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  return promise
}
