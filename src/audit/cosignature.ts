import { sign, verify } from 'node:crypto'
import { Failure, type Secret } from '../primitives/index.ts'
import { parsePrivateKey } from './key.ts'
import { noteLimits, noteText, openNote, parseVkey, type Verifier, vkeyOf } from './note.ts'

/** The key of a witness. It states that, at that time, the checkpoint was the largest of a log that had only grown. */
export interface Cosigner {
  readonly name: string
  /** Its public key as text; the signature type is 0x04, so that it is never taken for the key of a log. */
  readonly vkey: string
  /** The signature line of a cosignature/v1 (C2SP tlog-cosignature) over the text of a checkpoint, with its newline. */
  cosign(text: string, timestampSeconds: number): string
}

/** The cosigner of a key file's text, which has the form of a log key's. Throws `option_invalid`. */
export function parseWitnessKey(text: Secret): Cosigner {
  const { name, key, publicKey } = parsePrivateKey(text, 'witness')
  const vkey = vkeyOf(name, publicKey, cosignatureType)
  const keyId = Buffer.from(parseVkey(vkey, cosignatureType).keyId, 'hex')
  return {
    name,
    vkey,
    cosign(message, timestampSeconds) {
      const time = Buffer.alloc(timestampBytes)
      time.writeBigUInt64BE(BigInt(timestampSeconds))
      const signature = sign(null, signedMessage(time, Buffer.from(message)), key)
      return `— ${name} ${Buffer.concat([keyId, time, signature]).toString('base64')}\n`
    },
  }
}

/** Reads the public key of a witness, `name+keyid+base64(0x04 ‖ public key)`. Throws `option_invalid`. */
export function parseWitnessVerifier(vkey: string): Verifier {
  const { name, keyId, key } = parseVkey(vkey, cosignatureType)
  return {
    name,
    keyId,
    verify(message, signature) {
      if (signature.length !== timestampBytes + 64) return false
      const time = Buffer.from(signature.subarray(0, timestampBytes))
      return verify(null, signedMessage(time, message), key, signature.subarray(timestampBytes))
    },
  }
}

/** The witnesses that a reader trusts, and how many of them must have cosigned. */
export type WitnessQuorum = { readonly vkeys: readonly string[]; readonly needed: number }
export type Quorum = { readonly verifiers: readonly Verifier[]; readonly needed: number }

/** Throws `option_invalid` for a malformed key, for one that is named twice, and unless 1 ≤ `needed` ≤ their number. */
export function parseQuorum({ vkeys, needed }: WitnessQuorum): Quorum {
  const verifiers = vkeys.map(parseWitnessVerifier)
  const distinct = [
    new Set(verifiers.map(({ name }) => name)),
    // One key under two names would count twice: the signed message does not hold the name.
    new Set(vkeys.map((vkey) => vkey.trim().split('+').slice(2).join('+'))),
  ]
  if (distinct.some(({ size }) => size !== vkeys.length))
    throw new Failure('option_invalid', 'A witness is named twice.')
  if (!Number.isSafeInteger(needed) || needed < 1 || needed > vkeys.length) {
    throw new Failure('option_invalid', `Of ${vkeys.length} witnesses, 1 to ${vkeys.length} can be required.`)
  }
  return { verifiers, needed }
}

/** Which of the witnesses cosigned the note. `forged` when a line bears the name and key id of one whose signature does not hold. */
export function readCosignatures(
  note: string,
  verifiers: readonly Verifier[],
):
  | { readonly kind: 'read'; readonly names: readonly string[] }
  | { readonly kind: 'forged'; readonly why: string } {
  const opened = openNote(note, verifiers)
  if (opened.kind === 'forged') return opened
  return { kind: 'read', names: opened.kind === 'opened' ? opened.signedBy : [] }
}

/** The line among these, which may be attacker-controlled, that is this key's signature of the note; with its newline. */
export function findSignature(note: string, lines: string, verifier: Verifier): string | undefined {
  const text = noteText(note)
  if (text === undefined) return undefined
  return lines
    .split('\n')
    .slice(0, noteLimits.signaturesMax)
    .map((line) => `${line}\n`)
    .find((line) => openNote(`${text}\n${line}`, [verifier]).kind === 'opened')
}

/** C2SP tlog-cosignature: the signature type of an Ed25519 cosignature with its time. */
export const cosignatureType = 4
const timestampBytes = 8

function signedMessage(time: Buffer, text: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`cosignature/v1\ntime ${time.readBigUInt64BE()}\n`), text])
}
