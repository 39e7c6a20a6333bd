import { type Finding, isTest, type Room, roomOf } from './map.ts'
import { linesWith, type Source } from './source.ts'

const impure: readonly { pattern: RegExp; what: string }[] = [
  { pattern: /\bprocess\b/g, what: 'the process' },
  {
    pattern:
      /\bDate\.now\b|\bnew Date(?:\(\s*\)|(?!\s*\())|(?<!new )\bDate\(|\bperformance\b|\bTemporal\.Now\b/g,
    what: 'the time',
  },
  {
    pattern:
      /\bMath\.random\b|\brandom(?:UUID|Bytes|Int|Fill|FillSync)\b|\bgetRandomValues\b|\bgenerate(?:Key|KeyPair|Prime)(?:Sync)?\b/g,
    what: 'randomness',
  },
  { pattern: /\bset(?:Timeout|Interval|Immediate)\b|\bAbortSignal\.timeout\b/g, what: 'a timer' },
  { pattern: /\bfetch\b|\bWebSocket\b|\bEventSource\b/g, what: 'the network' },
  { pattern: /\bglobalThis\b|\bconsole\b|\beval\b|\bnew Function\b/g, what: 'what is global' },
]

const forbidden: readonly { pattern: RegExp; what: string }[] = [
  { pattern: /(?<!\.)\bas\s+(?!const\b)[\w{[('"`$][\w$]*/g, what: 'an unchecked cast' },
  { pattern: /[:<|&,]\s*any\b(?!\s*[:(])|\bany\[\]/g, what: 'any' },
  { pattern: /\bexport default\b/g, what: 'a default export' },
]

const suppressed = /@ts-(?:ignore|expect-error|nocheck)|biome-ignore|eslint-disable/g

/** The environment, disk, network, time and randomness in a room that takes them as arguments. */
export function checkPurity(rooms: readonly Room[], source: Source): readonly Finding[] {
  const room = roomOf(rooms, source.path)
  if (!room?.pure || isTest(source.path)) return []
  return impure.flatMap(({ pattern, what }) =>
    linesWith(source, pattern).map(({ line, text }) => ({
      place: `${source.path}:${line}`,
      message: `${room.name} is pure and reads ${what}: ${text}`,
    })),
  )
}

/** A secret that is revealed where it need not be; any mention counts, so that no alias hides one. */
export function checkReveal(rooms: readonly Room[], source: Source): readonly Finding[] {
  const room = roomOf(rooms, source.path)
  if (!room || room.reveals || isTest(source.path) || source.path === 'src/primitives/secret.ts') return []
  return linesWith(source, /\breveal\b|(?<=['"`])reveal(?=['"`])/g, 'code').map(({ line }) => ({
    place: `${source.path}:${line}`,
    message: `${room.name} may not reveal a secret (ARCHITECTURE.md)`,
  }))
}

/** Casts, `any`, default exports and switched-off checks, in any TypeScript file, tests too. */
export function checkWords(source: Source, text: string): readonly Finding[] {
  const withoutNames = { ...source, bare: blankNames(source.bare) }
  const found = forbidden.flatMap(({ pattern, what }) =>
    linesWith(withoutNames, pattern).map(({ line, text: word }) => ({
      place: `${source.path}:${line}`,
      message: `has ${what}: ${word}`,
    })),
  )
  // Such a remark works only in a comment, so what is code in both texts is none.
  const remarks = [...text.matchAll(suppressed)].filter((match) => source.code[match.index] === ' ')
  return [
    ...found,
    ...remarks.map((match) => ({ place: source.path, message: `switches a check off: ${match[0]}` })),
  ]
}

/** Blanks `{ a as b }` and `* as a` of imports and exports, where `as` renames. */
function blankNames(bare: string): string {
  return bare.replace(
    /\b(?:import|export)\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?(?:\{[^}]*\}|\*\s*as\s+[\w$]+)/g,
    (names) => names.replace(/\bas\b/g, '  '),
  )
}
