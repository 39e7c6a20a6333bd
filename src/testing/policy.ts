import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { PolicyAnswer, PolicyEngine, PolicyQuestion } from '../broker/index.ts'
import { type PolicyData, policyData } from '../contract/index.ts'
import { Failure } from '../primitives/index.ts'
import { contractFixture } from './contract.ts'

/** A kind of policy engine with everything the suite needs to try it. */
export type PolicySubject = {
  /** An engine that decides by this data and nothing else. The suite opens one engine at a time. */
  open(data: PolicyData): Promise<PolicyEngine>
  /** An engine that is there but cannot decide: its server is gone, its bundle answers nonsense. */
  openBroken(): Promise<PolicyEngine>
  close?(): Promise<void>
}

/**
 * The compulsory suite of the PolicyEngine port. An adapter's own test file calls it once; a subject that cannot run here says why.
 * It holds for engines that decide by the contract's grants; a user's own bundle is held to `readPolicyAnswer` alone.
 */
export function policyConformance(
  name: string,
  makeSubject: () => Promise<PolicySubject | { readonly skip: string }>,
): void {
  describe(`${name} keeps the policy port's promises`, { timeout: 60_000 }, () => {
    let made: PolicySubject | { readonly skip: string } | undefined
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
        await promise(made)
      })
  })
}

/** What the first grant of the fixture allows at its edge. */
export const grantedQuestion: PolicyQuestion = {
  tenant: 'acme',
  agent: 'agent-7',
  plane: 'machine',
  mode: 'PROD',
  service: 'orders-db',
  action: 'read-table',
  resource: 'public.orders',
  duration_seconds: 900,
}

/** Texts that are not the names they look like; none of them may ever be allowed in the place of a name. */
export const hostileTexts: readonly string[] = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '',
  ' ',
  '\0',
  '*',
  '**',
  'public.*',
  's3:*',
  '?',
  '[a-z]',
  '{a,b}',
  '.',
  '..',
  '^.*$',
  '(?s:.*)',
]

/** The same name as an attacker might disguise it: look-alike letters, other forms of Unicode, controls, another case. */
export function disguises(name: string): readonly string[] {
  return [
    `${name}\n`,
    `\n${name}`,
    `${name}\0`,
    `${name} `,
    `${name}\u200b`,
    `\u202e${name}`,
    `${name}\u0301`,
    name.replace(/[aeo]/, (letter) => ({ a: 'а', e: 'е', o: 'о' })[letter] ?? letter),
    name.replace(/[a-z]/i, (letter) => String.fromCodePoint(letter.charCodeAt(0) + 0xfee0)),
    name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase(),
    `${name}/../${name}`,
    `${name}%00`,
  ].filter((text) => text !== name)
}

const granted = { allow: true, grant: 'agent-7-reads-orders' } as const
const textFields = ['tenant', 'agent', 'plane', 'mode', 'service', 'action', 'resource'] as const

const promises: Readonly<Record<string, (subject: PolicySubject) => Promise<void>>> = {
  'what a grant says is allowed, and the grant is named': async (subject) => {
    const decide = await decider(subject, policyData(contractFixture()))
    assert.deepEqual(await decide({}), granted)
    assert.deepEqual(await decide({ duration_seconds: 1 }), granted)
  },
  'each reason is told apart, in the order of the checks': async (subject) => {
    const decide = await decider(subject, policyData(contractFixture()))
    const elsewhere = { resource: 'public.users', duration_seconds: 901 }
    const expected = [
      ['no_grant', { agent: 'agent-8' }],
      ['no_grant', { tenant: 'globex' }],
      ['no_grant', { service: 'files' }],
      ['no_grant', { action: 'write-table' }],
      ['plane', { plane: 'human', mode: 'TEST', ...elsewhere }],
      ['mode', { mode: 'TEST', ...elsewhere }],
      ['resource', elsewhere],
      ['duration', { duration_seconds: 901 }],
      ['duration', { duration_seconds: 0 }],
      ['wildcard', { resource: 'public.*', agent: 'agent-8' }],
    ] as const
    for (const [reason, change] of expected) assert.deepEqual(await decide(change), { allow: false, reason })
  },
  'the first grant in the order of the contract decides': async (subject) => {
    const grants = [{ id: 'short', maxDurationSeconds: 60 }, { id: 'zeta' }, { id: 'alpha' }]
    const decide = await decider(subject, policyData(contractFixture({ grants })))
    assert.deepEqual(await decide({}), { allow: true, grant: 'zeta' })
    assert.deepEqual(await decide({ duration_seconds: 60 }), { allow: true, grant: 'short' })
  },
  'one star stays within a segment, two stars cross segments': async (subject) => {
    const patterns = ['one/*/end', 'two/**', 'ab**ba', 'dot.x*']
    const decide = await decider(
      subject,
      policyData(contractFixture({ grants: [{ id: 'g', resources: patterns }] })),
    )
    for (const resource of ['one/a/end', 'one//end', 'two/', 'two/a/b', 'abba', 'ab/x/ba', 'dot.x', 'dot.xy'])
      assert.equal((await decide({ resource })).allow, true, resource)
    for (const resource of ['one/a/b/end', 'xone/a/end', 'one/a/endx', 'two', 'aba', 'dotxx', 'dot.x/y'])
      assert.deepEqual(await decide({ resource }), { allow: false, reason: 'resource' }, resource)
  },
  'without grants nothing is allowed': async (subject) => {
    const decide = await decider(subject, policyData(contractFixture({ grants: [] })))
    assert.deepEqual(await decide({}), { allow: false, reason: 'no_grant' })
  },
  'no disguise of a name and no hostile text is allowed, in any field': async (subject) => {
    const decide = await decider(subject, policyData(contractFixture()))
    for (const field of textFields)
      for (const text of [...hostileTexts, ...disguises(grantedQuestion[field])])
        assert.equal((await decide({ [field]: text })).allow, false, JSON.stringify({ [field]: text }))
  },
  'questions at the same time do not mix': async (subject) => {
    const decide = await decider(subject, policyData(contractFixture()))
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, nth) => decide(nth % 2 ? {} : { agent: `agent-${nth}0` })),
    )
    answers.forEach((answer, nth) => {
      assert.equal(answer.allow, nth % 2 === 1)
    })
  },
  'it names itself for the log': async (subject) => {
    const engine = await subject.open(policyData(contractFixture()))
    assert.match(engine.revision, /^[a-z][a-z0-9-]* \S+$/)
  },
  'what cannot decide fails as policy_unavailable, and never allows': async (subject) => {
    const engine = await subject.openBroken()
    await assert.rejects(engine.decide(grantedQuestion, AbortSignal.timeout(10_000)), isPolicyUnavailable)
  },
  'a question whose caller has gone is not decided': async (subject) => {
    const engine = await subject.open(policyData(contractFixture()))
    await assert.rejects(engine.decide(grantedQuestion, AbortSignal.abort()), isPolicyUnavailable)
  },
}

/** For `assert.rejects`. */
export function isPolicyUnavailable(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.code === 'policy_unavailable'
}

async function decider(subject: PolicySubject, data: PolicyData) {
  const engine = await subject.open(data)
  return (change: Readonly<Record<string, unknown>>): Promise<PolicyAnswer> =>
    engine.decide({ ...grantedQuestion, ...change }, AbortSignal.timeout(10_000))
}
