/** Runs in a network of its own, where it may have any address: a real server there, and migrations to it by every way that leads to it. */
import 'reflect-metadata'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'
import { startPostgres } from '../testing/index.ts'
import { migrateWith, query, tooling } from './migrate.fixture.ts'
import { addresses, type Outcome, waysOf } from './migrate-network.ways.fixture.ts'

const folder = mkdtempSync('/tmp/sallyport-network-')
const sockets = join(folder, 'postgres')
mkdirSync(sockets)
const [certificate, key, authentication] = ['server.pem', 'server.key', 'hba'].map((name) =>
  join(folder, name),
)
writeFileSync(authentication ?? '', 'host all all all scram-sha-256\nlocal all all scram-sha-256\n')
await writeCertificate(certificate ?? '', key ?? '')

const server = await startPostgres({
  settings: {
    listen_addresses: '*',
    unix_socket_directories: sockets,
    hba_file: authentication ?? '',
    ...{ ssl: 'on', ssl_cert_file: certificate ?? '', ssl_key_file: key ?? '' },
  },
})
if (server.kind === 'unavailable') throw new Error(server.reason)
try {
  await query(server.url, 'create table tenants (id int); create table runs (id int)')
  const { password } = new URL(server.url)
  const neighbour = await neighbours()
  const places = [
    ...[addresses.own, addresses.other, '127.0.0.1', '::1'].map((host) => `${host} ${neighbour.port}`),
    ...[addresses.other, addresses.otherIpv6, '192.0.2.1'].map((host) => `${host} ${server.port}`),
    ...[
      join(folder, 'absolute.sock'),
      join(folder, 'relative.sock'),
      '@sallyport-network',
      'name:example.test',
    ],
  ]
  const ways = waysOf({ password, port: server.port, sockets, certificate: certificate ?? '' })
  const tell = async (name: string, url: string) => {
    const env = { APP_MODE: 'local', DB_ROLE: 'staging', DATABASE_URL: url }
    const outcome: Outcome = { name, ...(await migrateWith(env, tooling('reach', ...places))) }
    console.log(JSON.stringify(outcome))
  }
  const relative = await listen('')
  for (const [name, url] of Object.entries(ways)) await tell(name, url)
  linkSync(join(folder, 'relative.sock'), join(folder, 'linked.sock'))
  await tell('a socket with two names', ways['another address'])
  await relative.close()
  const wandering = await listen("process.chdir('/')")
  await tell('a socket of nowhere', ways['another address'])
  await wandering.close()
  await neighbour.close()
} finally {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}

/** What a migration has no business with: a port beside the database's, a socket in the file system and an abstract one. */
async function neighbours() {
  const open = await Promise.all(
    [{ port: 0, host: '::' }, { path: join(folder, 'absolute.sock') }, { path: '\0sallyport-network' }].map(
      async (where) => {
        const one = createServer((socket) => socket.end()).listen(where)
        await once(one, 'listening')
        return one
      },
    ),
  )
  const address = open[0]?.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => Promise.all(open.map((one) => one[Symbol.asyncDispose]())),
  }
}

/** A process of its own listens to `relative.sock`, bound by that name in the folder, and then does something. */
async function listen(then: string) {
  rmSync(join(folder, 'relative.sock'), { force: true })
  const script = `require('net').createServer((socket) => socket.end()).listen('relative.sock', () => { ${then}; console.log('up') })`
  const child = spawn(process.execPath, ['--eval', script], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return {
    async close() {
      child.kill()
      await once(child, 'exit')
    },
  }
}

/** For `localhost` alone, and nobody's but its own. */
async function writeCertificate(file: string, keyFile: string): Promise<void> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
  })
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  writeFileSync(file, made.toString('pem'))
  writeFileSync(keyFile, `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`, {
    mode: 0o600,
  })
}
