import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { childEnvironment } from './child-environment.ts'
import { fromEnvironment, knownLogKey } from './connection.ts'

const environment = {
  SALLYPORT_URL: 'https://environment.test',
  SALLYPORT_DEV: '/environment',
  SALLYPORT_CA: '/environment/ca.pem',
  SALLYPORT_CERT: '/environment/cert.pem',
  SALLYPORT_CERT_KEY: '/environment/cert.key',
  SALLYPORT_TOKEN_FILE: '',
}

test('a flag that names the broker, or who calls, replaces what the environment says of it', () => {
  assert.deepEqual(fromEnvironment({ dev: '/flag' }, environment), {
    dev: '/flag',
    ca: '/environment/ca.pem',
    cert: '/environment/cert.pem',
    certKey: '/environment/cert.key',
  })
  assert.deepEqual(fromEnvironment({ url: 'https://flag.test', keyFile: '/key' }, environment), {
    url: 'https://flag.test',
    ca: '/environment/ca.pem',
    keyFile: '/key',
  })
  assert.deepEqual(fromEnvironment({}, { SALLYPORT_DEV: '', SALLYPORT_KEY_HEADER: 'X-Key' }), {
    keyHeader: 'X-Key',
  })
})

/** The folder of a development broker whose log has the key `NAME-key`. */
function devFolder(folder: string, name: string): string {
  const about = {
    machine_url: 'm',
    human_url: 'h',
    ca: 'c',
    log_key: `${name}-key`,
    agent: { certificate: 'a', certificate_key: 'k' },
    person: { token: 't' },
  }
  mkdirSync(join(folder, name))
  writeFileSync(join(folder, name, 'dev.json'), JSON.stringify(about))
  return join(folder, name)
}

test('the log key that is pinned is of the broker that is meant, else there is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-log-key-'))
  try {
    const [one, other] = [devFolder(folder, 'one'), devFolder(folder, 'other')]
    const url = 'https://other.test'
    const [SALLYPORT_DEV, SALLYPORT_LOG_KEY, SALLYPORT_URL] = [one, 'variable', url]
    const cases = [
      [{}, { SALLYPORT_DEV }, 'one-key'],
      [{}, { SALLYPORT_DEV, SALLYPORT_LOG_KEY }, 'variable'],
      [{ logKey: 'flag', dev: other }, { SALLYPORT_DEV, SALLYPORT_LOG_KEY }, 'flag'],
      [{ logKey: '' }, { SALLYPORT_DEV, SALLYPORT_LOG_KEY }, ''],
      [{ dev: other }, { SALLYPORT_DEV, SALLYPORT_LOG_KEY, SALLYPORT_URL }, 'other-key'],
      [{ url }, { SALLYPORT_DEV }, undefined],
      [{ url }, { SALLYPORT_DEV, SALLYPORT_LOG_KEY }, 'variable'],
      [{ url, dev: other }, {}, undefined],
      [{}, { SALLYPORT_DEV, SALLYPORT_URL }, undefined],
      [{}, { SALLYPORT_DEV: '', SALLYPORT_LOG_KEY: '' }, undefined],
    ] as const
    for (const [flags, environment, key] of cases)
      assert.equal(knownLogKey(flags, environment), key, JSON.stringify([flags, environment]))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('each type of credential has the names by which unmodified tools know it', () => {
  const names = (credential: { type: string; [field: string]: string | number }) =>
    Object.keys(childEnvironment({}, credential, [])).filter(
      (name) => !(name in childEnvironment({}, other, [])),
    )
  const other = { type: 'other' }
  const aws = { type: 'aws', access_key_id: 'a', secret_access_key: 'b', session_token: 'c', region: 'd' }
  const postgres = {
    type: 'postgres',
    host: 'h',
    port: 1,
    database: 'd',
    user: 'u',
    password: 'p',
    sslmode: 'disable',
    url: 'x',
  }
  assert.deepEqual(names(aws).slice(0, 3), [
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
  ])
  assert.deepEqual(names(postgres).slice(3, 5), ['PGUSER', 'PGPASSWORD'])
  assert.deepEqual(names({ type: 'jwt', access_token: 't' }), ['SALLYPORT_ACCESS_TOKEN'])
  assert.deepEqual(names({ type: 'env', name: 'PAYMENTS_KEY', value: 'v' }), ['PAYMENTS_KEY'])
  assert.equal(childEnvironment({}, other, [])['SALLYPORT_CREDENTIAL'], '{"type":"other"}')
  assert.throws(() => childEnvironment({}, { type: 'jwt' }, []), { code: 'internal' })
})

test('a variable that is named is passed on, also one that is otherwise told of nothing', () => {
  const parent = { KUBECONFIG: '/mine', SECRET: 's', LANG: 'C' }
  const { KUBECONFIG, SECRET, LANG } = childEnvironment(parent, { type: 'other' }, ['KUBECONFIG'])
  assert.deepEqual([KUBECONFIG, SECRET, LANG], ['/mine', undefined, 'C'])
})
