import { isSecretName, mayCount, mixesAlphabets } from './secret-name.ts'
import { secretKindOf } from './secret-shape.ts'

/** Where a raw secret stands and what it looks like; nothing of the secret itself, also where it is a key. */
export type RawSecret = { readonly path: string; readonly kind: string }

/** The longest request, in characters of JSON. A longer value is not looked into to its end, and so not accepted. */
export const requestCharactersMax = 1024 * 1024

/** Deeper requests are not looked into, and so not accepted. */
export const requestDepthMax = 32

/** As many problems are told of one request; past them nothing is looked at. */
export const requestProblemsMax = 100

/**
 * Every raw secret in a value of JSON, up to `requestProblemsMax`, at any depth, in values and in keys; and what is no value of JSON (a `Map`,
 * a getter, what has `toJSON`), since nobody can say what is made of it later. The text of `referenceField` is checked elsewhere.
 */
export function findRawSecrets(value: unknown, referenceField?: string): readonly RawSecret[] {
  const search: Search = { found: [], names: new Map(), charactersLeft: requestCharactersMax }
  const root: Place = { label: '$', depth: 0, digests: 'unexpected' }
  walk(value, referenceField === undefined ? root : { ...root, referenceField }, search)
  return search.found
}

type Search = {
  readonly found: RawSecret[]
  /** What each name says, so that one that stands in a thousand objects is read once. */
  readonly names: Map<string, Name>
  charactersLeft: number
}

type Name = {
  /** What its text looks like itself. */
  readonly kind?: string
  /** What any value below it is. */
  readonly keptFor?: KeptFor
  readonly digests: 'expected' | 'unexpected'
}

type KeptFor = { readonly kind: string; readonly mayCount: boolean }

type Place = {
  readonly above?: Place
  /** As it is shown: a key that is a secret itself, or strange, is shown by its number. */
  readonly label: string
  readonly depth: number
  readonly keptFor?: KeptFor
  readonly digests: 'expected' | 'unexpected'
  /** The field of this value that is checked elsewhere. */
  readonly referenceField?: string
}

function walk(value: unknown, at: Place, search: Search): void {
  if (search.found.length >= requestProblemsMax || search.charactersLeft < 0) return
  search.charactersLeft -= typeof value === 'string' ? value.length + 1 : 1
  if (search.charactersLeft < 0) search.found.push({ path: '$', kind: 'longer than is looked into' })
  else if (at.depth > requestDepthMax)
    search.found.push({ path: shown(at, 3), kind: 'nesting too deep to be looked into' })
  else if (typeof value === 'object' && value !== null) walkInto(value, at, search)
  else {
    const kind = kindOf(value, at)
    if (kind !== undefined) search.found.push({ path: shown(at), kind })
  }
}

function walkInto(holder: object, at: Place, search: Search): void {
  const fields = fieldsOf(holder)
  if (fields === undefined) search.found.push({ path: shown(at), kind: notJson })
  else if (Array.isArray(holder))
    for (const [index, [, item]] of fields.entries()) walk(item, below(at, `[${index}]`), search)
  else for (const [index, field] of fields.entries()) walkField(field, { index, above: at }, search)
}

function below(above: Place, label: string, name?: Name): Place {
  const keptFor = above.keptFor ?? name?.keptFor
  const digests = name?.digests ?? above.digests
  return { above, label, depth: above.depth + 1, digests, ...(keptFor ? { keptFor } : {}) }
}

function walkField(
  [written, value]: Field,
  { index, above }: { index: number; above: Place },
  search: Search,
): void {
  const name = nameOf(written, search)
  const isShown = name.kind === undefined && nameShown.test(written)
  const at = below(above, isShown ? `.${written}` : `.(key ${index + 1})`, name)
  search.charactersLeft -= written.length
  if (name.kind !== undefined) search.found.push({ path: shown(at), kind: `${name.kind} as a key` })
  const isReference = written === above.referenceField && (typeof value !== 'object' || value === null)
  if (!isReference) walk(value, at, search)
}

function nameOf(written: string, { names }: Search): Name {
  const known = names.get(written)
  if (known) return known
  const kind = secretKindOf(written)
  const keptFor = keptForOf(written)
  const name: Name = {
    digests: digestNames.test(written) ? 'expected' : 'unexpected',
    ...(kind === undefined ? {} : { kind }),
    ...(keptFor ? { keptFor } : {}),
  }
  names.set(written, name)
  return name
}

function keptForOf(name: string): KeptFor | undefined {
  if (isSecretName(name))
    return { kind: 'value of a name that is kept for secrets', mayCount: mayCount(name) }
  return mixesAlphabets(name)
    ? { kind: 'value of a name in letters of two alphabets', mayCount: false }
    : undefined
}

function kindOf(value: unknown, { keptFor, digests }: Place): string | undefined {
  if (value === null || value === undefined || value === '' || typeof value === 'boolean') return undefined
  // Also below it: `{ "secret": { "value": … } }`.
  if (keptFor && !(keptFor.mayCount && typeof value === 'number')) return keptFor.kind
  if (typeof value === 'string') return secretKindOf(value, { digests })
  return typeof value === 'number' ? undefined : notJson
}

const digestNames =
  /(?:digest|hash|sha\d*|checksum|etag|commit|revision|trace_?id|traceparent|span_?id|md5|integrity|fingerprint|thumbprint)(?:_?ids?|e?s)?$/i

const notJson = 'no value of JSON, which is not looked into'

type Field = readonly [name: string, value: unknown]

/** What JSON would write of it, or `undefined` where that may be something else than what stands there. */
function fieldsOf(holder: object): readonly Field[] | undefined {
  if (!isPlain(holder)) return undefined
  const fields: Field[] = []
  for (const name of Reflect.ownKeys(holder)) {
    if (name === 'length' && Array.isArray(holder)) continue
    const property = Reflect.getOwnPropertyDescriptor(holder, name)
    if (typeof name === 'symbol' || !property?.enumerable || !('value' in property)) return undefined
    fields.push([name, property.value])
  }
  return Array.isArray(holder) && fields.length !== holder.length ? undefined : fields
}

/** An array, or an object without a class, of whatever realm. */
function isPlain(holder: object): boolean {
  if ('toJSON' in holder && !Object.hasOwn(holder, 'toJSON')) return false
  const prototype: unknown = Reflect.getPrototypeOf(holder)
  return Array.isArray(holder) || !isObject(prototype) || Reflect.getPrototypeOf(prototype) === null
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Others may hold what a terminal takes for orders. */
export const nameShown = /^[\w-]{1,64}$/

function shown(at: Place, labelsMax = Number.POSITIVE_INFINITY): string {
  const labels: string[] = []
  for (let place: Place | undefined = at; place; place = place.above) labels.unshift(place.label)
  return labels.slice(0, labelsMax + 1).join('')
}
