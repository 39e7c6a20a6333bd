import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { MintedReference } from '../../../broker/index.ts'
import { Failure } from '../../../primitives/index.ts'
import { keptUntil, readDenials, renderDenials } from './denials.ts'
import {
  configuration,
  errorAnswer,
  type FakeAws,
  leaseId,
  makeProvider,
  startFakeAws,
} from './fake-aws.fixture.ts'
import { rolePolicyCharactersMax } from './revoke.ts'

const running: FakeAws[] = []
after(() => Promise.all(running.map((fake) => fake.close())))

type Iam = { policy: string | undefined; puts: number; refuse?: string | undefined; stale?: boolean }

/** An IAM that keeps one inline policy, and the provider that writes it. */
async function iam(policy?: string) {
  const state: Iam = { policy, puts: 0 }
  const fake = await startFakeAws(({ form }, response) => {
    assert.deepEqual([form['RoleName'], form['PolicyName']], ['agents', 'sallyport-revoked'])
    if (state.refuse) return response.writeHead(400).end(errorAnswer(state.refuse))
    if (form['Action'] === 'GetRolePolicy') {
      if (state.policy === undefined || state.stale)
        return response.writeHead(404).end(errorAnswer('NoSuchEntity'))
      const document = encodeURIComponent(state.policy)
      return response.end(
        `<GetRolePolicyResponse><GetRolePolicyResult><PolicyDocument>${document}</PolicyDocument></GetRolePolicyResult></GetRolePolicyResponse>`,
      )
    }
    state.puts += 1
    state.policy = form['PolicyDocument']
    return response.end('<PutRolePolicyResponse/>')
  })
  running.push(fake)
  const provider = await makeProvider({
    config: { ...configuration(fake.endpoint), revocation: 'deny-policy' },
  })
  return { state, fake, provider, denied: () => [...readDenials(state.policy ?? '').keys()].sort() }
}

const never = new AbortController().signal
const inMinutes = (minutes: number) => Date.now() + minutes * 60_000
const reference = (minutes = 15): MintedReference => ({
  leaseId: leaseId(),
  handle: '',
  providerNotAfter: inMinutes(minutes),
})
const hasCode = (code: string) => (thrown: unknown) => thrown instanceof Failure && thrown.code === code

test('a revocation denies everything to the session of that name, and again writes nothing', async () => {
  const { state, fake, provider, denied } = await iam()
  const one = reference()
  await provider.revoke(one, never)
  assert.deepEqual(denied(), [one.leaseId])
  await provider.revoke(one, never)
  assert.equal(state.puts, 1)
  assert.match(fake.asked[0]?.authorization ?? '', /\/us-east-1\/iam\/aws4_request/)
})

test('fifty revocations at once all stand in the policy, in few writes', async () => {
  const { state, provider, denied } = await iam()
  const all = Array.from({ length: 50 }, () => reference())
  await Promise.all(all.map((one) => provider.revoke(one, never)))
  assert.deepEqual(denied(), all.map((one) => one.leaseId).sort())
  assert.ok(state.puts <= 2, `${state.puts} writes`)
})

test('what is over is left out of the next write', async () => {
  const over = ['lease_over', keptUntil(Date.now() / 1000) - 600] as const
  const { provider, denied } = await iam(
    renderDenials(new Map([over, ['lease_alive', inMinutes(20) / 1000]])),
  )
  const one = reference()
  await provider.revoke(one, never)
  assert.deepEqual(denied(), ['lease_alive', one.leaseId].sort())
})

test('an IAM that shows an older policy makes nothing forgotten', async () => {
  const { state, provider, denied } = await iam()
  const [first, second] = [reference(), reference()]
  await provider.revoke(first, never)
  state.stale = true
  await provider.revoke(second, never)
  assert.deepEqual(denied(), [first.leaseId, second.leaseId].sort())
})

test('a denial that vanished is written again', async () => {
  const { state, provider, denied } = await iam()
  const one = reference()
  await provider.revoke(one, never)
  state.policy = undefined
  await provider.revoke(one, never)
  assert.deepEqual(denied(), [one.leaseId])
})

test('a session whose end is not known is denied as long as any session lives', async () => {
  const { state, provider } = await iam()
  const one = { leaseId: leaseId(), handle: '', providerNotAfter: 0 }
  await provider.revoke(one, never)
  assert.ok((readDenials(state.policy ?? '').get(one.leaseId) ?? 0) >= Math.floor(Date.now() / 1000) + 43_200)
})

test('a session that STS has forgotten needs no denial, and one that it may still know gets one', async () => {
  const { fake, state, provider } = await iam()
  await provider.revoke(reference(-20), never)
  assert.equal(fake.asked.length, 0)
  await provider.revoke(reference(-1), never)
  assert.equal(state.puts, 1, 'clocks may differ')
})

test('a full policy refuses one more, forgets nothing, and has room when others are over', async () => {
  const until = inMinutes(60) / 1000
  const full = new Map<string, number>()
  while (renderDenials(full).length + 40 <= rolePolicyCharactersMax) full.set(leaseId(), until)
  const { state, provider, denied } = await iam(renderDenials(full))
  const one = reference(60)
  await assert.rejects(provider.revoke(one, never), hasCode('provider_policy_too_large'))
  assert.equal(state.puts, 0)
  for (const freed of [...full.keys()].slice(0, 6)) full.delete(freed)
  state.policy = renderDenials(full)
  await provider.revoke(one, never)
  assert.ok(denied().includes(one.leaseId))
  assert.ok((state.policy?.length ?? 0) <= rolePolicyCharactersMax)
})

test('a policy that the broker did not write is not overwritten', async () => {
  const theirs = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
  })
  const { state, provider } = await iam(theirs)
  await assert.rejects(provider.revoke(reference(), never), hasCode('provider_answer_invalid'))
  assert.equal(state.policy, theirs)
})

test('a refusal is the one of that revocation alone; the next one goes through', async () => {
  const { state, provider, denied } = await iam()
  for (const [code, failure] of [
    ['AccessDenied', 'provider_refused'],
    ['LimitExceeded', 'provider_policy_too_large'],
    ['Throttling', 'provider_throttled'],
  ] as const) {
    state.refuse = code
    await assert.rejects(provider.revoke(reference(), never), hasCode(failure))
  }
  state.refuse = undefined
  const one = reference()
  await provider.revoke(one, never)
  assert.deepEqual(denied(), [one.leaseId])
})

test('a lease id that could name many sessions is never written', async () => {
  const { state, provider } = await iam()
  await assert.rejects(provider.revoke({ ...reference(), leaseId: '*' }, never), hasCode('provider_refused'))
  assert.equal(state.puts, 0)
})

test('without the deny policy the capabilities say that nothing is revoked, and nothing is called', async () => {
  const { fake } = await iam()
  const provider = await makeProvider({ config: configuration(fake.endpoint) })
  assert.equal(provider.capabilities.revocation, 'none')
  assert.match(provider.capabilities.revocationNote, /works until the date/)
  await provider.revoke(reference(), never)
  assert.equal(fake.asked.length, 0)
})
