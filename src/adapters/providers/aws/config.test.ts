import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse as parseYaml } from 'yaml'
import { Failure } from '../../../primitives/index.ts'
import { parseConfig } from './config.ts'
import { configuration } from './fake-aws.fixture.ts'
import { parseMeans } from './means.ts'

const parse = (changes: Readonly<Record<string, unknown>>) =>
  parseConfig({
    name: 'cloud',
    kind: 'aws',
    place: { line: 12, column: 3 },
    config: { ...configuration('https://sts.example.test'), ...changes },
  })

test('endpoints that are not given are those of the region and the partition', () => {
  const none = { endpoint: undefined, iamEndpoint: undefined, s3Endpoint: undefined }
  const usual = parse(none)
  assert.equal(usual.stsEndpoint.href, 'https://sts.eu-central-1.amazonaws.com/')
  assert.equal(usual.s3Endpoint.href, 'https://s3.eu-central-1.amazonaws.com/')
  assert.equal(usual.iamEndpoint.href, 'https://iam.amazonaws.com/')
  const china = parse({ ...none, region: 'cn-north-1', role: 'arn:aws-cn:iam::111122223333:role/a/b' })
  assert.equal(china.stsEndpoint.href, 'https://sts.cn-north-1.amazonaws.com.cn/')
  assert.equal(china.role.partition.iamRegion, 'cn-north-1')
  assert.equal(china.role.name, 'b', 'the path of a role is not its name')
})

test('without a word about it nothing is revoked, and the source identity is set', () => {
  const { revocation, sourceIdentity, revocationPolicy, timeoutSeconds } = parse({})
  assert.deepEqual(
    { revocation, sourceIdentity, revocationPolicy, timeoutSeconds },
    { revocation: 'none', sourceIdentity: true, revocationPolicy: 'sallyport-revoked', timeoutSeconds: 10 },
  )
})

const wrong: Readonly<Record<string, readonly [Readonly<Record<string, unknown>>, RegExp]>> = {
  'an unknown key': [{ regoin: 'x' }, /config: .*regoin/],
  'no region': [{ region: undefined }, /config\.region/],
  'a host as region': [{ region: 'x.evil.test/' }, /config\.region/],
  'a user instead of a role': [{ role: 'arn:aws:iam::111122223333:user/a' }, /config\.role/],
  'a role of an unknown partition': [{ role: 'arn:aws-moon:iam::111122223333:role/a' }, /config\.role/],
  'an account that is a number': [{ account: 111122223333 }, /config\.account/],
  'a key in the contract': [
    { credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: { env: 'KEY' } } },
    /config\.credentials\.accessKeyId.*never stands in the contract/,
  ],
  'plain http beyond loopback': [{ endpoint: 'http://sts.example.test' }, /config\.endpoint: .*https/],
  'loopback as a label': [{ endpoint: 'http://127.0.0.1.example.test' }, /config\.endpoint/],
  'an endpoint with a user in it': [{ iamEndpoint: 'https://a:b@iam.example.test' }, /config\.iamEndpoint/],
  'an endpoint with a path': [{ s3Endpoint: 'https://s3.example.test/x' }, /config\.s3Endpoint/],
  'another way to revoke': [{ revocation: 'immediate' }, /config\.revocation/],
  'no time for an answer': [{ timeout: '0s' }, /config\.timeout/],
  'too much time for an answer': [{ timeout: '31s' }, /config\.timeout/],
  'an unknown session tag': [{ sessionTags: ['purpose'] }, /config\.sessionTags\.0/],
}
for (const [what, [changes, words]] of Object.entries(wrong))
  test(`${what} does not load, and the message names provider, key and line`, () => {
    assert.throws(
      () => parse(changes),
      (thrown) => {
        assert.ok(thrown instanceof Failure && thrown.code === 'contract_invalid')
        assert.match(thrown.message, /^Line 12: provider cloud: /)
        assert.match(thrown.message, words)
        return true
      },
    )
  })

test('the longest time for an answer, and http on loopback, load', () => {
  assert.equal(parse({ timeout: '30s' }).timeoutSeconds, 30)
  for (const endpoint of ['http://127.0.0.1:4566', 'http://[::1]:4566', 'http://localhost:4566'])
    assert.equal(parse({ endpoint }).stsEndpoint.href, `${endpoint}/`)
})

test('the configuration and the actions in docs/providers/aws.md load', () => {
  const page = readFileSync(new URL('../../../../docs/providers/aws.md', import.meta.url), 'utf8')
  const { providers, services } = parseYaml(/```yaml\n(.*?)```/s.exec(page)?.[1] ?? '')
  const place = { line: 1, column: 1 }
  assert.equal(parseConfig({ name: 'aws', place, ...providers.aws }).revocation, 'deny-policy')
  const names = Object.keys(services['aws-s3'].actions)
  for (const name of names) parseMeans({ name, place, ...services['aws-s3'].actions[name] })
  assert.deepEqual(names, ['list-buckets', 'read-object'])
})
