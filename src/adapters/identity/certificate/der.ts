/** One element of DER (X.690 §10): its tag byte and the bytes inside. */
export type Element = { readonly tag: number; readonly content: Buffer }

/** Throws a `RangeError` for anything that is not DER: indefinite or longer-than-needed lengths, long tags, bytes that end early. */
export function readElements(bytes: Buffer): readonly Element[] {
  const elements: Element[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const { element, end } = readElement(bytes, offset)
    elements.push(element)
    offset = end
  }
  return elements
}

/** The elements inside the only element of these bytes, which must have that tag. */
export function readInside(bytes: Buffer, tag: number): readonly Element[] {
  const [only, ...others] = readElements(bytes)
  if (only?.tag !== tag || others.length > 0) throw new RangeError('Another DER element was expected.')
  return readElements(only.content)
}

function readElement(bytes: Buffer, offset: number): { element: Element; end: number } {
  const tag = bytes[offset]
  if (tag === undefined || (tag & 0x1f) === 0x1f) throw new RangeError('The DER tag is not a short one.')
  const { length, start } = readLength(bytes, offset + 1)
  const end = start + length
  if (end > bytes.length) throw new RangeError('The DER element is longer than its bytes.')
  return { element: { tag, content: bytes.subarray(start, end) }, end }
}

function readLength(bytes: Buffer, offset: number): { length: number; start: number } {
  const first = bytes[offset]
  if (first === undefined) throw new RangeError('The DER element has no length.')
  if (first < 0x80) return { length: first, start: offset + 1 }
  const size = first & 0x7f
  const start = offset + 1 + size
  if (size < 1 || size > 3 || start > bytes.length) throw new RangeError('The DER length is not a short one.')
  const length = bytes.readUIntBE(offset + 1, size)
  if (length < 0x80 || length < 256 ** (size - 1)) throw new RangeError('The DER length is not minimal.')
  return { length, start }
}
