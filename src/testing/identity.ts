import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Evidence, Identified, Identifier } from '../broker/index.ts'
import type { Plane } from '../contract/index.ts'
import { type FailureCode, Secret } from '../primitives/index.ts'

/**
 * The compulsory suite of the Identifier port: planes never cross, two callers at once are nobody, and bad evidence is a refusal that
 * repeats nothing of it. `makeSubject` gives real credentials; each must be valid by itself.
 */
export function identifierConformance(name: string, makeSubject: () => Promise<IdentifierSubject>) {
  describe(`${name} keeps the identifier port's promises`, { timeout: 60_000 }, () => {
    let subject: IdentifierSubject | undefined
    before(async () => {
      subject = await makeSubject()
    })
    after(() => subject?.close?.())
    for (const [sentence, promise] of Object.entries(promises))
      test(sentence, { timeout: 20_000 }, async () => {
        if (!subject) throw new Error('The subject was not made.')
        await promise(subject)
      })
  })
}

/** What comes with a request, without its plane. */
export type Shown = Omit<Evidence, 'plane'>

export type IdentifierSubject = {
  readonly identifier: Identifier
  /** One identity of the machine plane, proven in three ways. */
  readonly machine: { readonly tenant: string; readonly agent: string } & Required<Shown>
  /** Another identity of the same tenant, and one of another tenant, proven by key. */
  readonly colleague: Pick<Required<Shown>, 'machineKey'>
  readonly foreigner: Pick<Required<Shown>, 'machineKey'>
  /** One identity of the human plane. */
  readonly human: { readonly tenant: string; readonly agent: string } & Pick<Required<Shown>, 'bearer'>
  /** Evidence that holds, from an authority and an issuer that are trusted, for somebody whom nobody named. */
  readonly strangers: readonly { readonly plane: Plane; readonly shown: Shown }[]
  close?(): Promise<void>
}

const promises: Readonly<Record<string, (subject: IdentifierSubject) => Promise<void>>> = {
  async 'a machine is identified by each of its proofs, and by all at once'(subject) {
    const { certificate, bearer, machineKey, tenant, agent } = subject.machine
    for (const [method, shown] of [
      ['certificate', { certificate }],
      ['token', { bearer }],
      ['machine-key', { machineKey }],
      ['certificate', { certificate, bearer, machineKey }],
    ] as const) {
      const { caller } = identified(await identify(subject, 'machine', shown))
      assert.deepEqual(
        { method: caller.method, plane: caller.plane, tenant: caller.tenant, agent: caller.agent },
        { method, plane: 'machine', tenant, agent },
      )
      assert.equal(caller.confirmation !== undefined, 'certificate' in shown)
    }
  },

  async 'a person is identified by a token'(subject) {
    const { bearer, tenant, agent } = subject.human
    const { caller } = identified(await identify(subject, 'human', { bearer }))
    assert.deepEqual([caller.plane, caller.tenant, caller.agent], ['human', tenant, agent])
    assert.equal(caller.confirmation, undefined)
  },

  async 'nothing shown is nobody'(subject) {
    for (const plane of planes) assertRefused(await identify(subject, plane, {}), 'identity_missing')
  },

  async 'what is valid on the other plane is refused there'(subject) {
    const { certificate, bearer, machineKey } = subject.machine
    for (const shown of [{ certificate }, { bearer }, { machineKey }])
      assertRefused(await identify(subject, 'human', shown), 'plane_crossed')
    assertRefused(await identify(subject, 'machine', { bearer: subject.human.bearer }), 'plane_crossed')
  },

  async 'a person and a machine at once are refused on both planes'(subject) {
    const { certificate, machineKey } = subject.machine
    for (const plane of planes)
      for (const shown of [{ certificate }, { machineKey }, { certificate, machineKey }])
        assertRefused(
          await identify(subject, plane, { ...shown, bearer: subject.human.bearer }),
          'identity_ambiguous',
        )
  },

  async 'two identities at once are refused, and two tenants are told apart from them'(subject) {
    const { certificate, bearer } = subject.machine
    for (const shown of [{ certificate }, { bearer }]) {
      const withColleague = await identify(subject, 'machine', { ...shown, ...subject.colleague })
      assertRefused(withColleague, 'identity_ambiguous')
      const withForeigner = await identify(subject, 'machine', { ...shown, ...subject.foreigner })
      assertRefused(withForeigner, 'tenant_conflict')
    }
  },

  async 'who is valid but unknown is refused, alone and beside somebody known'(subject) {
    for (const { plane, shown } of subject.strangers) {
      assertRefused(await identify(subject, plane, shown), 'identity_unknown')
      if (plane === 'human') continue
      const beside = await identify(subject, plane, { machineKey: subject.machine.machineKey, ...shown })
      assertRefused(beside, 'identity_unknown')
    }
  },

  async 'good evidence does not make up for bad evidence'({ machine, ...subject }) {
    for (const bad of badEvidence)
      for (const good of [
        { certificate: machine.certificate },
        { machineKey: machine.machineKey },
        { bearer: machine.bearer },
      ])
        assertRefused(await identify(subject, 'machine', { ...good, ...bad }))
  },

  async 'bad evidence is a refusal that repeats nothing of it'(subject) {
    for (const plane of planes)
      for (const bad of badEvidence) {
        const refused = assertRefused(await identify(subject, plane, bad))
        for (const secret of [bad.bearer, bad.machineKey])
          if (secret && secret.reveal().length >= 3)
            assert.ok(!JSON.stringify(refused).includes(secret.reveal()))
      }
  },

  async 'the words of a refusal hold nothing of a valid credential either'(subject) {
    const { certificate, bearer, machineKey } = subject.machine
    for (const shown of [{ bearer }, { machineKey }, { certificate, bearer, machineKey }]) {
      const words = JSON.stringify(assertRefused(await identify(subject, 'human', shown)))
      for (const secret of [bearer, machineKey]) assert.ok(!words.includes(secret.reveal()))
    }
  },
}

const planes = ['machine', 'human'] as const

const badEvidence: readonly Shown[] = [
  ...[
    '',
    ' ',
    '.',
    '..',
    'a.b',
    'a.b.c',
    'e30.e30.e30',
    '\u0000',
    'sp_',
    '%s',
    '🗝️',
    'x'.repeat(100_000),
  ].flatMap((text): Shown[] => [{ bearer: new Secret(text) }, { machineKey: new Secret(text) }]),
  ...[0, 1, 100, 100_000].flatMap((size): Shown[] => [
    { certificate: { der: Buffer.alloc(size, 0x30), verified: true } },
    { certificate: { der: Buffer.alloc(size, 0x30), verified: false, reason: 'SELF_SIGNED_CERT_IN_CHAIN' } },
  ]),
]

function identify({ identifier }: Pick<IdentifierSubject, 'identifier'>, plane: Plane, shown: Shown) {
  return identifier.identify({ plane, ...shown }, AbortSignal.timeout(10_000))
}

function identified(answer: Identified): Extract<Identified, { kind: 'identified' }> {
  if (answer.kind === 'refused') assert.fail(`refused: ${answer.code} ${answer.internal ?? ''}`)
  return answer
}

function assertRefused(answer: Identified, code?: FailureCode): Extract<Identified, { kind: 'refused' }> {
  if (answer.kind === 'identified') assert.fail('identified')
  if (code !== undefined) assert.equal(answer.code, code)
  return answer
}
