import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { z } from 'zod'
import { type Clock, Failure, sha256 } from '../../../primitives/index.ts'
import type { Algorithm } from './config.ts'
import { createKeyFile, readKeyFile, replaceKeyFile } from './key-file.ts'

/** How many keys may verify at once; a rotation beyond it waits until the tokens of the oldest are over. */
export const signingKeysMax = 32

export type SigningKey = {
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly algorithm: Algorithm
  readonly publicKey: KeyObject
  /** As it stands in the JWK Set: never a private member. */
  readonly published: Readonly<Record<string, string>>
}

/** The key that signs, and the earlier ones whose tokens may still be alive. They stand in one file, a JWK Set (RFC 7517 §5). */
export interface SigningKeys {
  /** The key that signs now. */
  current(): SigningKey & { readonly privateKey: KeyObject }
  find(kid: string): SigningKey | undefined
  published(): readonly Readonly<Record<string, string>>[]
  /** Signs with a new key from now on; the old one keeps its public half until its last token is over. Gives the new `kid`. */
  rotate(): string
}

export type SigningKeysOptions = {
  readonly path: string
  readonly algorithm: Algorithm
  readonly clock: Clock
  /** The longest life of a token: so long an old key verifies. */
  readonly ttlSecondsMax: number
}

/** Opens the file, or makes it with a first key. Throws `store_invalid`. */
export function openSigningKeys(options: SigningKeysOptions): SigningKeys {
  const { path, clock } = options
  let keys = load(options)

  const alive = () => keys.filter(({ verifyUntil }) => verifyUntil === undefined || verifyUntil > clock.now())
  const current = () => {
    const key = keys.find(isSigning)
    if (!key) throw new Failure('store_invalid', 'There is no signing key.', { internal: path })
    return key
  }
  // Without an await between the last signature of the old key and the first of the new one, no token escapes the reckoning.
  const rotate = () => {
    const earlier = alive()
    if (earlier.length >= signingKeysMax)
      throw new Failure('provider_refused', 'Too many signing keys still have living tokens.', {
        next: 'rotate again when the oldest tokens are over',
      })
    const verifyUntil = clock.now() + options.ttlSecondsMax * 1000
    const retired = earlier.map((key) => (key.verifyUntil === undefined ? retire(key, verifyUntil) : key))
    const next = [createKey(options.algorithm), ...retired]
    replaceKeyFile(path, serialize(next))
    keys = next
    return current().kid
  }

  // The contract may have changed the algorithm since the last start.
  if (current().algorithm !== options.algorithm) rotate()
  return {
    current,
    rotate,
    find: (kid) => alive().find((key) => key.kid === kid),
    published: () => alive().map((key) => key.published),
  }
}

type StoredKey = SigningKey & {
  readonly privateKey?: KeyObject
  /** Milliseconds since 1970; absent on the key that signs. */
  readonly verifyUntil?: number
}

function isSigning(key: StoredKey): key is StoredKey & { readonly privateKey: KeyObject } {
  return key.privateKey !== undefined && key.verifyUntil === undefined
}

/** What a retired key leaves behind: its private half is gone, from memory and from the file. */
function retire({ privateKey: _, ...key }: StoredKey, verifyUntil: number): StoredKey {
  return { ...key, verifyUntil }
}

function load(options: SigningKeysOptions): readonly StoredKey[] {
  const text = readKeyFile(options.path)
  if (text !== undefined) return deserialize(text, options.path)
  const first = [createKey(options.algorithm)]
  return createKeyFile(options.path, serialize(first)) ? first : load(options)
}

function createKey(algorithm: Algorithm): StoredKey {
  const { privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519')
  return { ...publicHalf(createPublicKey(privateKey), algorithm), privateKey }
}

function publicHalf(publicKey: KeyObject, algorithm: Algorithm): SigningKey {
  const { kty = '', crv = '', x = '', y } = publicKey.export({ format: 'jwk' })
  // RFC 7638 §3.2: the required members alone, in the order of the alphabet, without white space.
  const members = y === undefined ? { crv, kty, x } : { crv, kty, x, y }
  const kid = sha256(JSON.stringify(members)).toString('base64url')
  return { kid, algorithm, publicKey, published: { ...members, kid, alg: algorithm, use: 'sig' } }
}

const keyFileSchema = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        kty: z.string(),
        crv: z.string(),
        x: z.string(),
        y: z.string().optional(),
        d: z.string().optional(),
        kid: z.string(),
        alg: z.enum(['ES256', 'EdDSA']),
        use: z.literal('sig'),
        verify_until: z.number().int().nonnegative().optional(),
      }),
    )
    .min(1)
    .max(signingKeysMax),
})

type StoredJwk = z.infer<typeof keyFileSchema>['keys'][number]

function serialize(keys: readonly StoredKey[]): string {
  const jwks = keys.map(({ published, privateKey, verifyUntil }) => ({
    ...published,
    ...(privateKey && { d: privateKey.export({ format: 'jwk' }).d }),
    ...(verifyUntil !== undefined && { verify_until: verifyUntil }),
  }))
  return `${JSON.stringify({ keys: jwks }, null, 2)}\n`
}

function deserialize(text: string, path: string): readonly StoredKey[] {
  try {
    const keys = keyFileSchema.parse(JSON.parse(text)).keys.map(readKey)
    if (keys.filter(isSigning).length !== 1) throw new Error('not exactly one key signs')
    return keys
  } catch (thrown) {
    // Neither the cause nor its message: both could quote the file.
    throw new Failure('store_invalid', 'The file of signing keys is damaged.', {
      internal: `${path}: ${thrown instanceof SyntaxError ? 'no JSON' : 'no key set of ours'}`,
      next: 'put the file back from a copy; without one move it away, and every living token stops verifying',
    })
  }
}

function readKey({ kid, alg, d, verify_until, use: _, ...members }: StoredJwk): StoredKey {
  const jwk: JsonWebKey = {
    kty: members.kty,
    crv: members.crv,
    x: members.x,
    ...(members.y !== undefined && { y: members.y }),
  }
  const key = publicHalf(createPublicKey({ key: jwk, format: 'jwk' }), alg)
  const curve = alg === 'ES256' ? 'P-256' : 'Ed25519'
  if (key.kid !== kid || members.crv !== curve) throw new Error('a key does not have its own name')
  if (verify_until !== undefined) return { ...key, verifyUntil: verify_until }
  if (d === undefined) return key
  const privateKey = createPrivateKey({ key: { ...jwk, d }, format: 'jwk' })
  return { ...key, privateKey }
}
