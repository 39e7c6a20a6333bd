import { entryEvents } from './entry.ts'

/** What an entry that needs no parsing says of itself. */
export type PlainEntry = { readonly index: number; readonly event: string }

/**
 * Sees that a line, as Latin-1 text, is an entry as `encodeEntry` makes them, without making an object of it: for entries of ASCII without escapes,
 * which nearly all are. `undefined` says nothing: it may be an entry all the same. A test holds it against `parseEntry`.
 */
export function readPlainEntry(line: string): PlainEntry | undefined {
  const [, index, event = '', detail] = shape.exec(line) ?? []
  if (index === undefined || (detail !== undefined && !isSorted(detail))) return undefined
  return { index: Number(index), event }
}

/** Printable ASCII that JSON writes as it is. */
const text = '"[ !#-[\\]-~]*"'
const textOrNull = `(?:null|${text})`
/** Whole numbers that JSON writes in one way alone and that a number holds exactly. */
const whole = '(?:0|[1-9][0-9]{0,14})'
/** Names that sort as they stand: not `10` before `9`. */
const detailPattern = `"[a-z_]{1,64}":(?:${text}|${whole}|true|false)`

const shape = new RegExp(
  [
    `^\\{"v":1,"index":(${whole}),"event":"(${entryEvents.join('|')})","timestamp":${text},"agent_id":${text},"tenant":${text}`,
    `,"plane":"(?:machine|human|broker)","mode":${text},"scope":${text},"expiry":${textOrNull},"request_id":${text}`,
    `,"decision":(?:null|"allow"|"deny"),"rule":${textOrNull},"lease_id":${textOrNull},"provider":${textOrNull}`,
    `,"contract":${text},"outcome":${text}(?:,"detail":\\{(${detailPattern}(?:,${detailPattern})*)\\})?\\}$`,
  ].join(''),
)

/** Whether the names stand in order, each once. Nearly always the next one begins with a later letter, and nothing has to be cut out. */
function isSorted(detail: string): boolean {
  let before = { begin: 0, end: 0 }
  for (let begin = 1; begin > 0; ) {
    const end = detail.indexOf('"', begin)
    const step = detail.charCodeAt(begin) - detail.charCodeAt(before.begin)
    const later = step > 0 || before.end === 0
    if (!later && detail.slice(begin, end) <= detail.slice(before.begin, before.end)) return false
    before = { begin, end }
    begin = nameAfter(detail, end + 2)
  }
  return true
}

/** Where the name after this value begins; 0 when there is none. No text of a detail has a quote in it. */
function nameAfter(detail: string, value: number): number {
  const valueEnd = detail.charCodeAt(value) === quote ? detail.indexOf('"', value + 1) : value
  const comma = detail.indexOf(',', valueEnd)
  return comma < 0 ? 0 : comma + 2
}

const quote = 0x22
