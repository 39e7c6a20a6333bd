/** A line without its newline. Only what ends in a newline is `whole`; a line that is too long is given up. */
export type Line = { readonly kind: 'whole' | 'cut' | 'too_long'; readonly bytes: Buffer }

/** Bytes of one line: an entry, or a checkpoint with many witnesses. */
export const lineBytesMax = 262_144

/**
 * Splits bytes at `\n` and nowhere else, in constant memory; ends after the first line that is not whole. Gives the lines of each chunk
 * together: one by one, waiting would take as long as hashing.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Line[], undefined, undefined> {
  let rest = Buffer.alloc(0)
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk])
    const lines: Line[] = []
    let begin = 0
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline, begin)) {
      if (end - begin > lineBytesMax) break
      lines.push({ kind: 'whole', bytes: rest.subarray(begin, end) })
      begin = end + 1
    }
    rest = rest.subarray(begin)
    const tooLong = rest.length > lineBytesMax
    if (tooLong) lines.push({ kind: 'too_long', bytes: rest })
    yield lines
    if (tooLong) return
  }
  if (rest.length > 0) yield [{ kind: 'cut', bytes: rest }]
}

const newline = 0x0a
