/** A line without its newline. Only what ends in a newline is `whole`; a line that is too long is given up. */
export type Line = {
  readonly kind: 'whole' | 'cut' | 'too_long'
  /** A zero byte and the line: what is hashed for a leaf (RFC 6962 §2.1). It stands until the next lines are asked for. */
  readonly leaf: Buffer
}

/** Bytes of one line: an entry, or a checkpoint with many witnesses. */
export const lineBytesMax = 262_144

/**
 * Splits bytes at `\n` and nowhere else, in constant memory; ends after the first line that is not whole. Gives the lines of each chunk
 * together: one by one, waiting would take as long as hashing.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Line[], undefined, undefined> {
  // A line that has begun stands at the front, behind its zero byte.
  let buffer = Buffer.alloc(1)
  let filled = 1
  for await (const chunk of chunks) {
    if (filled + chunk.length > buffer.length) buffer = roomier(buffer, filled + chunk.length)
    buffer.set(chunk, filled)
    filled += chunk.length
    const { lines, begin } = wholeLines(buffer.subarray(0, filled))
    const tooLong = filled - begin - 1 > lineBytesMax
    if (tooLong) lines.push({ kind: 'too_long', leaf: buffer.subarray(begin, filled) })
    yield lines
    if (tooLong) return
    buffer.copyWithin(0, begin, filled)
    filled -= begin
  }
  if (filled > 1) yield [{ kind: 'cut', leaf: buffer.subarray(0, filled) }]
}

/** The lines in these bytes, each newline made the zero byte of the next, and where the one begins that is not whole. */
function wholeLines(bytes: Buffer): { readonly lines: Line[]; readonly begin: number } {
  const lines: Line[] = []
  let begin = 0
  for (let end = bytes.indexOf(newline, 1); end >= 0; end = bytes.indexOf(newline, begin + 1)) {
    if (end - begin - 1 > lineBytesMax) break
    lines.push({ kind: 'whole', leaf: bytes.subarray(begin, end) })
    bytes[end] = 0
    begin = end
  }
  return { lines, begin }
}

function roomier(buffer: Buffer, needed: number): Buffer<ArrayBuffer> {
  const room = Buffer.alloc(2 * needed)
  room.set(buffer)
  return room
}

const newline = 0x0a
