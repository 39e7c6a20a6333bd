import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { Credential, Minted, MintedReference, MintOrder, Provider } from '../broker/index.ts'
import { type Clock, Failure, newId, Secret } from '../primitives/index.ts'

/**
 * The compulsory suite of the Provider port. An adapter's own test file calls it once, against the real server where one can run:
 *
 *     providerConformance('postgres', async () => {
 *       const server = await startPostgres()
 *       if (server.kind === 'unavailable') return { skip: server.reason }
 *       return { provider, clock, order, allows, use, useOutside, close: () => server.stop() }
 *     })
 *
 * It mints for real, uses what it got inside and outside its scope, ends it, and looks that nothing is left. It does not know
 * which provider it has: what is asked of one follows from its `capabilities`. The adapter's own tests stand beside it.
 */
export function providerConformance(name: string, makeSubject: () => Promise<ProviderSubject | Unavailable>) {
  describe(`${name} keeps the provider port's promises`, { timeout: 60_000 }, () => {
    let made: ProviderSubject | Unavailable | undefined
    before(async () => {
      made = await makeSubject()
    })
    after(async () => {
      if (made && !('skip' in made)) await made.close?.()
    })
    for (const [sentence, promise] of Object.entries(promises))
      test(sentence, { timeout: 20_000 }, async (context) => {
        if (!made) throw new Error('The subject was not made.')
        if ('skip' in made) return context.skip(made.skip)
        await promise(createTrial(made), context)
      })
  })
}

/** A provider with everything the suite needs to try it. */
export type ProviderSubject = {
  readonly provider: Provider
  readonly clock: Clock
  /** A valid order for this lease id: always the same action and resource, ending some minutes after the clock's now. */
  order(leaseId: string): MintOrder
  /** The most that such an order may give, in the words of `effective`. */
  readonly allows: { readonly actions: readonly string[]; readonly resources: readonly string[] }
  /** Does what the order asked for, with this credential alone. Throws when the world, not the credential, was at fault. */
  use(credential: Credential): Promise<Use>
  /** Does something near it that the order did not ask for: another verb, another resource. It must be refused. */
  useOutside(credential: Credential): Promise<Use>
  /** The one provider kind whose credentials may neither end nor be revoked: for development modes only. */
  readonly developmentOnly?: boolean
  close?(): Promise<void>
}

export type Use = 'accepted' | 'refused'

/** Why the suite cannot run here, such as a server that is not installed. */
export type Unavailable = { readonly skip: string }

/** How often an `eventual` revocation is looked at, and how long between, before it counts as broken. */
const eventualLooksMax = 40
const eventualPauseMilliseconds = 250

const promises: Readonly<Record<string, (trial: Trial, context: TestContext) => Promise<void>>> = {
  async 'its capabilities agree with each other and with its methods'({ provider, subject }) {
    const { capabilities } = provider
    assert.equal(capabilities.probes, typeof provider.probe === 'function', 'probes and probe() go together')
    assert.ok(capabilities.revocationNote.endsWith('.'), 'the note is a sentence')
    assert.ok(capabilities.providerTtlSecondsMin >= 0)
    assert.ok(capabilities.ttlSecondsMax > 0)
    assert.ok(capabilities.ttlSecondsMax >= capabilities.providerTtlSecondsMin)
    assert.equal(new Set(capabilities.rotates).size, capabilities.rotates.length)
    if (capabilities.mintsLocally)
      assert.ok(capabilities.endsByItself && !provider.planted, 'what is made in memory ends by itself')
    if (!subject.developmentOnly)
      assert.ok(capabilities.endsByItself || capabilities.revocation !== 'none', 'every credential can end')
  },

  async 'a credential does what was ordered and nothing near it'(trial) {
    const { minted } = await trial.mint()
    assert.equal(await trial.subject.use(minted.credential), 'accepted')
    assert.equal(await trial.subject.useOutside(minted.credential), 'refused')
  },

  async 'a mint declares no more than was ordered'(trial) {
    const { minted, order } = await trial.mint()
    const { allows, clock } = trial.subject
    assert.ok(minted.effective.actions.length > 0 && minted.effective.resources.length > 0)
    for (const action of minted.effective.actions) assert.ok(allows.actions.includes(action), action)
    for (const resource of minted.effective.resources)
      assert.ok(allows.resources.includes(resource), resource)
    assert.ok(minted.notAfter > clock.now(), 'it lives')
    assert.ok(minted.notAfter <= order.notAfter, 'it ends no later than ordered')
    assert.ok(minted.providerNotAfter >= minted.notAfter)
    assert.match(minted.enforcedBy, /^[a-z][a-z0-9-]*$/)
  },

  async 'no secret shows in the handle, in JSON or when printed'(trial) {
    const { minted } = await trial.mint()
    const shown = [minted.handle, JSON.stringify(minted), inspect(minted, { depth: null, showHidden: true })]
    const secrets = Object.values(minted.credential.fields).filter((field) => field instanceof Secret)
    assert.ok(secrets.length > 0, 'a credential has a secret in it')
    for (const secret of secrets)
      for (const text of shown) assert.equal(text.includes(secret.reveal()), false, 'a secret was shown')
  },

  async 'the lease id is planted while the credential lives, and no longer'(trial, context) {
    const { provider } = trial
    if (!provider.planted) return context.diagnostic('it declares that it cannot list what it minted')
    const { reference } = await trial.mint()
    assert.ok((await provider.planted(live())).includes(reference.leaseId))
    if (provider.capabilities.revocation === 'none') return
    await provider.revoke(reference, live())
    assert.equal((await provider.planted(live())).includes(reference.leaseId), false)
  },

  async 'minting again for one lease id never leaves two credentials that end apart'(trial) {
    const first = await trial.mint()
    // Refusing is safe too: the first stays the only one.
    const again = await trial.mint(first.order.leaseId).catch(() => undefined)
    if (!again) return
    assert.equal(await trial.subject.use(again.minted.credential), 'accepted')
    const earlier = await trial.subject.use(first.minted.credential)
    // Where a provider cannot withdraw the first, it must at least bear the same name, so that one revocation ends both.
    if (earlier === 'accepted') assert.equal(first.minted.handle, again.minted.handle)
    if (trial.provider.capabilities.revocation === 'none') return
    await trial.provider.revoke(again.reference, live())
    await trial.refusedSoon(again.minted.credential)
    await trial.refusedSoon(first.minted.credential)
  },

  async 'a revoked credential is refused, and revoking it again succeeds'(trial, context) {
    if (trial.provider.capabilities.revocation === 'none') return declaresThatItLives(trial, context)
    const { minted, reference } = await trial.mint()
    await trial.provider.revoke(reference, live())
    await trial.refusedSoon(minted.credential)
    await trial.provider.revoke(reference, live())
    await trial.refusedSoon(minted.credential)
  },

  async 'the lease id alone is enough to revoke'(trial, context) {
    if (trial.provider.capabilities.revocation === 'none') return declaresThatItLives(trial, context)
    const { minted, reference } = await trial.mint()
    await trial.provider.revoke({ ...reference, handle: '' }, live())
    await trial.refusedSoon(minted.credential)
  },

  async 'one revocation leaves the credentials of other leases alone'(trial) {
    const [kept, ended] = [await trial.mint(), await trial.mint()]
    await trial.provider.revoke(ended.reference, live())
    assert.equal(await trial.subject.use(kept.minted.credential), 'accepted')
  },

  async 'revoking what never was succeeds'(trial) {
    const { notAfter } = trial.subject.order(trial.newLeaseId())
    const reference = { leaseId: trial.newLeaseId(), handle: '', providerNotAfter: notAfter }
    await trial.provider.revoke(reference, live())
  },

  async 'a probe sees a live credential and a dead one for what they are'(trial, context) {
    const { provider } = trial
    if (!provider.probe) {
      assert.equal(provider.capabilities.probes, false)
      return context.diagnostic('it declares that a dead credential cannot be tried')
    }
    const { minted, reference } = await trial.mint()
    assert.equal(await provider.probe(reference, minted.credential, live()), 'accepted')
    assert.equal(await trial.subject.use(minted.credential), 'accepted', 'a probe changes nothing')
    if (provider.capabilities.revocation === 'none') return
    await provider.revoke(reference, live())
    await trial.refusedSoon(minted.credential)
    assert.equal(await provider.probe(reference, minted.credential, live()), 'refused')
    assert.notEqual(await provider.probe(reference, undefined, live()), 'accepted')
  },

  async 'what it cannot rotate is refused by name'({ provider }) {
    const isUnsupported = (thrown: unknown) =>
      thrown instanceof Failure && thrown.code === 'rotation_unsupported'
    await assert.rejects(provider.rotate('no-such-target', live()), isUnsupported)
  },

  async 'an aborted mint rejects, and a revocation leaves nothing of it'(trial) {
    const reference = trial.referenceTo(trial.newLeaseId())
    const dead = AbortSignal.abort(new Error('too late'))
    await assert.rejects(trial.provider.mint(trial.subject.order(reference.leaseId), dead))
    await trial.leavesNothing(reference)
  },

  async 'a mint that is aborted half-way leaves nothing after a revocation'(trial) {
    const reference = trial.referenceTo(trial.newLeaseId())
    const abort = new AbortController()
    const minting = trial.provider.mint(trial.subject.order(reference.leaseId), abort.signal)
    setImmediate(() => abort.abort(new Error('the caller left')))
    const [outcome] = await Promise.allSettled([minting])
    await trial.leavesNothing(reference)
    if (outcome.status === 'fulfilled' && trial.provider.capabilities.revocation !== 'none')
      await trial.refusedSoon(outcome.value.credential)
  },

  async 'an aborted revocation and an aborted listing reject'({ provider, ...trial }) {
    const dead = AbortSignal.abort(new Error('too late'))
    const reference = trial.referenceTo(trial.newLeaseId())
    if (provider.capabilities.revocation !== 'none') await assert.rejects(provider.revoke(reference, dead))
    if (provider.planted) await assert.rejects(provider.planted(dead))
  },
}

type Minting = { readonly minted: Minted; readonly order: MintOrder; readonly reference: MintedReference }

type Trial = {
  readonly subject: ProviderSubject
  readonly provider: Provider
  newLeaseId(): string
  /** What the broker still knows of a mint whose answer it never saw. */
  referenceTo(leaseId: string): MintedReference
  /** Mints for this lease id, or a new one. */
  mint(leaseId?: string): Promise<Minting>
  /** Fails unless the credential is refused, now or as soon as the provider's `revocation` promises. */
  refusedSoon(credential: Credential): Promise<void>
  /** Revokes, and fails when the provider still has something under that lease id. */
  leavesNothing(reference: MintedReference): Promise<void>
}

function createTrial(subject: ProviderSubject): Trial {
  const { provider, clock } = subject
  const newLeaseId = () => newId({ prefix: 'lse', now: clock.now(), random: randomBytes })
  return {
    subject,
    provider,
    newLeaseId,
    referenceTo: (leaseId) => ({ leaseId, handle: '', providerNotAfter: subject.order(leaseId).notAfter }),
    async mint(leaseId = newLeaseId()) {
      const order = subject.order(leaseId)
      const minted = await provider.mint(order, live())
      const { handle, providerNotAfter } = minted
      return { minted, order, reference: { leaseId, handle, providerNotAfter } }
    },
    async refusedSoon(credential) {
      const looks = provider.capabilities.revocation === 'eventual' ? eventualLooksMax : 1
      for (let look = 1; look <= looks; look += 1) {
        if ((await subject.use(credential)) === 'refused') return
        if (look < looks) await pause(eventualPauseMilliseconds)
      }
      assert.fail('the credential still works')
    },
    async leavesNothing(reference) {
      await provider.revoke(reference, live())
      if (provider.capabilities.revocation === 'none') return
      const planted = (await provider.planted?.(live())) ?? []
      assert.equal(planted.includes(reference.leaseId), false)
    },
  }
}

/** A signal that nobody aborts before the test's own time is over. */
function live(): AbortSignal {
  return AbortSignal.timeout(15_000)
}

/** A provider that cannot revoke says so in words, and answers a revocation without pretending to fail. */
async function declaresThatItLives(trial: Trial, context: TestContext): Promise<void> {
  assert.ok(trial.provider.capabilities.revocationNote.length > 0)
  const { reference } = await trial.mint()
  await trial.provider.revoke(reference, live())
  context.diagnostic('it declares that it cannot revoke')
}
