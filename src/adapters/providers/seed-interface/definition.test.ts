import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import type { MintOrder, Provider } from '../../../broker/index.ts'
import type { Action } from '../../../contract/index.ts'
import { Failure, newId, Secret } from '../../../primitives/index.ts'
import { createTestClock } from '../../../testing/clock.ts'
import { providerConformance } from '../../../testing/provider.ts'
import { type CredentialProvider, fromCredentialProvider, type PluggedAs } from './index.ts'
import { scopeText } from './scope.ts'

// What a user has: the interface as the seed prints it, a type of their own for `Secret`, and a class that knows nothing of Sallyport.
type Token = { tokenId: string; value: string; expiresAt: Date }

interface SeedProvider {
  mint(scope: string, duration: number): Promise<Token>
  revoke(tokenId: string): Promise<void>
  rotate(secretId: string): Promise<void>
}

const clock = createTestClock()
const live = AbortSignal.timeout(60_000)

class TokenDesk implements SeedProvider {
  readonly tokens = new Map<string, { value: string; scope: string; expiresAt: number }>()
  readonly rotated: string[] = []

  async mint(scope: string, duration: number): Promise<Token> {
    const [tokenId, value] = [randomBytes(8).toString('hex'), randomBytes(16).toString('hex')]
    const expiresAt = clock.now() + duration * 1000
    this.tokens.set(tokenId, { value, scope, expiresAt })
    await setImmediate()
    return { tokenId, value, expiresAt: new Date(expiresAt) }
  }

  async revoke(tokenId: string): Promise<void> {
    this.tokens.delete(tokenId)
  }

  async rotate(secretId: string): Promise<void> {
    this.rotated.push(secretId)
  }

  uses(value: string | undefined, scope: string): 'accepted' | 'refused' {
    const token = [...this.tokens.values()].find((one) => one.value === value)
    return token?.scope === scope && token.expiresAt > clock.now() ? 'accepted' : 'refused'
  }
}

const readShelf: Action = { name: 'read', resource: '{shelf}', means: {}, place: { line: 40, column: 9 } }
const truth: PluggedAs = {
  kind: 'desk',
  revocation: 'immediate',
  endsByItself: true,
  rotates: ['desk-key'],
}

providerConformance('an object of the seed’s interface', async () => {
  const desk = new TokenDesk()
  return {
    provider: await plug(desk, truth),
    clock,
    order: (leaseId) => orderOf({ leaseId }),
    allows: { actions: ['read'], resources: ['a1'] },
    use: async ({ fields }) => desk.uses(reveal(fields['value']), 'stock:read:a1'),
    useOutside: async ({ fields }) => desk.uses(reveal(fields['value']), 'stock:write:a1'),
  }
})

test('the object is asked for service:action:resource and whole seconds', async () => {
  const asked: unknown[] = []
  const mint = async (...question: unknown[]) => {
    asked.push(question)
    return token()
  }
  const action = {
    ...readShelf,
    means: { service: 'aws-s3', action: 'list-buckets', resource: 'shelf/{shelf}' },
  }
  const provider = await plug(object({ mint }), truth, [action])
  const { effective } = await provider.mint(orderOf({ action, notAfter: clock.now() + 90_999 }), live)
  assert.deepEqual(asked, [['aws-s3:list-buckets:shelf/a1', 90]])
  assert.deepEqual(effective, { actions: ['list-buckets'], resources: ['shelf/a1'] })
  await assert.rejects(
    provider.mint(orderOf({ action, notAfter: clock.now() + 999 }), live),
    failing('provider_refused'),
  )
})

test('no two things asked for have one scope', (t) => {
  const word = fc.stringMatching(/^[a-z][a-z.-]{0,3}$/)
  const means = fc.record({ service: word, action: word, resource: fc.stringMatching(/^[a-z:]{1,6}$/) })
  let cases = 0
  fc.assert(
    fc.property(means, means, (one, other) => {
      cases += 1
      const same = JSON.stringify(one) === JSON.stringify(other)
      assert.equal(scopeText(one, {}) === scopeText(other, {}), same)
    }),
    { numRuns: 1000 },
  )
  t.diagnostic(`${cases} pairs`)
})

test('whatever is not said is taken to be the worst, and then it is for development alone', async () => {
  const { developmentOnly } = fromCredentialProvider(new TokenDesk(), { kind: 'desk' })
  assert.equal(developmentOnly, true)
  const silent = object({ mint: async () => 'a secret and nothing else' })
  const provider = await plug(silent, { kind: 'desk' })
  const minted = await provider.mint(orderOf(), live)
  assert.equal(provider.capabilities.revocation, 'none')
  assert.equal(minted.enforcedBy, 'nothing')
  assert.equal(new Date(minted.providerNotAfter).getUTCFullYear(), 9999)
  for (const said of [{ endsByItself: true }, { revocation: 'eventual' as const }])
    assert.equal(fromCredentialProvider(new TokenDesk(), { kind: 'desk', ...said }).developmentOnly, false)
})

test('every shape of a secret is understood, and all of its text is secret', async () => {
  const at = new Date(clock.now() + 60_000)
  const shapes: readonly [unknown, Readonly<Record<string, string | number>>][] = [
    ['plain', { value: 'plain' }],
    [new Secret('wrapped'), { value: 'wrapped' }],
    [{ tokenId: 'one', value: 'v' }, { value: 'v' }],
    [{ id: 'one', value: new Secret('v'), expiresAt: at.toISOString() }, { value: 'v' }],
    [
      { id: 'one', value: { user: 'u', password: 'p', port: 5432 }, expiresAt: at },
      { user: 'u', password: 'p', port: 5432 },
    ],
  ]
  for (const [given, fields] of shapes) {
    const provider = await plug(object({ mint: async () => given }), { kind: 'desk', endsByItself: true })
    const { credential } = await provider.mint(orderOf(), live)
    const revealed = Object.entries(credential.fields).map(([name, field]) => [name, reveal(field) ?? field])
    assert.deepEqual(Object.fromEntries(revealed), fields)
    assert.equal(
      Object.values(credential.fields).some((field) => typeof field === 'string'),
      false,
    )
  }
})

test('an answer without a secret, an id or a future is refused, and what it named is revoked by the lease id', async () => {
  const late = new Date(clock.now() + 300_000 + 5_001)
  const answers: readonly [unknown, string | undefined][] = [
    [{ tokenId: 'named' }, 'named'],
    [{ tokenId: 'named', value: 7 }, 'named'],
    [{ tokenId: 'named', value: {} }, 'named'],
    [{ tokenId: 'named', value: { port: 1 } }, 'named'],
    [{ id: 'named', value: 'v', expiresAt: 1893456000 }, 'named'],
    [{ id: 'named', value: 'v', expiresAt: new Date(clock.now()) }, 'named'],
    [{ id: 'named', value: 'v', expiresAt: late }, 'named'],
    [{ id: 'the secret', value: 'the secret' }, 'the secret'],
    [{ value: 'no id' }, undefined],
    ['no id', undefined],
    ['', undefined],
    [undefined, undefined],
    [null, undefined],
    [42, undefined],
  ]
  for (const [given, named] of answers) {
    const revoked: string[] = []
    const revoke = async (tokenId: string) => void revoked.push(tokenId)
    const provider = await plug(object({ mint: async () => given, revoke }), truth)
    const order = orderOf()
    await assert.rejects(provider.mint(order, live), failing('provider_answer_invalid'))
    const ending = provider.revoke(referenceTo(order), live)
    if (named === undefined) await assert.rejects(ending, failing('provider_refused'))
    else await ending
    assert.deepEqual(revoked, named === undefined ? [] : [named])
  }
})

test('an answer that comes after its caller left is revoked by the lease id', async () => {
  const desk = new TokenDesk()
  const gate = Promise.withResolvers<void>()
  const slow = object({
    mint: async (scope, duration) => {
      const given = await desk.mint(scope, duration)
      await gate.promise
      return given
    },
    revoke: (tokenId) => desk.revoke(tokenId),
  })
  const provider = await plug(slow, truth)
  const order = orderOf()
  const abort = new AbortController()
  const minting = provider.mint(order, abort.signal)
  await setImmediate()
  abort.abort(new Failure('provider_timeout', 'too late'))
  await assert.rejects(minting, failing('provider_timeout'))
  const revoking = provider.revoke(referenceTo(order), live)
  assert.equal(desk.tokens.size, 1)
  gate.resolve()
  await revoking
  assert.equal(desk.tokens.size, 0)
})

test('a retry after a lost answer ends the first credential before it asks for another', async () => {
  const desk = new TokenDesk()
  const provider = await plug(desk, truth)
  const order = orderOf()
  const abort = new AbortController()
  const lost = provider.mint(order, abort.signal)
  abort.abort(new Failure('provider_timeout', 'too late'))
  await assert.rejects(lost)
  await provider.mint(order, live)
  assert.equal(desk.tokens.size, 1)
})

test('where nothing can be revoked, a lost answer is never followed by a second credential', async () => {
  const desk = new TokenDesk()
  const provider = await plug(desk, { kind: 'desk', endsByItself: true })
  const order = orderOf()
  await provider.mint(order, live)
  await assert.rejects(provider.mint(order, live), failing('provider_answer_invalid'))
  assert.equal(desk.tokens.size, 1)
})

test('a rejection is tried again only where it is said to leave nothing', async () => {
  const failingObject = object({ mint: () => Promise.reject(new Error('the desk is closed')) })
  const careful = await plug(failingObject, truth)
  const order = orderOf()
  await assert.rejects(careful.mint(order, live), failing('provider_answer_invalid'))
  await assert.rejects(careful.mint(order, live), failing('provider_answer_invalid'))
  await assert.rejects(careful.revoke(referenceTo(order), live), failing('provider_refused'))

  const plain = await plug(failingObject, { ...truth, rejectedMintLeavesNothing: true })
  await assert.rejects(plain.mint(order, live), (thrown) => {
    assert.ok(thrown instanceof Failure && thrown.code === 'provider_unreachable')
    return !thrown.message.includes('closed') && thrown.internal === 'Error: the desk is closed'
  })
  await assert.rejects(plain.mint(order, live), failing('provider_unreachable'))
  await plain.revoke(referenceTo(order), live)
})

test('an object that throws at once is no worse than one that rejects', async () => {
  const mint = () => {
    throw new TypeError('not a promise')
  }
  const provider = await plug(object({ mint }), { ...truth, rejectedMintLeavesNothing: true })
  await assert.rejects(provider.mint(orderOf(), live), failing('provider_unreachable'))
})

test('of a lease from before the start nothing is known: it is not called ended until its time is over', async () => {
  const order = orderOf({ leaseId: newId({ prefix: 'lease', now: clock.now() - 1, random: randomBytes }) })
  const provider = await plug(new TokenDesk(), truth)
  await assert.rejects(provider.revoke(referenceTo(order), live), failing('provider_refused'))
  await provider.revoke({ ...referenceTo(order), providerNotAfter: clock.now() }, live)
  await provider.revoke({ ...referenceTo(order), handle: 'known' }, live)
})

test('a revocation that fails is a failure, and can be repeated', async () => {
  const revoked: string[] = []
  const desk = object({
    mint: async () => token(),
    revoke: async (tokenId) => {
      revoked.push(tokenId)
      if (revoked.length === 1) throw new Error('busy')
    },
  })
  const provider = await plug(desk, truth)
  const order = orderOf()
  await provider.mint(order, live)
  await assert.rejects(provider.revoke(referenceTo(order), live), failing('provider_unreachable'))
  await provider.revoke(referenceTo(order), live)
  assert.deepEqual(revoked, ['token', 'token'])
})

test('only what is said to rotate is rotated', async () => {
  const desk = new TokenDesk()
  const provider = await plug(desk, truth)
  assert.equal(await provider.rotate('desk-key', live), 'desk-key was rotated by its provider')
  await assert.rejects(provider.rotate('other-key', live), failing('rotation_unsupported'))
  assert.deepEqual(desk.rotated, ['desk-key'])
})

test('a contract that says more than the object can hear is refused with its line', async () => {
  const wrong: readonly [Record<string, unknown>, Record<string, unknown>, string?][] = [
    [{ url: 'https://desk.example.test' }, {}],
    [{}, { verb: 'GET' }],
    [{}, { service: 'aws:s3' }],
    [{}, { action: 'read:all' }],
    [{}, { resource: '{room}' }],
    [{}, { resource: 'every shelf' }],
    [{}, {}, 'a:b'],
  ]
  for (const [config, means, name = 'stock'] of wrong) {
    const entry = { name, kind: 'desk', config, place: { line: 12, column: 3 } }
    const created = fromCredentialProvider(new TokenDesk(), truth).create(
      entry,
      [{ ...readShelf, means }],
      world,
    )
    await assert.rejects(created, (thrown) => {
      assert.ok(thrown instanceof Failure && thrown.code === 'contract_invalid')
      return /^Line (12|40): /.test(thrown.message)
    })
  }
})

const world = {
  clock,
  random: randomBytes,
  keyFolder: '/nowhere',
  brokerName: 'test',
  resolve: () => assert.fail('nothing to resolve'),
}

function plug(
  object: CredentialProvider,
  options: PluggedAs,
  actions: readonly Action[] = [readShelf],
): Promise<Provider> {
  const entry = { name: 'stock', kind: options.kind, config: {}, place: { line: 12, column: 3 } }
  return fromCredentialProvider(object, options).create(entry, actions, world)
}

function object(verbs: Partial<CredentialProvider>): CredentialProvider {
  return { mint: async () => token(), revoke: async () => {}, rotate: async () => {}, ...verbs }
}

function token() {
  return { tokenId: 'token', value: randomBytes(8).toString('hex') }
}

function orderOf(order: Partial<MintOrder> = {}): MintOrder {
  return {
    leaseId: newId({ prefix: 'lease', now: clock.now(), random: randomBytes }),
    tenant: 'acme',
    agent: 'agent-7',
    action: readShelf,
    resource: 'a1',
    parts: { shelf: 'a1', resource: 'a1' },
    notAfter: clock.now() + 300_000,
    requestId: 'test',
    ...order,
  }
}

function referenceTo(order: MintOrder) {
  return { leaseId: order.leaseId, handle: '', providerNotAfter: order.notAfter }
}

function reveal(field: unknown): string | undefined {
  return field instanceof Secret ? field.reveal() : undefined
}

function failing(code: string) {
  return (thrown: unknown) => thrown instanceof Failure && thrown.code === code
}
