import { secretKindOf } from './secret-shape.ts'

/** Where a raw secret stands and what it looks like; nothing of the secret itself, also where it is a key. */
export type RawSecret = { readonly path: string; readonly kind: string }

/** Deeper requests are not looked into, and so not accepted. */
export const requestDepthMax = 32

/** A name under which secrets are kept: its last word or words say so. `pageToken` and `maxTokens` are none. */
export function isSecretName(name: string): boolean {
  const words = asItReads(name)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  const joined = words.join('')
  if (/(?:page|continuation|next|sync|cursor)token$/.test(joined)) return false
  return /(?:password|passwd|pwd|passphrase|passcode|secrets?|token|apikeys?|privatekey|accesskey|secretkey|accesskeyid|accountkey|signingkey|encryptionkey|credentials?|authorization|cookie|connectionstring|secretvalue|bearer|keymaterial|clientsecretvalue)$/.test(
    joined,
  )
}

/** Wide letters, accents and what does not print make no other word of it. */
function asItReads(name: string): string {
  return name.normalize('NFKD').replace(/[\p{M}\p{C}]/gu, '')
}

/** Latin letters beside those that look like them (UTS #39 §5.1): nobody sees which name it is. */
function hasTwoAlphabets(name: string): boolean {
  return (
    /\p{Script=Latin}/u.test(name) && /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}]/u.test(name)
  )
}

/** Every raw secret in a value of JSON, at any depth, in values and in keys. `isReference` names the keys whose values are checked elsewhere. */
export function findRawSecrets(
  value: unknown,
  isReference: (path: readonly string[]) => boolean = () => false,
): readonly RawSecret[] {
  const found: RawSecret[] = []
  walk(value, { path: [], names: [], isReference, report: (secret) => found.push(secret) })
  return found
}

type Walk = {
  /** As it is shown: keys that are secrets themselves are left out of it. */
  readonly path: readonly string[]
  /** As they are written. */
  readonly names: readonly string[]
  readonly isReference: (path: readonly string[]) => boolean
  readonly report: (secret: RawSecret) => void
}

function walk(value: unknown, at: Walk): void {
  if (at.names.length > requestDepthMax)
    at.report({ path: shown(at.path.slice(0, 3)), kind: 'nesting too deep to be looked into' })
  else if (Array.isArray(value)) walkItems(value, at)
  else if (typeof value === 'object' && value !== null) walkFields(value, at)
  else if (!at.isReference(at.names)) {
    const kind = kindOf(value, at.names)
    if (kind !== undefined) at.report({ path: shown(at.path), kind })
  }
}

function walkItems(items: readonly unknown[], at: Walk): void {
  for (const [index, item] of items.entries())
    walk(item, { ...at, path: [...at.path, `[${index}]`], names: [...at.names, String(index)] })
}

function walkFields(fields: object, at: Walk): void {
  for (const [index, [name, inner]] of Object.entries(fields).entries()) {
    const kind = secretKindOf(name)
    const label = kind === undefined && /^[\w-]{1,64}$/.test(name) ? `.${name}` : `.(key ${index + 1})`
    const path = [...at.path, label]
    if (kind !== undefined) at.report({ path: shown(path), kind: `${kind} as a key` })
    walk(inner, { ...at, path, names: [...at.names, name] })
  }
}

function kindOf(value: unknown, names: readonly string[]): string | undefined {
  if (value === null || value === undefined || value === '' || typeof value === 'boolean') return undefined
  // Also under it: `{ "secret": { "value": … } }`.
  if (names.some(isSecretName)) return 'value of a name that is kept for secrets'
  if (names.some(hasTwoAlphabets)) return 'value of a name in letters of two alphabets'
  if (typeof value !== 'string') return undefined
  const name = names.findLast((one) => !/^\d+$/.test(one)) ?? ''
  return secretKindOf(value, { digests: digestNames.test(name) ? 'expected' : 'unexpected' })
}

const digestNames =
  /(?:digest|hash|sha\d*|checksum|etag|commit|revision|traceid|trace_id|traceparent|spanid|md5)$/i

function shown(path: readonly string[]): string {
  return `$${path.join('')}`
}
