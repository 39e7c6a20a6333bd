/** A line without its newline. Only what ends in a newline is `whole`; a line that is too long is given up. */
export type Line = { readonly kind: 'whole' | 'cut' | 'too_long'; readonly bytes: Buffer }

/** Bytes of one line: an entry, or a checkpoint with many witnesses. */
export const lineBytesMax = 262_144

/** Splits bytes at `\n` and nowhere else, in constant memory; ends after the first line that is not whole. */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Line, undefined, undefined> {
  let rest = Buffer.alloc(0)
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk])
    let begin = 0
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline, begin)) {
      if (end - begin > lineBytesMax) break
      yield { kind: 'whole', bytes: rest.subarray(begin, end) }
      begin = end + 1
    }
    rest = rest.subarray(begin)
    if (rest.length > lineBytesMax) return yield { kind: 'too_long', bytes: rest }
  }
  if (rest.length > 0) yield { kind: 'cut', bytes: rest }
}

const newline = 0x0a
