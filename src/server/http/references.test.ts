import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startRunning } from '../../../test/running.ts'

const listing = 'cred://acme/bucket-123/list'
const references = `references:
  field: credentialRef
  pattern: '^cred://[a-z0-9-]+(/[a-z0-9-]+)+$'
  resolves:
    ${listing}: { service: aws-s3, action: list-buckets, resource: bucket-123 }
`
const running = await startRunning({ contract: (text) => `${text}\n${references}` })
after(() => running.close())
const agent = { certificate: running.machines['agent-7'].certificate }

function ask(body: unknown, path = '/v1/credentials') {
  return running.machine({ method: 'POST', path, body, as: agent })
}

test('a reference in place of service, action and resource is issued what it stands for', async () => {
  const answer = await ask({ credentialRef: listing, duration: '5m', purpose: 'an audit' })
  assert.equal(answer.status, 201, answer.text)
  assert.match(answer.text, /"resources":\["bucket-123"\]/)
})

test('an unknown reference is denied by a rule of its own', async () => {
  const answer = await ask({ credentialRef: 'cred://acme/bucket-9/list' })
  assert.equal(answer.status, 403)
  assert.match(answer.text, /"rule":"reference_unknown"/)
})

test('explaining takes a reference as well', async () => {
  const answer = await ask({ credentialRef: listing }, '/v1/explain')
  assert.equal(answer.status, 200, answer.text)
  assert.match(answer.text, /"decision":"allow"/)
})

test('a reference with words beside it, or in another form, is no request', async () => {
  const words = { service: 'aws-s3', action: 'list-buckets', resource: 'bucket-123' }
  for (const body of [
    { credentialRef: listing, ...words },
    { credentialRef: listing, resource: 'bucket-9' },
    { credentialRef: 'aws-s3' },
    { credentialRef: '' },
    { credentialRef: null, ...words },
    { credentialRef: [listing] },
    { credentialRef: `cred://${'a'.repeat(250)}` },
    { credential_ref: listing },
  ]) {
    const answer = await ask(body)
    assert.equal(answer.status, 400, JSON.stringify(body))
    assert.match(answer.text, /"code":"request_invalid"/)
  }
})
