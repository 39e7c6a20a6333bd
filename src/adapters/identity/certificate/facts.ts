import { type Element, readElements, readInside } from './der.ts'

/** What of a certificate decides who shows it (RFC 5280 §4.1, §4.2.1). Times are milliseconds since 1970. */
export type CertificateFacts = {
  readonly notBefore: number
  readonly notAfter: number
  readonly isAuthority: boolean
  /** Absent when the extension is. */
  readonly keyUsage?: { readonly digitalSignature: boolean; readonly signsCertificates: boolean }
  /** Whether it may be used by a TLS client; true when nothing restricts it. */
  readonly forClients: boolean
  /** Every URI of the subject alternative name, byte for byte. */
  readonly uris: readonly string[]
}

/**
 * Reads the DER itself: Node gives the subject alternative name only as one joined text, whose quoting has been confused before
 * (CVE-2021-44532), and does not give the key usage at all. Throws a `RangeError` for what is no X.509 v3 certificate.
 */
export function readCertificateFacts(der: Uint8Array): CertificateFacts {
  const [toBeSigned] = readInside(Buffer.from(der.buffer, der.byteOffset, der.byteLength), sequence)
  const fields = toBeSigned?.tag === sequence ? readElements(toBeSigned.content) : []
  const validity = fields[0]?.tag === version ? fields[4] : undefined
  if (validity?.tag !== sequence) throw new RangeError('This is no X.509 v3 certificate.')
  const [notBefore, notAfter] = readElements(validity.content)
  const extensions = readExtensions(fields.find((field) => field.tag === extensionsField))
  const keyUsage = extensions.get(oids.keyUsage)
  return {
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    isAuthority: readIsAuthority(extensions.get(oids.basicConstraints)),
    ...(keyUsage && { keyUsage: readKeyUsage(keyUsage) }),
    forClients: readForClients(extensions.get(oids.extendedKeyUsage)),
    uris: readUris(extensions.get(oids.subjectAlternativeName)),
  }
}

const sequence = 0x30
const version = 0xa0
const extensionsField = 0xa3
const uri = 0x86

/** Object identifiers as the hexadecimal of their DER content. */
const oids = {
  keyUsage: '551d0f',
  subjectAlternativeName: '551d11',
  basicConstraints: '551d13',
  extendedKeyUsage: '551d25',
  clientAuth: '2b06010505070302',
  anyUsage: '551d2500',
} as const

function readExtensions(field: Element | undefined): ReadonlyMap<string, Buffer> {
  const extensions = new Map<string, Buffer>()
  if (!field) return extensions
  for (const extension of readInside(field.content, sequence)) {
    const parts = readElements(extension.content)
    const [oid, value] = [parts[0], parts.at(-1)]
    if (extension.tag !== sequence || oid?.tag !== 0x06 || value?.tag !== 0x04)
      throw new RangeError('An extension is malformed.')
    const name = oid.content.toString('hex')
    if (extensions.has(name)) throw new RangeError('An extension stands twice (RFC 5280 §4.2).')
    extensions.set(name, value.content)
  }
  return extensions
}

/** UTCTime until 2049, GeneralizedTime from then on, both with seconds and in Z (RFC 5280 §4.1.2.5). */
function readTime(element: Element | undefined): number {
  const text = element?.content.toString('latin1') ?? ''
  const match = /^([0-9]{2}|[0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z$/.exec(text)
  const year = match?.[1] ?? ''
  if (!match || year.length !== (element?.tag === 0x17 ? 2 : 4)) throw new RangeError('A time is malformed.')
  const century = year.length === 4 ? '' : Number(year) < 50 ? '20' : '19'
  const time = Date.parse(`${century}${year}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`)
  if (Number.isNaN(time)) throw new RangeError('A time is malformed.')
  return time
}

function readIsAuthority(value: Buffer | undefined): boolean {
  const [first] = value ? readInside(value, sequence) : []
  return first?.tag === 0x01 && first.content[0] !== 0
}

function readKeyUsage(value: Buffer): { digitalSignature: boolean; signsCertificates: boolean } {
  const [bits] = readElements(value)
  if (bits?.tag !== 0x03) throw new RangeError('The key usage is malformed.')
  const first = bits.content[1] ?? 0
  return { digitalSignature: (first & 0x80) !== 0, signsCertificates: (first & 0x06) !== 0 }
}

function readForClients(value: Buffer | undefined): boolean {
  if (!value) return true
  const usages = readInside(value, sequence).map((element) => element.content.toString('hex'))
  return usages.includes(oids.clientAuth) || usages.includes(oids.anyUsage)
}

function readUris(value: Buffer | undefined): readonly string[] {
  const names = value ? readInside(value, sequence) : []
  return names.filter((name) => name.tag === uri).map((name) => name.content.toString('latin1'))
}
