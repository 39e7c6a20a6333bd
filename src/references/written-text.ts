/** What a character is: the kinds in which people choose otherwise than chance does. */
export const kinds = { lower: 0, upper: 1, digit: 2, mark: 3, space: 4 } as const

/** One of `kinds`. What is not printable ASCII is a space: keys have none of it. */
export function kindOf(code: number): number {
  if (code >= 97 && code <= 122) return kinds.lower
  if (code >= 65 && code <= 90) return kinds.upper
  if (code >= 48 && code <= 57) return kinds.digit
  return code > 32 && code < 127 ? kinds.mark : kinds.space
}

/**
 * Takes a text code by code and says how many bits each is worth to a reader who expects what people write: few within a word, many where
 * it seldom stands behind what came before.
 */
export function createWrittenBits(): (code: number) => number {
  let before: number = kinds.space
  let twoBefore: number = kinds.space
  let last = 0
  return (code) => {
    const kind = kindOf(code)
    const bits = (kindBits[twoBefore * 5 + before]?.[kind] ?? 0) + characterBits(code, kind, last)
    const repeats = code === last && kind !== kinds.space
    twoBefore = kind === kinds.space ? kind : before
    before = kind
    last = code
    if (!repeats) return bits
    // A line of dashes and the letters of `yyyy` are no chance.
    return kind <= kinds.upper ? Math.min(bits, 3) : 0
  }
}

function characterBits(code: number, kind: number, last: number): number {
  if (kind === kinds.digit) return 3.3
  if (kind === kinds.mark) return markBits[code - 33] ?? 9
  return pairBits[letterOf(last)]?.[letterOf(code)] ?? 0
}

/** From 0 for `a`, of either case; 26 for what is no letter. */
function letterOf(code: number): number {
  return kindOf(code) <= kinds.upper ? (code | 32) - 97 : 26
}

function digits(row: string): readonly number[] {
  return Array.from(row, (digit) => Number.parseInt(digit, 16))
}

/**
 * Bits of a letter behind another, a row for each first letter, and last the row behind what is no letter. Counted over names of
 * operations, resources, packages and files, program text, and prose in twenty European languages without their accents.
 */
const pairBits = [
  '7645975a59744385b343665865',
  '3876288645a38737a4573a995b',
  '394938b349548a27c4645aba58',
  '3676277738666736a557587a78',
  '46446668687453756234867579',
  '4a8945982a959528c4653aba5c',
  '4868296539a57447b35647ac87',
  '2888298b39a6683796735aac7b',
  '5535455b99745236953496a8a7',
  '399628ab5b6786278927476c98',
  '386726654a555437c545488978',
  '3865277a2a847837b85548ab5b',
  '257728974a9458449758599b79',
  '4944353748667646a733559b79',
  '7655856a68644255b355465998',
  '396539864b837834b35458ac4b',
  '6b97a8cb8cc4aaa8a6770aaaba',
  '385627693a6755379644558b58',
  '584637854a6667458632588968',
  '3867278339976836a455587a5a',
  '5555466a58745374c3338aa697',
  '288a29992ca87746a8787aa87a',
  '398939a43ba78438c628997b6a',
  '384737a93b656962a56267a86a',
  '46364677687544439543776b98',
  '377739884c866418b887596b57',
  '35444556476555548444556777',
].map(digits)

/** Bits of a kind (lower, upper, digit, mark) behind two others; a row for each two, the earlier first. */
const kindBits: readonly (readonly number[])[] = [
  [0.2, 4, 8, 4], // lower, lower
  [0, 5, 8, 9], // lower, upper
  [4, 5, 1, 1], // lower, digit
  [0.4, 5, 4, 3], // lower, mark
  [],
  [0, 6, 9, 8], // upper, lower
  [3, 0.4, 6, 3], // upper, upper
  [8, 4, 0, 5], // upper, digit
  [3, 0.5, 5, 3], // upper, mark
  [],
  [1, 4, 2, 2], // digit, lower
  [0.4, 3, 5, 4], // digit, upper
  [6, 7, 1, 1], // digit, digit
  [2, 6, 1, 5], // digit, mark
  [],
  [0, 9, 5, 5], // mark, lower
  [1, 1, 6, 4], // mark, upper
  [6, 9, 1, 1], // mark, digit
  [1, 4, 7, 1], // mark, mark
  [],
  [0, 9, 9, 7], // space, lower
  [0.5, 3, 3, 8], // space, upper
  [7, 8, 1, 1], // space, digit
  [0.6, 4, 6, 2], // space, mark
  [1, 2, 5, 3], // space, space
]

/** Bits of a mark, from `!` to `~`; what stands between is no mark. */
const markBits = digits(
  '859958555885322000000000037867870000000000000000000000000079794800000000000000000000000000697b',
)
