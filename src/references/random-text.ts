import { createWrittenBits, kindOf, kinds } from './written-text.ts'

/**
 * Whether a stretch of a text without spaces was drawn by chance and not written by somebody. Each character adds what it is likelier to be
 * in random text of an alphabet than in what people write, in bits; where the sum has grown far enough since it last was nothing, the
 * stretch is random (Page's CUSUM of the log-likelihood ratio). So words around it and marks between its groups hide nothing, and the cost
 * is linear in the text.
 */
export function holdsRandomText(text: string, bounds: RandomBounds = randomBounds): boolean {
  const stretches = alphabets.map((alphabet) => ({ ...alphabet, sum: 0, characters: 0 }))
  const writtenBits = createWrittenBits()
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    const written = writtenBits(code)
    for (const stretch of stretches) {
      advance(stretch, code, written)
      if (stretch.sum >= bounds.bitsMin && stretch.characters >= bounds.charactersMin) return true
    }
  }
  return false
}

export type RandomBounds = { readonly bitsMin: number; readonly charactersMin: number }

/** Bills hold public names of 16 random characters (SKUs, log files); a key has 20, of which the first ones may look written. */
const randomBounds: RandomBounds = { bitsMin: 22, charactersMin: 17 }

type Alphabet = {
  /** What a character of it is worth where each is as likely. */
  readonly bits: number
  /** What each code speaks for at the most, if it is of the alphabet; a code that has no entry ends the stretch. */
  readonly members: readonly (number | undefined)[]
  /** Marks that stand between its groups, and in base64 within them. They speak a little for what is written. */
  readonly between: readonly (number | undefined)[]
}

const codes = Array.from({ length: 128 }, (_, code) => code)
const grouping = '-_.:'

const alphabets: readonly Alphabet[] = [
  alphabet(26, [kinds.lower], grouping),
  alphabet(26, [kinds.upper], grouping),
  alphabet(36, [kinds.lower, kinds.digit], grouping),
  alphabet(36, [kinds.upper, kinds.digit], grouping),
  alphabet(62, [kinds.lower, kinds.upper, kinds.digit], `${grouping}/+=`),
  alphabet(94, [kinds.lower, kinds.upper, kinds.digit, kinds.mark], ''),
]

function alphabet(size: number, has: readonly number[], between: string): Alphabet {
  return {
    bits: Math.log2(size),
    // No single mark makes a text random: code and patterns have many.
    members: codes.map((code) =>
      has.includes(kindOf(code)) ? (kindOf(code) === kinds.mark ? 4 : 99) : undefined,
    ),
    between: codes.map((code) => {
      const mark = String.fromCharCode(code)
      return between.includes(mark) ? (grouping.includes(mark) ? -1 : -4) : undefined
    }),
  }
}

const separates = codes.map((code) => `${grouping}/`.includes(String.fromCharCode(code)))

type Stretch = Alphabet & { sum: number; characters: number }

function advance(stretch: Stretch, code: number, written: number): void {
  const most = stretch.members[code]
  const speaksFor = most === undefined ? stretch.between[code] : Math.min(written - stretch.bits, most)
  if (speaksFor === undefined) {
    stretch.sum = 0
    stretch.characters = 0
    return
  }
  stretch.sum = Math.max(0, stretch.sum + speaksFor)
  if (!separates[code]) stretch.characters += 1
  else if (stretch.sum === 0) stretch.characters = 0
}
