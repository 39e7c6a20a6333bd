import assert from 'node:assert/strict'
import { globSync, readFileSync, statSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { Failure, Secret } from '../../src/primitives/index.ts'
import { type Running, type Shown, startRunning } from '../running.ts'

const marker = 'MARKER'
const rounds = 60

describe('a secret is where it must be and nowhere else', { timeout: 60_000 }, () => {
  let running: Running
  let owner: Shown
  const secrets = new Set<string>()
  before(async () => {
    running = await startRunning()
    owner = { machineKey: running.machines['agent-7'].machineKey }
    for (const { bearer, machineKey, certificate } of Object.values(running.machines))
      for (const secret of [bearer, machineKey, certificate.keyPem.split('\n')[1] ?? '']) secrets.add(secret)
    for (const { bearer } of Object.values(running.people)) secrets.add(bearer ?? '')
  })
  after(() => running?.close())

  const issue = (service: 'aws-s3' | 'vault', n: number, as: Shown = owner) =>
    running.machine({
      method: 'POST',
      path: '/v1/credentials',
      as,
      body:
        service === 'vault'
          ? { service, action: 'read', resource: `acme/${n}`, purpose: `round ${n}` }
          : { service, action: 'list-buckets', resource: `bucket-${n}` },
    })

  test('minted, revoked, refused and failed: the log, the store, the notes, the metrics and the answers of others hold none', async () => {
    const others: string[] = []
    for (let round = 0; round < rounds; round += 1)
      for (const service of ['aws-s3', 'vault'] as const) {
        const answer = await issue(service, round)
        assert.equal(answer.status, 201, answer.text)
        const { access_token: token } = Object(answer.json['credential'])
        if (token !== undefined) secrets.add(String(token))
        const minted = running.fake.live.get(String(answer.json['lease_id']))?.minted.credential.fields ?? {}
        for (const value of Object.values(minted)) if (value instanceof Secret) secrets.add(value.reveal())
        others.push(
          (await running.machine({ path: `/v1/leases/${answer.json['lease_id']}`, as: owner })).text,
        )
      }
    // A provider that puts its own secret into every word it says.
    const upstream = `${marker}-upstream-secret`
    for (const code of ['provider_refused', 'provider_unreachable', 'provider_answer_invalid'] as const) {
      const failure = new Failure(code, 'The provider did not mint.', {
        internal: 'an address',
        cause: new Error(upstream),
      })
      running.fake.enqueue({ mint: Array.from({ length: 4 }, () => ({ kind: 'fail' as const, failure })) })
      others.push((await issue('vault', 1_000)).text)
    }
    for (const who of [
      running.people.dana,
      {},
      { machineKey: running.machines['agent-7'].machineKey.slice(0, -1) },
    ])
      others.push((await issue('vault', 1, who)).text)
    others.push((await running.machine({ path: '/v1/leases?limit=1000', as: owner })).text)
    others.push((await running.machine({ path: '/metrics' })).text)
    others.push(JSON.stringify(running.notes))
    const chunks: Buffer[] = []
    for await (const chunk of running.broker.assembled.log.export()) chunks.push(Buffer.from(chunk))
    others.push(Buffer.concat(chunks).toString('utf8'))
    const files = globSync('data/**/*', { cwd: running.folder })
      .map((name) => `${running.folder}/${name}`)
      .filter((path) => statSync(path).isFile())
    for (const path of files) others.push(readFileSync(path).toString('latin1'))

    assert.ok(secrets.size > rounds, `${secrets.size} secrets`)
    for (const secret of [...secrets, upstream])
      for (const text of others)
        assert.equal(text.includes(secret), false, `${secret.slice(0, 12)}… stands in ${text.slice(0, 200)}`)
    console.log(`${secrets.size} secrets in none of ${others.length} texts, ${files.length} files among them`)
  })

  test('no answer holds both a credential and an error', async () => {
    for (const answer of [
      await issue('vault', 1),
      await issue('aws-s3', 1),
      await running.machine({
        method: 'POST',
        path: '/v1/credentials',
        as: owner,
        body: { service: 'vault', action: 'read', resource: 'globex/1' },
      }),
      await running.machine({ method: 'POST', path: '/v1/credentials', as: owner, body: {} }),
    ]) {
      assert.equal('credential' in answer.json, answer.status === 201)
      assert.equal('code' in answer.json, answer.status !== 201)
    }
  })

  test('when the outcome cannot be written, the credential is killed and the answer does not hold it', async () => {
    const alive = running.fake.live.size
    running.fake.enqueue({ mint: [{ kind: 'wait', milliseconds: 50 }] })
    const asking = issue('vault', 2_000)
    setTimeout(() => running.setStore('broken'), 25)
    const answer = await asking
    running.setStore('whole')
    assert.deepEqual([answer.status, answer.json['code']], [503, 'log_unwritable'])
    assert.equal('credential' in answer.json, false)
    assert.equal(running.fake.live.size, alive)
  })

  test('however it is printed, a secret says nothing of itself', async () => {
    const { inspect } = await import('node:util')
    const secret = new Secret(marker)
    const nested = {
      secret,
      list: [secret],
      map: new Map([['secret', secret]]),
      error: new Error('no', { cause: secret }),
    }
    for (const text of [
      String(secret),
      `${secret}`,
      JSON.stringify(nested),
      inspect(nested, { depth: null, showHidden: true }),
      inspect(secret, { customInspect: false, showHidden: true }),
      Object.entries(secret).join(),
      JSON.stringify(structuredClone({ ...secret })),
    ])
      assert.doesNotMatch(text, new RegExp(marker))
  })
})
