import { createHash, randomBytes, webcrypto } from 'node:crypto'

/** A certificate with its private key, both as PEM; `der` is the certificate's bytes. */
export type IssuedCertificate = { readonly certPem: string; readonly keyPem: string; readonly der: Buffer }

/** What a certificate is to say. Times are milliseconds since 1970. */
export type CertificateOrder = {
  readonly commonName?: string
  readonly uris?: readonly string[]
  readonly dnsNames?: readonly string[]
  readonly addresses?: readonly string[]
  readonly purpose: 'server' | 'client'
  readonly notBefore: number
  readonly notAfter: number
}

/** A certificate authority in memory (ECDSA P-256). It signs whatever it is asked to: for `sallyport dev` and tests, never for production. */
export interface Authority {
  /** The authority's own certificate and key; hand out `certPem` alone. */
  readonly own: IssuedCertificate
  issue(order: CertificateOrder): Promise<IssuedCertificate>
}

/** Makes a new authority, or with `from` goes on with an earlier one. Times are milliseconds since 1970. */
export async function createAuthority(options: {
  readonly commonName: string
  readonly notBefore: number
  readonly notAfter: number
  readonly from?: Pick<IssuedCertificate, 'certPem' | 'keyPem'>
}): Promise<Authority> {
  const x509 = await loadLibrary()
  const { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509CertificateGenerator } = x509
  const keys = options.from ? await importKeys(options.from, x509) : await generateKeys()
  const certificate = options.from
    ? new x509.X509Certificate(options.from.certPem)
    : await X509CertificateGenerator.createSelfSigned({
        name: [{ CN: [options.commonName] }],
        serialNumber: serialNumber(),
        notBefore: new Date(options.notBefore),
        notAfter: new Date(options.notAfter),
        signingAlgorithm: ecdsa,
        keys,
        extensions: [
          new BasicConstraintsExtension(true, 0, true),
          new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
      })
  return {
    own: await render(certificate, keys.privateKey),
    async issue(order) {
      const leaf = await generateKeys()
      const issued = await X509CertificateGenerator.create({
        ...(order.commonName !== undefined && { subject: [{ CN: [order.commonName] }] }),
        issuer: certificate.subject,
        serialNumber: serialNumber(),
        notBefore: new Date(order.notBefore),
        notAfter: new Date(order.notAfter),
        signingAlgorithm: ecdsa,
        publicKey: leaf.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([`1.3.6.1.5.5.7.3.${order.purpose === 'server' ? 1 : 2}`]),
          ...alternativeNames(order, x509),
          await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey),
          await x509.SubjectKeyIdentifierExtension.create(leaf.publicKey),
        ],
      })
      return render(issued, leaf.privateKey)
    },
  }
}

type Library = typeof import('@peculiar/x509')
type Signed = InstanceType<Library['X509Certificate']>

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

async function loadLibrary(): Promise<Library> {
  return (await import('./x509.ts')).x509
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify'])
}

async function importKeys(
  from: Pick<IssuedCertificate, 'certPem' | 'keyPem'>,
  { PemConverter, X509Certificate }: Library,
): Promise<webcrypto.CryptoKeyPair> {
  const der = PemConverter.decodeFirst(from.keyPem)
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', der, ecdsa, true, ['sign']),
    publicKey: await new X509Certificate(from.certPem).publicKey.export(ecdsa, ['verify']),
  }
}

async function render(certificate: Signed, key: webcrypto.CryptoKey): Promise<IssuedCertificate> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  const lines = pkcs8.toString('base64').match(/.{1,64}/g) ?? []
  return {
    certPem: `${certificate.toString('pem')}\n`,
    keyPem: ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n'),
    der: Buffer.from(certificate.rawData),
  }
}

function alternativeNames(order: CertificateOrder, { SubjectAlternativeNameExtension }: Library) {
  const names = [
    ...(order.uris ?? []).map((value) => ({ type: 'url' as const, value })),
    ...(order.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(order.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ]
  // RFC 5280 §4.2.1.6: without a subject, the alternative name is critical.
  return names.length > 0 ? [new SubjectAlternativeNameExtension(names, order.commonName === undefined)] : []
}

/** 20 octets at most, positive, at least 64 random bits (RFC 5280 §4.1.2.2; CA/Browser Forum §7.1). */
function serialNumber(): string {
  return `01${createHash('sha256').update(randomBytes(32)).digest('hex').slice(0, 30)}`
}
