import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { Failure, sha256 } from '../primitives/index.ts'

/** Limits of what is read as a signed note. A checkpoint with a dozen witnesses has about 2 KB. */
export const noteLimits = { bytesMax: 65_536, signaturesMax: 100 } as const

/** What signs notes. `vkey` is its public half, as text. */
export interface Signer {
  /** The key's name; for a log, its origin. */
  readonly name: string
  readonly vkey: string
  /** MUST return the 64 bytes of an Ed25519 signature (RFC 8032). */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** A public key that the reader trusts. */
export type Verifier = {
  readonly name: string
  /** Eight hexadecimal characters. */
  readonly keyId: string
  readonly verify: (message: Uint8Array, signature: Uint8Array) => boolean
}

/** What a signed note says under the keys that the reader trusts. Only `opened` text may be believed. */
export type OpenedNote =
  | { readonly kind: 'opened'; readonly text: string; readonly signedBy: readonly string[] }
  | { readonly kind: 'malformed'; readonly why: string }
  | { readonly kind: 'unknown_key'; readonly why: string }
  | { readonly kind: 'forged'; readonly why: string }

/** The note of a text (C2SP signed-note): the text, an empty line, one line for each signature. The text ends with a newline. */
export async function signNote(text: string, signer: Signer): Promise<string> {
  const signature = await signer.sign(Buffer.from(text))
  const blob = Buffer.concat([keyIdBytes(signer), signature])
  return `${text}\n— ${signer.name} ${blob.toString('base64')}\n`
}

// Reading a key takes as long as signing with it.
const keyIds = new WeakMap<Signer, Buffer>()

function keyIdBytes(signer: Signer): Buffer {
  const bytes = keyIds.get(signer) ?? Buffer.from(parseVerifier(signer.vkey).keyId, 'hex')
  keyIds.set(signer, bytes)
  return bytes
}

/**
 * Reads a signed note. Every signature by a trusted key must hold, and there must be one; lines of other keys are passed over, so
 * that witnesses can add theirs. `note` may be attacker-controlled.
 */
export function openNote(note: string, trusted: readonly Verifier[]): OpenedNote {
  const parsed = parseNote(note)
  if (typeof parsed === 'string') return { kind: 'malformed', why: parsed }
  const message = Buffer.from(parsed.text)
  const signedBy = new Set<string>()
  for (const { name, keyId, signature } of parsed.signatures) {
    const verifier = trusted.find((candidate) => candidate.name === name && candidate.keyId === keyId)
    if (!verifier) continue
    if (!verifier.verify(message, signature)) {
      return { kind: 'forged', why: `The signature of ${name} does not hold.` }
    }
    signedBy.add(name)
  }
  if (signedBy.size > 0) return { kind: 'opened', text: parsed.text, signedBy: [...signedBy] }
  const names = [...new Set(parsed.signatures.map(({ name, keyId }) => `${name}+${keyId}`))]
  return { kind: 'unknown_key', why: `It is signed by ${names.join(', ')}, which is not a pinned key.` }
}

/** What the signatures of a note are over; `undefined` when it is none. */
export function noteText(note: string): string | undefined {
  const parsed = parseNote(note)
  return typeof parsed === 'string' ? undefined : parsed.text
}

/** Reads `name+keyid+base64(0x01 ‖ public key)`. Throws `option_invalid`. */
export function parseVerifier(vkey: string): Verifier {
  const { name, keyId, key } = parseVkey(vkey, ed25519Type)
  return { name, keyId, verify: (message, signature) => verify(null, message, key, signature) }
}

/** The parts of a vkey whose signatures are of that type. Throws `option_invalid`. */
export function parseVkey(
  vkey: string,
  type: number,
): { readonly name: string; readonly keyId: string; readonly key: KeyObject } {
  const [, name = '', keyId = '', encoded = ''] = vkeyShape.exec(vkey.trim()) ?? []
  const bytes = decodeBase64(encoded)
  const publicKey = bytes?.subarray(1)
  if (!isKeyName(name) || bytes?.[0] !== type || publicKey?.length !== 32) throw badVkey(type)
  if (keyIdOf(name, publicKey, type) !== keyId) throw badVkey(type)
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') }
  return { name, keyId, key: createPublicKey({ key: jwk, format: 'jwk' }) }
}

/** The text of a public key, as `parseVerifier` reads it. */
export function vkeyOf(name: string, publicKey: Uint8Array, type: number = ed25519Type): string {
  const encoded = Buffer.concat([Buffer.of(type), publicKey]).toString('base64')
  return `${name}+${keyIdOf(name, publicKey, type)}+${encoded}`
}

/** C2SP signed-note: the first four bytes of SHA-256 over the name, a newline, the type and the key; in hexadecimal. */
export function keyIdOf(name: string, publicKey: Uint8Array, type: number = ed25519Type): string {
  const message = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), publicKey])
  return sha256(message).toString('hex', 0, 4)
}

/** A key's name has no space and no plus; for a log it looks like a host and a path, such as `log.example.org/sallyport`. */
export function isKeyName(name: string): boolean {
  return /^[^\s+\p{Cc}]{1,255}$/u.test(name) && name.isWellFormed()
}

/** The bytes of standard base64 with padding; `undefined` for any other spelling of them. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** C2SP signed-note: the signature type of plain Ed25519. */
export const ed25519Type = 1

const vkeyShape = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/
const signatureShape = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u

type NoteSignature = { readonly name: string; readonly keyId: string; readonly signature: Buffer }

function parseNote(
  note: string,
): { readonly text: string; readonly signatures: readonly NoteSignature[] } | string {
  if (Buffer.byteLength(note) > noteLimits.bytesMax) return 'The note is too long.'
  if (!note.isWellFormed() || hasControlCharacters(note)) return 'The note has characters that no note has.'
  const gap = note.lastIndexOf('\n\n')
  if (gap < 0 || !note.endsWith('\n') || gap + 2 === note.length) return 'The note has no signature.'
  const lines = note.slice(gap + 2, -1).split('\n')
  if (lines.length > noteLimits.signaturesMax) return 'The note has too many signatures.'
  const signatures = lines.map(parseSignature)
  if (!signatures.every((signature) => signature !== undefined)) return 'A signature line is malformed.'
  return { text: note.slice(0, gap + 1), signatures }
}

function parseSignature(line: string): NoteSignature | undefined {
  const [, name = '', encoded = ''] = signatureShape.exec(line) ?? []
  const bytes = decodeBase64(encoded)
  if (!bytes || bytes.length < 5) return undefined
  return { name, keyId: bytes.toString('hex', 0, 4), signature: bytes.subarray(4) }
}

function hasControlCharacters(text: string): boolean {
  return /[\x00-\x09\x0b-\x1f]/.test(text)
}

function badVkey(type: number): Failure {
  const [owner, next] =
    type === ed25519Type
      ? ['a log', 'the broker prints it when it starts: log_key']
      : ['a witness', 'the witness prints it when it starts, and says it at its address: vkey']
  const message = `What is given as the public key of ${owner} is not name+keyid+key of such a key.`
  return new Failure('option_invalid', message, { next })
}
