import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { startPostgres } from '../testing/index.ts'
import { unconfinable } from './confinement.ts'
import { addresses, type Outcome } from './migrate-network.ways.fixture.ts'

const inside = join(import.meta.dirname, 'migrate-network.fixture.ts')
const { own, other, ownIpv6, otherIpv6 } = addresses

/** Whatever the machine, these addresses are there, and nobody else's. */
const setting = `ip link set lo up
for one in ${own}/32 ${other}/32 ${ownIpv6}/128 ${otherIpv6}/128; do ip address add $one dev lo; done
exec "$@"`

async function outcomes(): Promise<readonly Outcome[]> {
  const shell = ['sh', '-c', setting, 'sh', process.execPath, inside]
  const words = ['--user', '--map-root-user', '--net', '--', ...shell]
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` }
  const child = spawn('unshare', words, { stdio: ['ignore', 'pipe', 'inherit'], env, timeout: 90_000 })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  await once(child, 'close')
  return out
    .trim()
    .split('\n')
    .map((line): Outcome => JSON.parse(line))
}

const reachable = new Set([
  ...['another address', 'an address of IPv6', 'an address of IPv4 as one of IPv6'],
  ...['the loopback of IPv6', 'another loopback'],
  ...['the name of both loopbacks', 'a host in the query', 'a socket in the query', 'a socket as the host'],
  ...['no TLS by name', 'TLS with its authority'],
])

const refusals: Readonly<Record<string, readonly [code: number, words: RegExp]>> = {
  'TLS with an authority that nobody knows': [7, /certificate of the database does not hold .*sslrootcert/s],
  'TLS of another name': [7, /certificate of the database does not hold \(ERR_TLS_CERT_ALTNAME_INVALID\)/],
  'several hosts': [78, /names several hosts/],
  'several hosts in the query': [78, /names several hosts/],
  'a socket with two names': [78, /cannot be covered: .*relative\.sock has another name .*--unconfined/s],
  'a socket of nowhere': [78, /cannot be covered: relative\.sock was bound in a folder that is not known/],
}

const skip = unconfinable() ?? (await unstartable()) ?? false

async function unstartable(): Promise<string | undefined> {
  const server = await startPostgres()
  if (server.kind === 'unavailable') return server.reason
  await server.stop()
  return undefined
}

describe('sallyport migrate to a database that is not on plain loopback', { skip, timeout: 120_000 }, () => {
  let all: readonly Outcome[] = []
  before(async () => {
    all = await outcomes()
  })
  const outcome = (name: string) => {
    const found = all.find((one) => one.name === name)
    assert.ok(found, `${name} was not tried`)
    return found
  }

  for (const name of reachable)
    test(`${name}: the tool migrates, and reaches nothing else`, () => {
      const { code, out, err } = outcome(name)
      assert.equal(code, 0, err)
      const [asked, ...tried] = out.trim().split('\n')
      assert.deepEqual([asked, tried.length], ['done', 11])
      for (const line of tried) assert.match(line, / not reached E[A-Z_]+$/)
    })

  for (const [name, [exit, words]] of Object.entries(refusals))
    test(`${name}: refused in words`, () => {
      const { code, out, err } = outcome(name)
      assert.deepEqual([code, out], [exit, ''])
      assert.match(err, words)
    })

  test('every way was tried', () => {
    assert.equal(all.length, reachable.size + Object.keys(refusals).length)
  })
})

describe('a machine that makes no namespaces', { skip }, () => {
  test('refuses to migrate, and says what would be given up', async () => {
    const program = join(import.meta.dirname, 'main.ts')
    const contract = join(import.meta.dirname, '../../examples/migrations/sallyport.yaml')
    const migrate = [process.execPath, program, 'migrate', '--contract', contract, '--', 'true']
    // A namespace whose own namespaces are counted: none may be made in it.
    const none = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"'
    const words = ['--user', '--map-root-user', '--', 'sh', '-c', none, 'sh', ...migrate]
    const env = {
      ...{ PATH: process.env['PATH'], HOME: '/nonexistent', NO_COLOR: '1', APP_MODE: 'local' },
      ...{ DB_ROLE: 'staging', DATABASE_URL: 'postgresql://a:b@127.0.0.1:1/c' },
    }
    const child = spawn('unshare', words, { stdio: ['ignore', 'ignore', 'pipe'], env, timeout: 30_000 })
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    const [code] = await once(child, 'close')
    assert.equal(code, 78, err)
    assert.match(err, /cannot keep a command from other networks .* forbids user namespaces/)
    assert.match(err, /Next: .*--unconfined/)
  })
})
