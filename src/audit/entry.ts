import type { EntryDraft, EntryEvent } from '../broker/index.ts'

/** Bytes of one entry; tlog-tiles gives the length of an entry in a bundle 16 bits. */
export const entryBytesMax = 65_535

/** What stands at the end of a text that was too long for its entry. */
export const cutMark = '…[cut]'

/** An entry in its place. `v` is the version of the format. */
export type Entry = EntryDraft & { readonly v: 1; readonly index: number }

/**
 * The bytes of an entry: JSON without spaces, keys in a fixed order, those of `detail` sorted. They are stored, hashed, exported and
 * never made again. Never longer than `entryBytesMax`: then the texts are cut, the longest first, and end in `cutMark`.
 */
export function encodeEntry(draft: EntryDraft, index: number): Buffer {
  // A text may be of any length: what cannot fit is cut before it is made into JSON.
  const whole = charactersOf(draft) <= entryBytesMax ? toBytes(draft, index) : undefined
  if (whole && whole.length <= entryBytesMax) return whole
  for (let charactersMax = 8192; charactersMax > shortestCut; charactersMax /= 2) {
    const bytes = toBytes(cutDraft(draft, charactersMax), index)
    if (bytes.length <= entryBytesMax) return bytes
  }
  return toBytes(cutDraft(draft, shortestCut), index)
}

/** Reads bytes that `encodeEntry` made; `undefined` for anything else, however little it differs. */
export function parseEntry(bytes: Uint8Array): Entry | undefined {
  const text = decode(bytes)
  const value = text === undefined ? undefined : parseJson(text)
  if (!isEntry(value)) return undefined
  // Making the bytes again takes twice as long as seeing that they are in order.
  const same =
    (isInOrder(value) && JSON.stringify(value) === text) || toBytes(value, value.index).equals(bytes)
  return same ? value : undefined
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** Whether the fields stand as `toBytes` has them, and those of `detail` as it sorts them. */
function isInOrder(entry: Entry): boolean {
  const fields = Object.keys(entry)
  const wanted = entry.detail ? entryFields : entryFieldsWithoutDetail
  if (fields.length !== wanted.length || fields.some((field, at) => field !== wanted[at])) return false
  const details = Object.keys(entry.detail ?? {})
  return details.every((key, at) => at === 0 || key > (details[at - 1] ?? ''))
}

const entryFieldsWithoutDetail = [
  'v',
  'index',
  'event',
  'timestamp',
  'agent_id',
  'tenant',
  'plane',
  'mode',
  'scope',
  'expiry',
  'request_id',
  'decision',
  'rule',
  'lease_id',
  'provider',
  'contract',
  'outcome',
] as const satisfies (keyof Entry)[]
const entryFields: readonly (keyof Entry)[] = [...entryFieldsWithoutDetail, 'detail']

/** With this many characters a text, and this many details, an entry fits even if every character takes six bytes in JSON. */
const shortestCut = 64
const detailsMax = 64

function toBytes(draft: EntryDraft, index: number): Buffer {
  const entry: Entry = {
    v: 1,
    index,
    event: draft.event,
    timestamp: draft.timestamp,
    agent_id: draft.agent_id,
    tenant: draft.tenant,
    plane: draft.plane,
    mode: draft.mode,
    scope: draft.scope,
    expiry: draft.expiry,
    request_id: draft.request_id,
    decision: draft.decision,
    rule: draft.rule,
    lease_id: draft.lease_id,
    provider: draft.provider,
    contract: draft.contract,
    outcome: draft.outcome,
    ...(draft.detail ? { detail: sortedDetail(draft.detail) } : {}),
  }
  return Buffer.from(JSON.stringify(entry))
}

type Detail = NonNullable<EntryDraft['detail']>

function sortedDetail(detail: Detail): Detail {
  const keys = Object.keys(detail).sort()
  return Object.fromEntries(keys.map((key) => [key, finite(detail[key] ?? '')]))
}

// JSON has no word for NaN and the infinities; as text they survive.
function finite(value: string | number | boolean): string | number | boolean {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

function charactersOf(draft: EntryDraft): number {
  let characters = 0
  for (const fact of Object.values(draft)) if (typeof fact === 'string') characters += fact.length
  for (const [key, fact] of Object.entries(draft.detail ?? {})) characters += key.length + String(fact).length
  return characters
}

function cutDraft(draft: EntryDraft, charactersMax: number): EntryDraft {
  const cut = (text: string) => cutText(text, charactersMax)
  const cutNullable = (text: string | null) => (text === null ? null : cut(text))
  return {
    ...draft,
    timestamp: cut(draft.timestamp),
    agent_id: cut(draft.agent_id),
    tenant: cut(draft.tenant),
    mode: cut(draft.mode),
    scope: cut(draft.scope),
    expiry: cutNullable(draft.expiry),
    request_id: cut(draft.request_id),
    rule: cutNullable(draft.rule),
    lease_id: cutNullable(draft.lease_id),
    provider: cutNullable(draft.provider),
    contract: cut(draft.contract),
    outcome: cut(draft.outcome),
    ...(draft.detail ? { detail: cutDetail(draft.detail, charactersMax) } : {}),
  }
}

function cutDetail(detail: Detail, charactersMax: number): Detail {
  const keys = Object.keys(detail).sort()
  const kept = keys.slice(0, detailsMax).map((key) => {
    const value = detail[key] ?? ''
    return [cutText(key, charactersMax), typeof value === 'string' ? cutText(value, charactersMax) : value]
  })
  const dropped = keys.length - kept.length
  return Object.fromEntries(dropped > 0 ? [...kept, [cutMark, dropped]] : kept)
}

function cutText(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text
  return text.slice(0, charactersMax - cutMark.length).toWellFormed() + cutMark
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const events: Readonly<Record<EntryEvent, true>> = {
  broker_started: true,
  identity_refused: true,
  request_refused: true,
  request_denied: true,
  request_explained: true,
  credential_intended: true,
  credential_issued: true,
  credential_failed: true,
  lease_ending: true,
  lease_ended: true,
  lease_end_failed: true,
  leases_revoked: true,
  orphan_found: true,
  secret_rotated: true,
  backup_taken: true,
  log_writable_again: true,
  log_restored: true,
}
/** Every event of this version. */
export const entryEvents: readonly string[] = Object.keys(events)
const planes: readonly unknown[] = ['machine', 'human', 'broker'] satisfies EntryDraft['plane'][]
const decisions: readonly unknown[] = ['allow', 'deny', null] satisfies EntryDraft['decision'][]
const texts = [
  'timestamp',
  'agent_id',
  'tenant',
  'mode',
  'scope',
  'request_id',
  'contract',
  'outcome',
] as const satisfies (keyof EntryDraft)[]
const nullableTexts = ['expiry', 'rule', 'lease_id', 'provider'] as const satisfies (keyof EntryDraft)[]

function isEntry(value: unknown): value is Entry {
  return (
    isRecord(value) &&
    value.v === 1 &&
    Number.isSafeInteger(value.index) &&
    typeof value.event === 'string' &&
    Object.hasOwn(events, value.event) &&
    planes.includes(value.plane) &&
    decisions.includes(value.decision) &&
    texts.every((name) => typeof value[name] === 'string') &&
    nullableTexts.every((name) => value[name] === null || typeof value[name] === 'string') &&
    isDetail(value.detail)
  )
}

function isDetail(value: unknown): value is Detail | undefined {
  if (value === undefined) return true
  return (
    isRecord(value) &&
    Object.values(value).every((fact) => ['string', 'number', 'boolean'].includes(typeof fact))
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
