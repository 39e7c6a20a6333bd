import { entryEvents } from './entry.ts'

/** What an entry that needs no parsing says of itself. */
export type PlainEntry = { readonly index: number; readonly event: string }

/**
 * Sees that bytes are an entry as `encodeEntry` makes them, without making an object of it: for entries of ASCII without escapes, which nearly
 * all are. `undefined` says nothing: it may be an entry all the same. A test holds it against `parseEntry`.
 */
export function readPlainEntry(bytes: Buffer): PlainEntry | undefined {
  const [, index, event = '', detail] = shape.exec(bytes.toString('latin1')) ?? []
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

/** No text of the detail has a quote in it, so `":` stands behind names alone. */
function isSorted(detail: string): boolean {
  const pieces = detail.split('":')
  let before = ''
  for (let at = 0; at < pieces.length - 1; at += 1) {
    const piece = pieces[at] ?? ''
    const name = piece.slice(piece.lastIndexOf('"') + 1)
    if (name <= before) return false
    before = name
  }
  return true
}
