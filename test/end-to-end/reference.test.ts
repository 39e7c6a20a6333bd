import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Client, createClient } from '../../client/src/index.ts'
import { type Program, runProgram, startProgram } from '../../src/cli/program.fixture.ts'

const reference = 'cred://orders/order-7/read'
const words = { service: 'orders-api', action: 'read-order', resource: 'order-7' }

describe('a credential by reference, from a running broker', { timeout: 60_000 }, () => {
  let folder: string
  let broker: Program
  let client: Client
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-reference-'))
    broker = startProgram(['dev', '--dir', folder, '--port', '0', '--human-port', '0', '--json'])
    await broker.shows(/\n/)
    const { machine_url: url }: { machine_url: string } = JSON.parse(broker.out())
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    const identity = {
      kind: 'certificate',
      certificate: read('agent-7.pem'),
      key: read('agent-7.key'),
    } as const
    client = createClient({ url, ca: read('ca.pem'), identity })
  })
  after(async () => {
    client?.close()
    broker?.process.kill('SIGTERM')
    await broker?.ended
    rmSync(folder, { recursive: true, force: true })
  })

  const sallyport = (...given: readonly string[]) => runProgram(given, { SALLYPORT_DEV: folder })

  test('the client gets what the three words get, and the log says by which reference', async () => {
    const [byReference, byWords] = [
      await client.request({ credentialRef: reference, duration: '5m' }),
      await client.request({ ...words, duration: '5m' }),
    ]
    if (byReference.kind === 'denied' || byWords.kind === 'denied') assert.fail('it was denied')
    assert.deepEqual(byReference.effective.resources, byWords.effective.resources)
    assert.deepEqual([byReference.grant, byReference.meaning], [byWords.grant, byWords.meaning])
    const { code, out } = await sallyport('audit', 'show', String(byReference.receipt.index), '--json')
    assert.equal(code, 0)
    assert.equal(JSON.parse(out).detail.credential_ref, reference)
    await client.revoke(byReference.lease_id)
  })

  test('the client is told what a reference would get, and that an unknown one is denied', async () => {
    assert.equal((await client.explain({ credentialRef: reference })).decision, 'allow')
    const denied = await client.request({ credentialRef: 'cred://orders/order-8/read' })
    assert.equal(denied.kind === 'denied' && denied.rule, 'reference_unknown')
  })

  test('request, explain and run take it on the command line', async () => {
    const asked = await sallyport('request', '--credential-ref', reference, '--duration', '5m', '--json')
    assert.equal(asked.code, 0, asked.out + asked.err)
    assert.deepEqual(JSON.parse(asked.out).effective.resources, ['order-7'])
    assert.equal((await sallyport('explain', '--credential-ref', reference)).code, 0)
    const ran = await sallyport(
      'run',
      '--credential-ref',
      reference,
      '--',
      'sh',
      '-c',
      'test -n "$SALLYPORT_ACCESS_TOKEN"; exit 7',
    )
    assert.equal(ran.code, 7, ran.err)
    const unknown = await sallyport(
      'run',
      '--credential-ref',
      'cred://orders/x/read',
      '--',
      'echo',
      'started',
    )
    assert.deepEqual([unknown.code, unknown.out], [3, ''])
  })

  test('a reference beside a word, and too few words, ask for nothing', async () => {
    for (const given of [
      ['request', 'orders-api', '--credential-ref', reference],
      ['explain', 'orders-api', 'read-order', 'order-7', '--credential-ref', reference],
      ['run', '--resource', 'order-7', '--credential-ref', reference, '--', 'echo'],
      ['request', 'orders-api', 'read-order'],
      ['request'],
    ])
      assert.equal((await sallyport(...given)).code, 2, given.join(' '))
  })
})
