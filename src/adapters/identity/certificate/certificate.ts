import type { Confirmation, Evidence, IdentityRefused } from '../../../broker/index.ts'
import { sha256 } from '../../../primitives/index.ts'
import { type CertificateFacts, readCertificateFacts } from './facts.ts'
import { isSpiffeId } from './spiffe.ts'

/** No client certificate is longer than this. */
export const certificateBytesMax = 16 * 1024

/** A certificate that TLS trusts, that is valid now, and that is no authority's. `sha256` is hexadecimal. */
export type CertificateReading = {
  readonly kind: 'read'
  readonly sha256: string
  /** Absent when it is no X.509-SVID; it may still be known by its fingerprint. */
  readonly spiffeId?: string
  readonly subject: string
  /** RFC 8705 §3.1, `x5t#S256`. */
  readonly confirmation: Confirmation
}

/**
 * Reads a client certificate of a TLS session. The listener has checked chain and possession of the key; everything else is checked
 * here, at this moment, so that a certificate which expires on an open connection is refused. Refuses with `certificate_untrusted`,
 * `certificate_expired` or `certificate_without_identity`; never throws.
 */
export function readCertificate(
  shown: NonNullable<Evidence['certificate']>,
  now: number,
): CertificateReading | IdentityRefused {
  const { sha256: digest, confirmation, facts, isClient, spiffeId } = knownOf(shown.der)
  const refused = (code: IdentityRefused['code'], message: string): IdentityRefused => ({
    kind: 'refused',
    code,
    message,
    subject: `sha256:${digest}`,
    ...(shown.reason !== undefined && { internal: `TLS: ${shown.reason}` }),
  })
  if (!shown.verified && validityReasons.has(shown.reason ?? ''))
    return refused('certificate_expired', chainOutsideValidity)
  if (!shown.verified) return refused('certificate_untrusted', untrusted(shown.reason))
  if (!facts) return refused('certificate_without_identity', 'The client certificate could not be read.')
  if (now < facts.notBefore || now > facts.notAfter) return refused('certificate_expired', outsideValidity)
  if (!isClient)
    return refused('certificate_without_identity', 'The certificate is not one that a client may show.')
  if (spiffeId === undefined)
    return { kind: 'read', sha256: digest, subject: `sha256:${digest}`, confirmation }
  return { kind: 'read', sha256: digest, spiffeId, subject: spiffeId, confirmation }
}

const outsideValidity = 'The client certificate is outside its validity period.'
const chainOutsideValidity =
  'The client certificate, or an authority’s above it, is outside its validity period.'
const validityReasons = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])

/** TLS tells one reason of several: that the purpose is wrong does not say that the chain is right. */
function untrusted(reason = ''): string {
  if (reason === 'INVALID_PURPOSE')
    return 'The client certificate is not one that a client may show: it, and every authority above it, must allow client authentication.'
  // Node has no word for these.
  if (reason === 'UNSPECIFIED')
    return 'TLS does not accept the client certificate: it is signed in a way that is too weak, or holds what is not known.'
  return 'The client certificate is not from the machine authority.'
}

/** What does not change of a certificate. */
type Known = {
  readonly sha256: string
  readonly confirmation: Confirmation
  readonly facts: CertificateFacts | undefined
  readonly isClient: boolean
  readonly spiffeId: string | undefined
}

/** By the bytes that a TLS session holds on to, so that each session's certificate is read once. */
const known = new WeakMap<Uint8Array, Known>()

function knownOf(der: Uint8Array): Known {
  const before = known.get(der)
  if (before) return before
  // Attacker-controlled: `der` is whatever a TLS client sent.
  const fingerprint = sha256(der)
  const facts = factsOf(der)
  const read = {
    sha256: fingerprint.toString('hex'),
    confirmation: { certificateSha256: fingerprint.toString('base64url') },
    facts,
    isClient: facts !== undefined && isClientLeaf(facts),
    spiffeId: facts && spiffeIdOf(facts),
  }
  known.set(der, read)
  return read
}

function factsOf(der: Uint8Array): CertificateFacts | undefined {
  if (der.byteLength > certificateBytesMax) return undefined
  try {
    return readCertificateFacts(der)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** X509-SVID §4 and §5.2: a leaf signs no certificates. */
function isClientLeaf(facts: CertificateFacts): boolean {
  return !facts.isAuthority && facts.forClients && facts.keyUsage?.signsCertificates !== true
}

/** Exactly one URI, which is a SPIFFE ID, on a key that is for signatures (X509-SVID §2 and §4.3). */
function spiffeIdOf(facts: CertificateFacts): string | undefined {
  const [only, ...others] = facts.uris
  if (only === undefined || others.length > 0 || !facts.keyUsage?.digitalSignature) return undefined
  return isSpiffeId(only) ? only : undefined
}
