import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { handshake } from '../../../testing/handshake.ts'
import { createAuthority, readCertificate } from './index.ts'

const bao = resolve(
  import.meta.dirname,
  '../../../..',
  process.env['SALLYPORT_PEERS'] ?? '.peers',
  'py/bin/bao',
)
const skip = existsSync(bao) ? false : `no OpenBao at ${bao}`
const workload = 'spiffe://demo.test/tenant/acme/agent/agent-7'

describe('an X.509-SVID from the pki of a real OpenBao', { skip, timeout: 60_000 }, () => {
  let server: OpenBao
  let authority: string
  before(async () => {
    server = await startOpenBao()
    await server.call('POST', 'sys/mounts/pki', { type: 'pki' })
    const root = await server.call('POST', 'pki/root/generate/internal', {
      common_name: 'Machine CA',
      key_type: 'ec',
      ttl: '2h',
    })
    authority = text(root, 'certificate')
    const role = {
      allowed_uri_sans: 'spiffe://demo.test/*',
      allow_any_name: true,
      require_cn: false,
      key_type: 'ec',
      key_bits: 256,
      key_usage: ['DigitalSignature'],
      server_flag: false,
      client_flag: true,
      max_ttl: '1h',
    }
    await server.call('POST', 'pki/roles/workload', role)
    await server.call('POST', 'pki/roles/unsuited', { ...role, key_usage: ['CertSign'] })
  })
  after(() => server?.stop())

  const show = async (role: string, order: Readonly<Record<string, string>>, at = Date.now()) => {
    const issued = await server.call('POST', `pki/issue/${role}`, { ttl: '10m', ...order })
    const client = { certPem: text(issued, 'certificate'), keyPem: text(issued, 'private_key') }
    const own = await createAuthority({ commonName: 'Listener CA', ...around(Date.now()) })
    const listener = await own.issue({ addresses: ['127.0.0.1'], purpose: 'server', ...around(Date.now()) })
    const shown = await handshake({ authority, listener, client, listenerAuthority: own.own.certPem })
    return readCertificate(shown ?? assert.fail('no certificate was shown'), at)
  }

  test('is accepted over TLS, with its SPIFFE ID', async () => {
    const answer = await show('workload', { uri_sans: workload })
    assert.ok(answer.kind === 'read' && answer.spiffeId === workload)
  })

  test('is refused after its ten minutes', async () => {
    const answer = await show('workload', { uri_sans: workload }, Date.now() + 11 * 60_000)
    assert.ok(answer.kind === 'refused' && answer.code === 'certificate_expired')
  })

  test('with two SPIFFE IDs, or none, names nobody', async () => {
    for (const order of [{ uri_sans: `${workload},${workload}-b` }, { common_name: 'agent-7.demo.test' }]) {
      const answer = await show('workload', order)
      assert.ok(answer.kind === 'read' && answer.spiffeId === undefined)
    }
  })

  test('that may sign certificates is refused', async () => {
    const answer = await show('unsuited', { uri_sans: workload })
    assert.equal(answer.kind, 'refused')
  })
})

type OpenBao = {
  readonly call: (
    method: string,
    path: string,
    body: Readonly<Record<string, unknown>>,
  ) => Promise<Readonly<Record<string, unknown>>>
  readonly stop: () => Promise<void>
}

async function startOpenBao(): Promise<OpenBao> {
  const address = `127.0.0.1:${await freePort()}`
  const token = randomBytes(16).toString('hex')
  const flags = [
    '-dev',
    '-dev-no-store-token',
    `-dev-listen-address=${address}`,
    `-dev-root-token-id=${token}`,
  ]
  const child = spawn(bao, ['server', ...flags], { stdio: 'ignore', env: { ...process.env, HOME: tmpdir() } })
  const call: OpenBao['call'] = async (method, path, body) => {
    const response = await fetch(`http://${address}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': token },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    })
    const answer = await response.text()
    if (!response.ok) throw new Error(`OpenBao answered ${path} with ${response.status}: ${answer}`)
    return answer === '' ? {} : JSON.parse(answer).data
  }
  await untilReady(`http://${address}/v1/sys/health`, child)
  return { call, stop: () => stop(child) }
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 150 && child.exitCode === null; attempt += 1) {
    const ready = await fetch(url, { signal: AbortSignal.timeout(1000) }).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    await pause(100)
  }
  child.kill('SIGKILL')
  throw new Error('OpenBao did not start.')
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return address !== null && typeof address === 'object' ? address.port : assert.fail('no port')
}

function around(now: number) {
  return { notBefore: now - 60_000, notAfter: now + 600_000 }
}

function text(answer: Readonly<Record<string, unknown>>, name: string): string {
  const value = answer[name]
  return typeof value === 'string' ? value : assert.fail(`OpenBao gave no ${name}`)
}
