import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { Failure, Secret } from '../primitives/index.ts'
import { decodeBase64, ed25519Type, isKeyName, keyIdOf, type Signer, vkeyOf } from './note.ts'

/**
 * A new Ed25519 key for a log of that name, as the text of its key file: one line,
 * `PRIVATE+KEY+<name>+<key id>+<base64(0x01 ‖ 32 bytes of seed)>`, which is the form of golang.org/x/mod/sumdb/note and of
 * Tessera. Throws `option_invalid` for a name with a space or a plus.
 */
export function createLogKey(name: string): Secret {
  if (!isKeyName(name))
    throw new Failure('option_invalid', 'The name of a key is not empty and has no space and no plus.')
  const { privateKey } = generateKeyPairSync('ed25519')
  const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url')
  const encoded = Buffer.concat([Buffer.of(ed25519Type), seed]).toString('base64')
  return new Secret(`PRIVATE+KEY+${name}+${keyIdOf(name, publicBytes(privateKey))}+${encoded}\n`)
}

/** The signer of a key file's text. Throws `option_invalid`, whose message says nothing of the key. */
export function parseLogKey(text: Secret): Signer {
  const { name, key, publicKey } = parsePrivateKey(text)
  return { name, vkey: vkeyOf(name, publicKey), sign: (message) => sign(null, message, key) }
}

/** The Ed25519 key in a key file's text. `owner` is said when it is none. Throws `option_invalid`, whose message says nothing of the key. */
export function parsePrivateKey(
  text: Secret,
  owner: 'log' | 'witness' = 'log',
): {
  readonly name: string
  readonly key: KeyObject
  readonly publicKey: Buffer
} {
  const [, name = '', keyId, encoded = ''] = keyShape.exec(text.reveal().trim()) ?? []
  const bytes = decodeBase64(encoded)
  const seed = bytes?.subarray(1)
  if (!isKeyName(name) || bytes?.[0] !== ed25519Type || seed?.length !== 32) throw badKey(owner)
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = publicBytes(key)
  if (keyIdOf(name, publicKey) !== keyId) throw badKey(owner)
  return { name, key, publicKey }
}

const keyShape = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/

/** RFC 8410 §7: what stands before the seed in the PKCS #8 form of an Ed25519 key. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

function publicBytes(key: KeyObject): Buffer {
  return Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url')
}

function badKey(owner: 'log' | 'witness'): Failure {
  return new Failure('option_invalid', `The key file holds no private key of a ${owner}.`, {
    next: `restore the key file from its backup; a new key is a new ${owner}`,
  })
}
