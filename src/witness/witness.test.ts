import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import {
  createLogKey,
  openCheckpoint,
  parseLogKey,
  parseVerifier,
  parseWitnessKey,
  parseWitnessVerifier,
  readCosignatures,
  verifyExport,
} from '../audit/index.ts'
import {
  createWitness,
  formatSubmission,
  openWitnessState,
  parseSubmission,
  submissionLimits,
  type WitnessState,
} from './index.ts'
import {
  append,
  type ListeningWitness,
  logOf,
  signer,
  startWitness,
  submissionOf,
} from './testbed.fixture.ts'

/**
 * The published example of filippo.io/litetlog (internal/witness): a log of one entry, then of three and of five, whose leaf hashes are
 * 2a00…, 2a01… and so on. The log's private key is not needed.
 */
const origin = 'sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562'
const published = {
  vkey: `${origin}+5202289b+Af/cLU2Y5BJNP+r3iMDC+av9eWCD0fBJVDfzAux5zxAP`,
  first: `old 0

${origin}
1
KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

— ${origin} UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY=
`,
  oneToThree: `old 1
KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

${origin}
3
RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=

— ${origin} UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go=
`,
  oneToFive: `old 1
KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=
KgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

${origin}
5
QrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=

— ${origin} UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww=
`,
}

let witness: ListeningWitness
before(async () => {
  witness = await startWitness({ logs: [signer.vkey, published.vkey] })
})
after(() => witness.remove())

describe('the published example', () => {
  test('is cosigned, and the race that it was made for does not roll the log back', async () => {
    const first = await witness.post(published.first)
    assert.equal(first.status, 200)
    const note = published.first.slice(published.first.indexOf('\n\n') + 2)
    const read = readCosignatures(note + first.body, [parseWitnessVerifier(witness.vkey)])
    assert.deepEqual(read, { kind: 'read', names: ['witness.example.test/w1'] })
    // Both continue the same checkpoint: whoever comes second is told where the log is now.
    assert.equal((await witness.post(published.oneToFive)).status, 200)
    const late = await witness.post(published.oneToThree)
    assert.deepEqual(late, { status: 409, type: 'text/x.tlog.size', body: '5\n' })
  })

  test('with a signature, a hash, an origin or a size that was changed is refused by its own code', async () => {
    const state = createMemoryState()
    const cosigner = parseWitnessKey(createLogKey('witness.example.test/w2'))
    const { add } = createWitness({ cosigner, logs: [published.vkey], state, now: Date.now })
    assert.equal(add(published.first).kind, 'cosigned')
    const changed: Readonly<Record<string, string>> = {
      unknown_key: published.oneToThree.replace('6go=', '6gs='),
      unproven: published.oneToThree.replace('KgIAAA', 'KgIAAB'),
      unknown_origin: published.oneToThree.replaceAll(origin, `${origin}1`),
      malformed: published.oneToThree.replace('old 1', 'old 4'),
    }
    for (const [kind, body] of Object.entries(changed)) assert.equal(add(body).kind, kind)
    assert.equal(
      add(published.oneToThree.replace('KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n', '')).kind,
      'unproven',
    )
    assert.equal(add(published.oneToThree).kind, 'cosigned')
  })
})

describe('over HTTP, a witness', () => {
  test('cosigns a log that grows, again when it did not grow, and keeps the checkpoint for auditors', async () => {
    const log = await logOf({ a: 3 })
    assert.equal((await witness.post(await submissionOf(log, 0))).status, 200)
    assert.equal((await witness.post(await submissionOf(log, 3))).status, 200)
    await append(log, 'b', 300)
    const answer = await witness.post(await submissionOf(log, 3))
    assert.equal(answer.status, 200)
    const kept = await fetch(`${witness.url}/checkpoint?origin=${encodeURIComponent(signer.name)}`)
    assert.equal(await kept.text(), log.checkpoint() + answer.body)
  })

  test('answers 409 with the size that it knows to who is late, or whose log has shrunk', async () => {
    const stale = { status: 409, type: 'text/x.tlog.size', body: '303\n' }
    const longer = await logOf({ a: 3, b: 300, c: 5 })
    assert.deepEqual(await witness.post(await submissionOf(longer, 0)), stale)
    assert.deepEqual(await witness.post(await submissionOf(longer, 302)), stale)
    const shrunk = await logOf({ a: 3, b: 200 })
    for (const oldSize of [0, 3, 203]) {
      assert.deepEqual(await witness.post(await submissionOf(shrunk, oldSize)), stale)
    }
  })

  test('refuses a fork with 422, and one of the same size with 409; both checkpoints are told as evidence', async () => {
    const fork = await logOf({ a: 3, other: 400 })
    assert.equal((await witness.post(await submissionOf(fork, 303))).status, 422)
    const same = await logOf({ a: 3, other: 300 })
    const answer = await witness.post(await submissionOf(same, 303))
    assert.deepEqual([answer.status, answer.type], [409, 'text/plain; charset=utf-8'])
    const [unproven, forked] = witness.told.slice(-2)
    assert.deepEqual([unproven?.['refused'], forked?.['refused']], ['unproven', 'forked'])
    assert.equal(forked?.['submitted'], same.checkpoint())
    const seen = openCheckpoint(String(forked?.['seen']), [parseVerifier(signer.vkey)])
    assert.ok(seen.kind === 'opened' && seen.checkpoint.size === 303)
  })

  test('answers 404 to an unknown origin, 403 to an unknown or forging key, 400 to what is no submission', async () => {
    const log = await logOf({ a: 3 })
    const genuine = await submissionOf(log, 0)
    const stranger = parseLogKey(createLogKey('log.example.test/other'))
    assert.equal((await witness.post(await submissionOf(await logOf({ a: 1 }, stranger), 0))).status, 404)
    const impostor = parseLogKey(createLogKey(signer.name))
    assert.equal((await witness.post(await submissionOf(await logOf({ a: 1 }, impostor), 0))).status, 403)
    assert.equal((await witness.post(genuine.replace('\n3\n', '\n4\n'))).status, 403)
    const malformed = [
      '',
      'old 0\n',
      log.checkpoint(),
      genuine.replace('old 0', 'old 00'),
      genuine.replace('old 0', 'old -1'),
      genuine.replace('old 0', 'old 9007199254740993'),
      genuine.replace('old 0', 'OLD 0'),
      genuine.replace('old 0\n', 'old 0\nnohash\n'),
      genuine.replace('old 0\n', 'old 4\n'),
      genuine.trimEnd(),
      genuine.replace('\n\n', '\n'),
    ]
    for (const body of malformed) assert.equal((await witness.post(body)).status, 400, JSON.stringify(body))
  })

  test('takes 63 hashes and no more, and a body up to its limit', async () => {
    const hash = `${Buffer.alloc(32).toString('base64')}\n`
    const genuine = await submissionOf(await logOf({ a: 3, b: 300, c: 1 }), 303)
    const withHashes = (count: number) =>
      genuine.replace(/old 303\n(?:.+\n)*/, `old 303\n${hash.repeat(count)}`)
    assert.equal((await witness.post(withHashes(submissionLimits.hashesMax))).status, 422)
    assert.equal((await witness.post(withHashes(submissionLimits.hashesMax + 1))).status, 400)
    assert.equal((await witness.post('x'.repeat(submissionLimits.bytesMax))).status, 400)
    assert.equal((await witness.post('x'.repeat(submissionLimits.bytesMax + 1))).status, 413)
    const noText = await fetch(`${witness.url}/add-checkpoint`, {
      method: 'POST',
      body: Buffer.of(0xff, 0xfe),
    })
    assert.equal(noText.status, 413)
  })

  test('has nothing else to say', async () => {
    assert.equal(await (await fetch(witness.url)).text(), `${witness.vkey}\n`)
    assert.equal((await fetch(`${witness.url}/add-checkpoint`)).status, 405)
    assert.equal((await fetch(`${witness.url}/checkpoint?origin=nobody`)).status, 404)
    assert.equal((await fetch(`${witness.url}/add-checkpoint/..%2f`, { method: 'POST' })).status, 404)
  })
})

describe('a witness', () => {
  test('begins with the empty tree: no other root of no entries, and no proof from nothing', async () => {
    const { add } = memoryWitness()
    const empty = await logOf({})
    const genuine = await submissionOf(empty, 0)
    assert.equal(add(genuine).kind, 'cosigned')
    const three = await logOf({ a: 3 })
    const hash = Buffer.alloc(32)
    const checkpoint = three.checkpoint()
    assert.equal(add(formatSubmission({ oldSize: 0, proof: [hash], checkpoint })).kind, 'unproven')
    assert.equal(add(await submissionOf(three, 0)).kind, 'cosigned')
  })

  test('keeps no signature that anybody could have added', async () => {
    const state = createMemoryState()
    const { add, vkey } = memoryWitness(state)
    const log = await logOf({ a: 2 })
    const name = vkey.slice(0, vkey.indexOf('+'))
    const keyId = Buffer.from(parseWitnessVerifier(vkey).keyId, 'hex')
    const forged = `— ${name} ${Buffer.concat([keyId, Buffer.alloc(72)]).toString('base64')}\n`
    assert.equal(add((await submissionOf(log, 0)) + forged).kind, 'cosigned')
    const note = state.latest(signer.name)?.note ?? ''
    assert.equal(readCosignatures(note, [parseWitnessVerifier(vkey)]).kind, 'read')
  })

  test('that cannot write cosigns nothing', async () => {
    const state = createMemoryState()
    const broken: WitnessState = {
      ...state,
      advance() {
        throw new Error('The disk is full.')
      },
    }
    const full = await startWitness({ state: () => broken })
    const answer = await full.post(await submissionOf(await logOf({ a: 2 }), 0))
    assert.deepEqual([answer.status, answer.body.includes('—')], [500, false])
    await full.remove()
  })

  test('under any order of submissions of one log and its fork never cosigns both, nor goes back', async (context) => {
    const honest = await logOf({ common: 10 })
    const sizes: string[] = []
    const bodies = new Map<string, { size: number; body: (old: number) => Promise<string> }>()
    const lying = await logOf({ common: 10 })
    for (const [name, log] of [
      ['honest', honest],
      ['lying', lying],
    ] as const) {
      for (let step = 0; step < 4; step += 1) {
        await append(log, name, 3)
        const [checkpoint, size] = [log.checkpoint(), log.size()]
        const body = async (oldSize: number) => {
          const from = Math.min(oldSize, size)
          return formatSubmission({
            oldSize,
            proof: await log.consistencyProof({ from, to: size }),
            checkpoint,
          })
        }
        bodies.set(`${name}-${size}`, { size, body })
        sizes.push(`${name}-${size}`)
      }
    }
    let cases = 0
    let all = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...sizes), fc.constantFrom(0, 10, 13, 16, 19, 22)), {
          maxLength: 12,
        }),
        async (submissions) => {
          const state = createMemoryState()
          const { add } = memoryWitness(state)
          const cosigned: string[] = []
          for (const [name, oldSize] of submissions) {
            const before = state.latest(signer.name)?.size ?? 0
            const said = add((await bodies.get(name)?.body(oldSize)) ?? '')
            const now = state.latest(signer.name)?.size ?? 0
            assert.ok(now >= before)
            if (said.kind === 'cosigned') cosigned.push(name.split('-')[0] ?? '')
            else assert.equal(now, before)
          }
          assert.ok(new Set(cosigned).size <= 1)
          all += cosigned.length
          cases += 1
        },
      ),
      { numRuns: 300 },
    )
    assert.ok(all > 0)
    context.diagnostic(`${cases} orders, ${all} cosignatures`)
  })
})

describe('a log that was rewritten as a whole with the stolen log key', () => {
  test('passes plain verification, and no witness cosigns it: whoever demands one catches it', async () => {
    const one = await startWitness()
    const [genuine, rewritten] = [await logOf({ 'it happened': 40 }), await logOf({ 'nothing happened': 40 })]
    const cosigned = genuine.checkpoint() + (await one.post(await submissionOf(genuine, 0))).body
    const witnesses = { vkeys: [one.vkey], needed: 1 }
    const verify = (file: AsyncIterable<Uint8Array>, options = {}) =>
      verifyExport(file, { vkeys: [signer.vkey], ...options })

    assert.equal((await verify(rewritten.export())).kind, 'verified')
    assert.equal((await one.post(await submissionOf(rewritten, 0))).status, 409)
    assert.equal((await one.post(await submissionOf(rewritten, 40))).status, 409)
    await append(rewritten, 'more of nothing', 5)
    assert.equal((await one.post(await submissionOf(rewritten, 40))).status, 422)

    assert.equal((await verify(rewritten.export(), { witnesses })).kind, 'unverifiable')
    const known = await verify(rewritten.export(), { witnesses, knownCheckpoint: cosigned })
    assert.deepEqual(
      [known.kind, 'what' in known && known.what],
      ['tampered', 'The first 40 entries are not those of the known checkpoint.'],
    )
    const honest = await verify(genuine.export(), { witnesses, knownCheckpoint: cosigned })
    assert.ok(honest.kind === 'verified' && honest.witnessed === 40)
    await one.remove()
  })
})

describe('a submission', () => {
  test('is read back from its text, whatever is in it', (context) => {
    let cases = 0
    const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const proofs = fc.array(hash, { maxLength: submissionLimits.hashesMax })
    fc.assert(
      fc.property(size, proofs, fc.string(), (oldSize, proof, checkpoint) => {
        cases += 1
        const read = parseSubmission(formatSubmission({ oldSize, proof, checkpoint }))
        assert.deepEqual(read, { oldSize, proof: proof.map((one) => Buffer.from(one)), checkpoint })
      }),
      { numRuns: 200 },
    )
    context.diagnostic(`${cases} submissions`)
  })

  test('has one spelling: what was changed is none, or says what it now says', (context) => {
    const letter = fc.constantFrom(
      'o',
      'l',
      'd',
      ' ',
      '0',
      '1',
      '\n',
      '\r',
      '\t',
      '=',
      '-',
      '+',
      'A',
      '—',
      '',
    )
    const text = formatSubmission({
      oldSize: 7,
      proof: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)],
      checkpoint: 'a\n2\nb',
    })
    const counts = { cases: 0, read: 0 }
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(text.length - 1), letter), { maxLength: 3 }), (changes) => {
        const changed = changes.reduce((now, [at, one]) => now.slice(0, at) + one + now.slice(at + 1), text)
        const read = parseSubmission(changed)
        counts.cases += 1
        if (!read) return
        counts.read += 1
        assert.equal(formatSubmission(read), changed)
      }),
      { numRuns: 5_000 },
    )
    assert.ok(counts.read > 100 && counts.read < counts.cases / 2, 'both were met')
    context.diagnostic(`${counts.cases} changed submissions, ${counts.read} of them still one`)
  })
})

describe('the state of a witness', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-state-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('is there after everything in memory is lost, and is one process’s alone', () => {
    const seen = { size: 5, root: Buffer.alloc(32, 7), note: 'a note' }
    const state = openWitnessState(folder)
    state.advance('log', undefined, seen)
    assert.throws(() => openWitnessState(folder), { code: 'store_locked' })
    state.close()
    const again = openWitnessState(folder)
    assert.deepEqual({ ...again.latest('log'), root: Buffer.from(again.latest('log')?.root ?? []) }, seen)
    assert.equal(again.latest('another'), undefined)
    again.close()
  })

  test('never moves from what is not stored', () => {
    const state = openWitnessState(folder)
    const to = { size: 9, root: Buffer.alloc(32), note: '' }
    assert.throws(() => state.advance('log', undefined, to))
    assert.throws(() => state.advance('log', { ...to, size: 4 }, to), { code: 'store_invalid' })
    assert.throws(() => state.advance('new', { ...to, size: 4 }, to), { code: 'store_invalid' })
    assert.equal(state.latest('log')?.size, 5)
    state.close()
  })
})

function createMemoryState(): WitnessState {
  const logs = new Map<string, ReturnType<WitnessState['latest']>>()
  return {
    latest: (name) => logs.get(name),
    advance: (name, _from, to) => void logs.set(name, to),
    close: () => undefined,
  }
}

function memoryWitness(state: WitnessState = createMemoryState()) {
  const cosigner = parseWitnessKey(createLogKey('witness.example.test/memory'))
  return createWitness({ cosigner, logs: [signer.vkey], state, now: Date.now })
}
