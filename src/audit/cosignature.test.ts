import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openCheckpoint } from './checkpoint.ts'
import {
  findSignature,
  parseQuorum,
  parseWitnessKey,
  parseWitnessVerifier,
  readCosignatures,
} from './cosignature.ts'
import { createLogKey } from './key.ts'
import { noteLimits, parseVerifier } from './note.ts'

// A checkpoint of a public log (Certificate Transparency, staging) with the cosignatures of four public witnesses, and their public keys.
const published = {
  log: 'arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f',
  witnesses: [
    'transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM',
    'witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO',
    'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2',
    'witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv',
  ],
  note: `arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
`,
}
// The example of C2SP tlog-cosignature: its key is not published, so it shows where name, key id and time stand.
const example =
  '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=='

const names = published.witnesses.map((vkey) => vkey.slice(0, vkey.indexOf('+')))
const verifiers = published.witnesses.map(parseWitnessVerifier)

describe('a published checkpoint', () => {
  test('opens under its log, and its four cosignatures hold', () => {
    const opened = openCheckpoint(published.note, [parseVerifier(published.log)])
    assert.ok(opened.kind === 'opened' && opened.checkpoint.size === 1_432_088_532)
    assert.deepEqual(readCosignatures(published.note, verifiers), { kind: 'read', names })
  })

  test('is cosigned by no one when a byte of its text is another, and forged when one of a signature is', () => {
    const [first = assert.fail()] = verifiers
    assert.equal(
      readCosignatures(published.note.replace('\n1432088532\n', '\n1432088533\n'), [first]).kind,
      'forged',
    )
    assert.equal(readCosignatures(published.note.replace('96st5BQ==', '96st5BA=='), [first]).kind, 'forged')
    // The time is signed, too.
    assert.equal(
      readCosignatures(published.note.replace('2AQqhwAAAABqEiEg', '2AQqhwAAAABqEiEh'), [first]).kind,
      'forged',
    )
  })

  test('says nothing to who pins other witnesses', () => {
    const stranger = parseWitnessVerifier(parseWitnessKey(createLogKey(names[0] ?? '')).vkey)
    assert.deepEqual(readCosignatures(published.note, [stranger]), { kind: 'read', names: [] })
    assert.deepEqual(readCosignatures('no note', verifiers), { kind: 'read', names: [] })
  })
})

describe('a cosignature', () => {
  const cosigner = parseWitnessKey(createLogKey('witness.example.com/w1'))
  const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'

  test('has the form of the specification, and its time where the example has it', () => {
    const line = cosigner.cosign(text, 1_679_315_147)
    const blob = (of: string) => Buffer.from(of.trim().split(' ')[2] ?? '', 'base64')
    assert.equal(blob(line).length, blob(example).length)
    assert.deepEqual(blob(line).subarray(4, 12), blob(example).subarray(4, 12))
    assert.equal(line.slice(0, 25), example.slice(0, 25))
    const verifier = parseWitnessVerifier(cosigner.vkey)
    assert.equal(readCosignatures(`${text}\n${line}`, [verifier]).kind, 'read')
    assert.equal(readCosignatures(`${text}extension\n\n${line}`, [verifier]).kind, 'forged')
  })

  test('is found among others, and only under its key', () => {
    const verifier = parseWitnessVerifier(cosigner.vkey)
    const line = cosigner.cosign(text, 1)
    const note = `${text}\n${example}\n`
    assert.equal(findSignature(note, `${example}\nnonsense\n${line}`, verifier), line)
    assert.equal(findSignature(note, example, verifier), undefined)
    assert.equal(findSignature('no note', line, verifier), undefined)
    const late = `${example}\n`.repeat(noteLimits.signaturesMax)
    assert.equal(findSignature(note, late + line, verifier), undefined)
  })

  test('is never taken for the signature of a log, nor the key of a log for a witness', () => {
    assert.throws(() => parseVerifier(cosigner.vkey), { code: 'option_invalid' })
    assert.throws(() => parseWitnessVerifier(published.log), { code: 'option_invalid' })
    for (let at = 0; at < cosigner.vkey.length; at += 1) {
      const changed = cosigner.vkey.slice(0, at) + cosigner.vkey.slice(at + 1)
      assert.throws(() => parseWitnessVerifier(changed), { code: 'option_invalid' })
    }
  })
})

test('a quorum is from one to all of distinct witnesses', () => {
  const vkeys = published.witnesses
  for (const needed of [1, 4]) assert.equal(parseQuorum({ vkeys, needed }).verifiers.length, 4)
  for (const needed of [0, 5, 1.5, Number.NaN])
    assert.throws(() => parseQuorum({ vkeys, needed }), { code: 'option_invalid' })
  const [first = ''] = vkeys
  assert.throws(() => parseQuorum({ vkeys: [first, first], needed: 1 }), { code: 'option_invalid' })
  assert.throws(() => parseQuorum({ vkeys: [], needed: 0 }), { code: 'option_invalid' })
})
