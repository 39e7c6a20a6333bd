import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../primitives/index.ts'
import { configuration, listBuckets, makeProvider } from './fake-aws.fixture.ts'

const nowhere = configuration('http://127.0.0.1:1')
const hasCode = (code: string) => (thrown: unknown) => thrown instanceof Failure && thrown.code === code

test('what it can do is what it says', async () => {
  const { capabilities } = await makeProvider({ config: { ...nowhere, revocation: 'deny-policy' } })
  assert.deepEqual(
    { ...capabilities, revocationNote: '' },
    {
      revocation: 'eventual',
      revocationNote: '',
      endsByItself: true,
      providerTtlSecondsMin: 900,
      ttlSecondsMax: 43_200,
      probes: true,
      rotates: [],
    },
  )
  assert.match(capabilities.revocationNote, /sallyport-revoked on the role agents .*within minutes/)
})

test('it has nothing to rotate, and says so', async () => {
  const provider = await makeProvider({ config: nowhere })
  await assert.rejects(provider.rotate('keys', new AbortController().signal), hasCode('rotation_unsupported'))
})

test('a contract that is wrong is refused before any secret is read', async () => {
  const wide = { ...listBuckets, means: { ...listBuckets.means, actions: ['s3:*'] } }
  const resolve = () => assert.fail('a secret was read')
  await assert.rejects(
    makeProvider({ config: nowhere, actions: [wide], resolve }),
    hasCode('contract_invalid'),
  )
  await assert.rejects(
    makeProvider({ config: { ...nowhere, role: 'x' }, resolve }),
    hasCode('contract_invalid'),
  )
})

test('a key of the broker that is not there stops the provider when it is built', async () => {
  const resolve = () => {
    throw new Failure('contract_invalid', 'ID is not set.')
  }
  await assert.rejects(makeProvider({ config: nowhere, resolve }), hasCode('contract_invalid'))
})
