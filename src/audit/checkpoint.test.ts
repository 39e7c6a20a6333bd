import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { Secret, sha256 } from '../primitives/index.ts'
import { openCheckpoint, signCheckpoint } from './checkpoint.ts'
import { createLogKey, parseLogKey } from './key.ts'
import { noteLimits, openNote, parseVerifier, signNote } from './note.ts'

// The example of golang.org/x/mod/sumdb/note, whose private key is published with it.
const published = {
  skey: 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz',
  vkey: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature:
    '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
}
const peter = parseVerifier(published.vkey)
const signer = parseLogKey(createLogKey('log.example.test/one'))
const witness = parseLogKey(createLogKey('witness.example.test'))
const head = { origin: signer.name, size: 42, root: sha256('root') }
const pinned = [parseVerifier(signer.vkey)]

describe('a signed note', () => {
  test('of the published key and text is the published note, byte for byte', async () => {
    const key = parseLogKey(new Secret(published.skey))
    assert.equal(key.vkey, published.vkey)
    assert.equal(await signNote(published.text, key), `${published.text}\n${published.signature}`)
  })

  test('opens under its key', () => {
    const opened = openNote(`${published.text}\n${published.signature}`, [peter])
    assert.deepEqual(opened, { kind: 'opened', text: published.text, signedBy: ['PeterNeumann'] })
  })

  test('does not open when any byte of it was changed', () => {
    const note = Buffer.from(`${published.text}\n${published.signature}`)
    for (let at = 0; at < note.length; at += 1) {
      const changed = Buffer.from(note)
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.notEqual(openNote(changed.toString(), [peter]).kind, 'opened', `byte ${at}`)
    }
  })

  test('tells a forged signature from an unknown key from what is no note', () => {
    const note = `${published.text}\n${published.signature}`
    const kindOf = (text: string, keys = [peter]) => openNote(text, keys).kind
    assert.equal(kindOf(note.replace('answer', 'Answer')), 'forged')
    assert.equal(kindOf(note, []), 'unknown_key')
    assert.equal(kindOf(note.replace('PeterNeumann', 'EnochRoot')), 'unknown_key')
    const malformed = [
      '',
      published.text,
      `${published.text}\n`,
      `${published.text}\n${published.signature.trimEnd()}`,
      `${published.text}${published.signature}`,
      note.replace('— ', '- '),
      note.replace('JnAM=', 'JnAN='),
      `${published.text}\n— PeterNeumann AAAA\n`,
      note.replace('answer', 'ans\twer'),
      note.replace('answer', 'ans\ud800wer'),
    ]
    for (const text of malformed) assert.equal(kindOf(text), 'malformed', text)
  })

  test('passes over the lines of other keys, up to the limits of a note', () => {
    const other = `— other.example.test ${Buffer.alloc(68, 7).toString('base64')}\n`
    const lines = (count: number) => `${published.text}\n${other.repeat(count)}${published.signature}`
    assert.equal(openNote(lines(noteLimits.signaturesMax - 1), [peter]).kind, 'opened')
    assert.equal(openNote(lines(noteLimits.signaturesMax), [peter]).kind, 'malformed')
    const long = `${'x'.repeat(noteLimits.bytesMax)}\n\n${published.signature}`
    assert.deepEqual(openNote(long, [peter]), { kind: 'malformed', why: 'The note is too long.' })
  })

  test('with one good and one forged signature of trusted keys does not open', async () => {
    const note = await signNote(published.text, signer)
    const forged = `— ${witness.name} ${Buffer.concat([
      Buffer.from(parseVerifier(witness.vkey).keyId, 'hex'),
      Buffer.alloc(64),
    ]).toString('base64')}\n`
    assert.equal(openNote(note + forged, pinned).kind, 'opened')
    assert.equal(openNote(note + forged, [...pinned, parseVerifier(witness.vkey)]).kind, 'forged')
  })
})

describe('a log key', () => {
  test('is read back from its text, and never seen', () => {
    const text = createLogKey('log.example.test/two')
    assert.match(parseLogKey(text).vkey, /^log\.example\.test\/two\+[0-9a-f]{8}\+A/)
    assert.equal(inspect({ text }).includes('PRIVATE'), false)
    assert.notEqual(createLogKey('log.example.test/two').reveal(), text.reveal())
  })

  test('of a changed text, or with a name that no key can have, is refused', () => {
    for (let at = 0; at < published.skey.length; at += 1) {
      const changed = published.skey.slice(0, at) + published.skey.slice(at + 1)
      assert.throws(() => parseLogKey(new Secret(changed)), { code: 'option_invalid' })
    }
    for (let at = 0; at < published.vkey.length; at += 1) {
      const changed = published.vkey.slice(0, at) + published.vkey.slice(at + 1)
      assert.throws(() => parseVerifier(changed), { code: 'option_invalid' })
    }
    for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u00a0b', 'x'.repeat(256)]) {
      assert.throws(() => createLogKey(name), { code: 'option_invalid' })
    }
  })
})

describe('a checkpoint', () => {
  test('is origin, size and root in a note', async () => {
    const note = await signCheckpoint(head, signer)
    assert.ok(
      note.startsWith(`log.example.test/one\n42\n${head.root.toString('base64')}\n\n— log.example.test/one `),
    )
    assert.deepEqual(openCheckpoint(note, pinned), {
      kind: 'opened',
      checkpoint: head,
      signedBy: [signer.name],
    })
  })

  test('may have extension lines and the signatures of witnesses', async () => {
    const body = `${head.origin}\n42\n${head.root.toString('base64')}\nextension\n`
    const note = await signNote(body, signer)
    const cosigned = note + (await signNote(body, witness)).slice(body.length + 1)
    assert.deepEqual(openCheckpoint(cosigned, pinned), {
      kind: 'opened',
      checkpoint: head,
      signedBy: [signer.name],
    })
    const both = openCheckpoint(cosigned, [...pinned, parseVerifier(witness.vkey)])
    assert.deepEqual(both.kind === 'opened' && both.signedBy, [signer.name, witness.name])
  })

  test('that only a witness signed says nothing about the log', async () => {
    const note = await signCheckpoint(head, witness)
    assert.equal(openCheckpoint(note, [parseVerifier(witness.vkey)]).kind, 'unknown_key')
  })

  test('that is signed but has another form is malformed', async () => {
    const root = head.root.toString('base64')
    const bodies = [
      `${head.origin}\n042\n${root}\n`,
      `${head.origin}\n-1\n${root}\n`,
      `${head.origin}\n9007199254740993\n${root}\n`,
      `${head.origin}\n42\n${root.slice(4)}\n`,
      `${head.origin}\n42\n`,
      `${head.origin}\n42\n${root}\n\nmore\n`,
      `\n42\n${root}\n`,
    ]
    for (const body of bodies) {
      assert.equal(openCheckpoint(await signNote(body, signer), pinned).kind, 'malformed', body)
    }
  })
})
