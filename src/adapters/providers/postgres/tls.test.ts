import 'reflect-metadata'
import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { createTestProvider, failsWith, live, newLeaseId, orderFor, startTestbed } from './testbed.fixture.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const dates = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) }
type Authority = { readonly certificate: X509Certificate; readonly keys: webcrypto.CryptoKeyPair }

test('a server with TLS, and whom the broker believes', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-tls-'))
  const file = (name: string) => join(folder, name)
  const [authority, stranger] = [await newAuthority(), await newAuthority()]
  await writeFile(file('ca.pem'), authority.certificate.toString('pem'))
  await writeFile(file('stranger.pem'), stranger.certificate.toString('pem'))
  await writeServer(authority, { certificate: file('server.pem'), key: file('server.key') })
  const bed = await startTestbed({
    config: { tls: { ca: file('ca.pem') } },
    settings: { ssl: 'on', ssl_cert_file: file('server.pem'), ssl_key_file: file('server.key') },
  })
  context.after(() => rm(folder, { recursive: true, force: true }))
  if ('skip' in bed) return context.skip(bed.skip)
  context.after(async () => {
    await bed.provider.close?.()
    await bed.server.stop()
  })
  const mintWith = async (url: string, config: Record<string, unknown>) => {
    const provider = await createTestProvider(url, config)
    return provider.mint(orderFor(newLeaseId()), live()).finally(() => provider.close?.())
  }

  await context.test('the one whose certificate comes from the named authority', async () => {
    const leaseId = newLeaseId()
    const { credential } = await bed.provider.mint(orderFor(leaseId), live())
    assert.equal(credential.fields['sslmode'], 'verify-full')
    const rows = await bed.admin(
      "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'sallyport'",
    )
    assert.deepEqual(rows, [{ ssl: true }])
    const reference = { leaseId, handle: '', providerNotAfter: 0 }
    assert.equal(await bed.provider.probe?.(reference, credential, live()), 'accepted')
  })

  await context.test('not one from another authority, or from none that the system knows', async () => {
    for (const tls of [{ ca: file('stranger.pem') }, {}])
      await assert.rejects(mintWith(bed.brokerUrl, { tls }), failsWith('provider_refused'))
  })

  await context.test('not one whose certificate is for another host', async () => {
    const elsewhere = bed.brokerUrl.replace('@127.0.0.1', '@localhost')
    await assert.rejects(mintWith(elsewhere, { tls: { ca: file('ca.pem') } }), failsWith('provider_refused'))
  })
})

async function newAuthority(): Promise<Authority> {
  const keys = await newKeys()
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...dates,
    name: 'CN=Test authority',
    keys,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  })
  return { certificate, keys }
}

async function writeServer(authority: Authority, files: { certificate: string; key: string }): Promise<void> {
  const keys = await newKeys()
  const certificate = await X509CertificateGenerator.create({
    ...dates,
    subject: 'CN=db',
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  await writeFile(files.certificate, certificate.toString('pem'))
  await writeFile(files.key, `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`, {
    mode: 0o600,
  })
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}
