import 'reflect-metadata'
import assert from 'node:assert/strict'
import { createHash, webcrypto, X509Certificate } from 'node:crypto'
import { before, describe, test } from 'node:test'
import * as x509 from '@peculiar/x509'
import fc from 'fast-check'
import { handshake } from '../../../testing/handshake.ts'
import { readCertificateFacts } from './facts.ts'
import { type Authority, certificateBytesMax, createAuthority, isSpiffeId, readCertificate } from './index.ts'

const now = Math.floor(Date.now() / 1000) * 1000
const hour = 3_600_000
const validity = { notBefore: now - hour, notAfter: now + hour }
const workload = 'spiffe://demo.test/tenant/acme/agent/agent-7'

describe('a client certificate', () => {
  let authority: Authority
  before(async () => {
    authority = await createAuthority({ commonName: 'Machine CA', ...validity })
  })

  const issue = (
    uris: readonly string[] = [workload],
    more: { notBefore?: number; notAfter?: number } = {},
  ) => authority.issue({ uris, purpose: 'client', ...validity, ...more })
  const read = (der: Uint8Array, at = now) => readCertificate({ der, verified: true }, at)
  const codeOf = (der: Uint8Array, at = now) => {
    const answer = read(der, at)
    return answer.kind === 'refused' ? answer.code : (answer.spiffeId ?? 'no SPIFFE ID')
  }

  test('with one SPIFFE ID is read, with the thumbprint that tokens are bound to', async () => {
    const { der } = await issue()
    const digest = createHash('sha256').update(der).digest()
    assert.deepEqual(read(der), {
      kind: 'read',
      sha256: digest.toString('hex'),
      spiffeId: workload,
      subject: workload,
      confirmation: { certificateSha256: digest.toString('base64url') },
    })
  })

  test('is checked for its time at every moment, not only when the connection was opened', async () => {
    const { der } = await issue()
    assert.equal(codeOf(der, validity.notBefore), workload)
    assert.equal(codeOf(der, validity.notAfter), workload)
    assert.equal(codeOf(der, validity.notBefore - 1), 'certificate_expired')
    assert.equal(codeOf(der, validity.notAfter + 1000), 'certificate_expired')
  })

  test('after 2049 is read by its four-digit years', async () => {
    const { der } = await issue([workload], { notAfter: Date.UTC(2051, 0, 1) })
    assert.equal(codeOf(der, Date.UTC(2050, 11, 31)), workload)
    assert.equal(codeOf(der, Date.UTC(2051, 0, 2)), 'certificate_expired')
  })

  test('that TLS did not verify is refused, whatever it says', async () => {
    const { der } = await issue()
    const refuse = (reason?: string) => {
      const answer = readCertificate({ der, verified: false, ...(reason !== undefined && { reason }) }, now)
      return answer.kind === 'refused' && [answer.code, answer.internal]
    }
    assert.deepEqual(refuse(), ['certificate_untrusted', undefined])
    assert.deepEqual(refuse('CERT_HAS_EXPIRED'), ['certificate_expired', 'TLS: CERT_HAS_EXPIRED'])
    assert.deepEqual(refuse('CERT_NOT_YET_VALID'), ['certificate_expired', 'TLS: CERT_NOT_YET_VALID'])
    assert.deepEqual(refuse('INVALID_PURPOSE'), ['certificate_untrusted', 'TLS: INVALID_PURPOSE'])
    assert.deepEqual(refuse('UNSPECIFIED'), ['certificate_untrusted', 'TLS: UNSPECIFIED'])
    assert.deepEqual(refuse('SELF_SIGNED_CERT_IN_CHAIN'), [
      'certificate_untrusted',
      'TLS: SELF_SIGNED_CERT_IN_CHAIN',
    ])
  })

  test('without exactly one URI that is a SPIFFE ID has none', async () => {
    for (const uris of [
      [],
      [workload, `${workload}-b`],
      [workload, workload],
      [workload, 'https://demo.test/'],
      ['https://demo.test/agent-7'],
      [`${workload}, URI:${workload}-b`],
      ['spiffe://demo.test'],
    ])
      assert.equal(codeOf((await issue(uris)).der), 'no SPIFFE ID', uris.join(' '))
  })

  test('may carry names of other kinds beside its SPIFFE ID, and a name that looks like one is none', async () => {
    const order = { purpose: 'client', ...validity } as const
    const both = await authority.issue({
      ...order,
      uris: [workload],
      dnsNames: ['demo.test'],
      addresses: ['10.0.0.1'],
    })
    assert.equal(codeOf(both.der), workload)
    const inSubject = await authority.issue({ ...order, commonName: workload })
    assert.equal(codeOf(inSubject.der), 'no SPIFFE ID')
    const inDnsName = await authority.issue({ ...order, dnsNames: [`demo.test, URI:${workload}`] })
    assert.equal(codeOf(inDnsName.der), 'no SPIFFE ID')
  })

  test('of an authority is refused, and so is one that may sign certificates or may not be shown by a client', async () => {
    assert.equal(codeOf(authority.own.der), 'certificate_without_identity')
    const { KeyUsageFlags, KeyUsagesExtension, ExtendedKeyUsageExtension, BasicConstraintsExtension } = x509
    const hostile = (...extensions: x509.Extension[]) => selfSigned([...extensions, spiffeName()])
    const signs = new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true)
    const refusals = await Promise.all([
      hostile(new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true)),
      hostile(new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.cRLSign, true)),
      hostile(signs, new BasicConstraintsExtension(true, undefined, true)),
      hostile(signs, new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1'])),
      hostile(signs, spiffeName()),
    ])
    for (const der of refusals) assert.equal(codeOf(der), 'certificate_without_identity')
    assert.equal(codeOf(await hostile(signs)), workload)
    assert.equal(codeOf(await hostile(signs, new ExtendedKeyUsageExtension(['2.5.29.37.0']))), workload)
  })

  test('whose key is not for signatures, or does not say so, is no X.509-SVID', async () => {
    const usage = new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyAgreement, true)
    assert.equal(codeOf(await selfSigned([usage, spiffeName()])), 'no SPIFFE ID')
    assert.equal(codeOf(await selfSigned([spiffeName()])), 'no SPIFFE ID')
  })

  test('is read at exactly the longest length and not beyond it', async () => {
    // The length of a signature differs by some bytes, so the wanted length is found by trying.
    const sized = async (length: number): Promise<Buffer> => {
      let padding = length - 600
      for (let attempt = 0; attempt < 50; attempt += 1) {
        const { der } = await issue([workload, `https://demo.test/${'x'.repeat(padding)}`])
        if (der.length === length) return der
        padding += length - der.length
      }
      return assert.fail('no certificate has that length')
    }
    assert.equal(codeOf(await sized(certificateBytesMax)), 'no SPIFFE ID')
    assert.equal(codeOf(await sized(certificateBytesMax + 1)), 'certificate_without_identity')
  })

  test('that is damaged is refused or read, and never breaks the reader', async () => {
    const { der } = await issue()
    let cases = 0
    let unreadable = 0
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), fc.boolean(), (place, byte, cut) => {
        cases += 1
        const damaged = Buffer.from(der)
        damaged[place] = byte
        if (codeOf(cut ? damaged.subarray(0, place) : damaged) === 'certificate_without_identity')
          unreadable += 1
      }),
      { numRuns: 3000 },
    )
    assert.ok(unreadable > cases / 4)
    console.log(`${cases} damaged certificates, ${unreadable} of them unreadable`)
  })

  test('is read as Node reads it', async () => {
    let cases = 0
    const name = fc.stringMatching(/^[a-z0-9.-]{1,20}$/)
    const order = fc.record({
      uris: fc.array(
        name.map((text) => `spiffe://${text}/x`),
        { minLength: 1, maxLength: 3 },
      ),
      dnsNames: fc.array(name, { maxLength: 2 }),
      notBefore: fc.integer({ min: Date.UTC(1951, 0), max: Date.UTC(2090, 0) }),
    })
    await fc.assert(
      fc.asyncProperty(order, async ({ uris, dnsNames, notBefore }) => {
        cases += 1
        const whole = Math.floor(notBefore / 1000) * 1000
        const { der } = await authority.issue({
          uris,
          dnsNames,
          purpose: 'client',
          notBefore: whole,
          notAfter: whole + hour,
        })
        const [ours, theirs] = [readCertificateFacts(der), new X509Certificate(der)]
        assert.equal(ours.notBefore, theirs.validFromDate.getTime())
        assert.equal(ours.notAfter, theirs.validToDate.getTime())
        assert.equal(ours.isAuthority, theirs.ca)
        const names = theirs.subjectAltName?.split(', ').filter((one) => one.startsWith('URI:'))
        assert.deepEqual(
          ours.uris,
          names?.map((one) => one.slice('URI:'.length)),
        )
      }),
      { numRuns: 60 },
    )
    console.log(`${cases} certificates were read alike`)
  })
})

describe('over real TLS', () => {
  test('certificates are told apart: ours, another authority’s under the same name, expired, and a server’s', async () => {
    const authority = await createAuthority({ commonName: 'Machine CA', ...validity })
    const impostor = await createAuthority({ commonName: 'Machine CA', ...validity })
    const order = { uris: [workload], purpose: 'client', ...validity } as const
    const listener = await authority.issue({ addresses: ['127.0.0.1'], purpose: 'server', ...validity })
    const show = async (client: { certPem: string; keyPem: string }) => {
      const shown = await handshake({ authority: authority.own.certPem, listener, client })
      const answer = readCertificate(shown ?? assert.fail('no certificate was shown'), now)
      return answer.kind === 'refused' ? answer.code : answer.spiffeId
    }
    assert.equal(await show(await authority.issue(order)), workload)
    assert.equal(await show(await impostor.issue(order)), 'certificate_untrusted')
    assert.equal(
      await show(await authority.issue({ ...order, notBefore: now - 2 * hour, notAfter: now - hour })),
      'certificate_expired',
    )
    assert.equal(await show(await authority.issue({ ...order, purpose: 'server' })), 'certificate_untrusted')
    assert.equal(await handshake({ authority: authority.own.certPem, listener }), undefined)
  })

  test('a certificate that TLS refused is told why, whoever signed it', async () => {
    const authority = await createAuthority({ commonName: 'Machine CA', ...validity })
    const past = { notBefore: now - 2 * hour, notAfter: now - hour }
    const over = await createAuthority({ commonName: 'Machine CA of old', ...past })
    const listener = await authority.issue({ addresses: ['127.0.0.1'], purpose: 'server', ...validity })
    const told = async (client: { certPem: string; keyPem: string }, by = authority) => {
      const shown = await handshake({
        authority: by.own.certPem,
        listener,
        listenerAuthority: authority.own.certPem,
        client,
      })
      const answer = readCertificate(shown ?? assert.fail('no certificate was shown'), now)
      if (answer.kind === 'read') assert.fail('it was read')
      return `${answer.code}: ${answer.message}`
    }
    const order = { uris: [workload], ...validity } as const
    const notForClients = /^certificate_untrusted: .* not one that a client may show/
    assert.match(await told(await authority.issue({ ...order, purpose: 'server' })), notForClients)
    assert.match(await told(authority.own), notForClients)
    // Of another authority under the same name, which it shows too: the chain is no better for that.
    const impostor = await createAuthority({ commonName: 'Machine CA', ...validity })
    const forged = await impostor.issue({ ...order, purpose: 'client' })
    const chain = { ...forged, certPem: forged.certPem + impostor.own.certPem }
    assert.match(await told(chain), /^certificate_untrusted: .* not from the machine authority/)
    const strange = await signedBy(authority, new x509.Extension('1.3.6.1.4.1.0', true, Buffer.from([5, 0])))
    assert.match(await told(strange), /^certificate_untrusted: TLS does not accept/)
    const young = await over.issue({ ...order, purpose: 'client' })
    assert.match(await told(young, over), /^certificate_expired: .*, or an authority’s above it, /)
  })

  test('an authority goes on from its own certificate and key', async () => {
    const first = await createAuthority({ commonName: 'Machine CA', ...validity })
    const again = await createAuthority({ commonName: 'ignored', ...validity, from: first.own })
    assert.equal(again.own.certPem, first.own.certPem)
    const issued = await again.issue({ uris: [workload], purpose: 'client', ...validity })
    const certificate = new X509Certificate(issued.der)
    assert.ok(certificate.verify(new X509Certificate(first.own.der).publicKey))
    assert.ok(certificate.checkIssued(new X509Certificate(first.own.der)))
  })
})

test('a SPIFFE ID has one spelling', () => {
  const long = `spiffe://demo.test/${'x'.repeat(2048 - 'spiffe://demo.test/'.length)}`
  for (const good of [
    workload,
    'spiffe://a/b',
    'spiffe://a_b-c.d/E.f_g-H',
    `spiffe://${'a'.repeat(255)}/b`,
    long,
  ])
    assert.equal(isSpiffeId(good), true, good)
  for (const bad of [
    '',
    'spiffe://',
    'spiffe:///a',
    'spiffe://a',
    'spiffe://a/',
    'spiffe://a/b/',
    'spiffe://a//b',
    'spiffe://a/./b',
    'spiffe://a/../b',
    'spiffe://A/b',
    'SPIFFE://a/b',
    'spiffe://a:1/b',
    'spiffe://u@a/b',
    'spiffe://a/b?c',
    'spiffe://a/b#c',
    'spiffe://a/%62',
    'spiffe://a/b ',
    'spiffe://a/b\n',
    'spiffe://a/b\u0000',
    'spiffe://a/ü',
    `spiffe://${'a'.repeat(256)}/b`,
    `${long}x`,
  ])
    assert.equal(isSpiffeId(bad), false, bad)
})

function spiffeName() {
  return new x509.SubjectAlternativeNameExtension([{ type: 'url', value: workload }])
}

async function selfSigned(extensions: x509.Extension[]): Promise<Buffer> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=hostile',
    notBefore: new Date(validity.notBefore),
    notAfter: new Date(validity.notAfter),
    signingAlgorithm: algorithm,
    keys,
    extensions,
  })
  return Buffer.from(certificate.rawData)
}

/** A client certificate of that authority, with an extension that it would not write. */
async function signedBy(authority: Authority, extension: x509.Extension) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const der = x509.PemConverter.decodeFirst(authority.own.keyPem)
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=strange',
    issuer: new x509.X509Certificate(authority.own.certPem).subject,
    notBefore: new Date(validity.notBefore),
    notAfter: new Date(validity.notAfter),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']),
    extensions: [extension],
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  return { certPem: certificate.toString('pem'), keyPem: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') }
}
