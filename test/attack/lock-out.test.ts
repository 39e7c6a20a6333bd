import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Entry } from '../../src/audit/index.ts'
import { type Authority, createAuthority, createMachineKey } from '../../src/catalog/index.ts'
import { signCompact } from '../../src/testing/issuer.ts'
import { type Running, type Shown, seedRequest, sendRaw, spiffeId, startRunning } from '../running.ts'

const rates = {
  agentPerSecond: 5,
  agentBurst: 50,
  tenantPerSecond: 50,
  tenantBurst: 500,
  refusedPerSecond: 1,
  refusedBurst: 20,
  entriesEach: 20,
  periodMs: 2_000,
}
const explain = { method: 'POST', path: '/v1/explain', body: seedRequest } as const

describe('nobody can be locked out by somebody else', { timeout: 60_000 }, () => {
  let running: Running
  before(async () => {
    running = await startRunning({ rates })
  })
  after(() => running?.close())

  const statuses = (as: Shown, times: number) =>
    Promise.all(Array.from({ length: times }, async () => (await running.machine({ ...explain, as })).status))

  test('who shows a victim’s name without its proof is slowed down, and the victim is not, from the same address', async () => {
    const { 'agent-7': victim } = running.machines
    const attacks = await impostures(running)
    const before = await refusals(running)
    const imposture = async (as: Shown) => {
      const { status, headers } = await running.machine({ ...explain, as })
      return { status, retry: headers['retry-after'] }
    }
    const each = 30
    const answers = await Promise.all(
      Array.from({ length: each }, () => Object.values(attacks).map(imposture)).flat(),
    )
    const slowed = answers.filter(({ status }) => status === 429)
    assert.equal(answers.length, each * 8)
    assert.ok(answers.every(({ status }) => [401, 403, 429].includes(status)))
    assert.ok(slowed.length > answers.length / 2, `${slowed.length} of ${answers.length} were slowed down`)
    assert.ok(slowed.every(({ retry }) => Number(retry) >= 1))
    for (const who of [
      { certificate: victim.certificate },
      { bearer: victim.bearer },
      { machineKey: victim.machineKey },
    ])
      assert.deepEqual(await statuses(who, 3), [200, 200, 200])

    await until(
      async () => (await refusals(running)) - before === answers.length,
      'every attempt is told in the log',
    )
    const written = (await running.entries()).filter(({ event }) => event === 'identity_refused').length
    assert.ok(written < answers.length, `${written} entries tell of ${answers.length} attempts`)
    console.log(
      `${answers.length} impostures in ${written} entries, ${slowed.length} slowed down, the victim never`,
    )
  })

  test('an address is the connection’s: no header makes an attacker another, or a victim the attacker', async () => {
    const failing = (from: string, forwarded: string) =>
      sendRaw(
        { url: running.broker.machineUrl, ca: running.authority.own.certPem, from },
        `GET /v1/leases HTTP/1.1\r\nHost: b\r\nConnection: close\r\nX-AOS-Key: none\r\nX-Forwarded-For: ${forwarded}\r\n` +
          `Forwarded: for=${forwarded}\r\nX-Real-IP: ${forwarded}\r\n\r\n`,
      )
    const victimAt = '127.0.0.5'
    const statuses: string[] = []
    for (let n = 0; n < 40; n += 1) {
      const claimed = n % 2 === 0 ? victimAt : `10.0.0.${n}`
      statuses.push((await failing('127.0.0.4', claimed)).slice(9, 12))
    }
    assert.ok(statuses.slice(0, rates.refusedBurst).every((status) => status === '401'))
    assert.ok(statuses.filter((status) => status === '429').length >= 10, statuses.join())
    assert.equal((await failing(victimAt, '127.0.0.4')).slice(9, 12), '401', 'the victim is still told why')
    const told = (await running.entries()).flatMap(({ detail }) => detail?.['address'] ?? [])
    assert.ok(!told.some((address) => String(address).startsWith('10.')), 'a claimed address is no address')
  })

  test('an agent that floods slows down itself alone, whichever proof it shows', async () => {
    const { 'agent-8': flooder, 'agent-7': colleague, robot } = running.machines
    const flood = await Promise.all([
      statuses({ machineKey: flooder.machineKey }, 150),
      statuses({ bearer: flooder.bearer }, 150),
    ])
    const through = flood.flat().filter((status) => status === 200).length
    assert.ok(through >= rates.agentBurst && through < 150, `${through} of 300 got through`)
    assert.ok(flood.flat().every((status) => status === 200 || status === 429))
    assert.deepEqual(await statuses(colleague, 10), Array(10).fill(200))
    assert.deepEqual(await statuses(robot, 10), Array(10).fill(200))
    await until(async () => {
      const entries = (await running.entries()).filter(
        ({ rule, agent_id }) => rule === 'rate_limited' && agent_id === 'agent-8',
      )
      return total(entries) === 300 - through
    }, 'every slowed request is told in the log, by the name of who sent it')
  })

  test('a revocation, an idempotency key or a wrong request of one agent stops nothing of another', async () => {
    const { warden: attacker, 'agent-7': victim } = running.machines
    const headers = { 'idempotency-key': 'one-key' }
    const ask = (as: Shown, body: unknown) =>
      running.machine({ method: 'POST', path: '/v1/credentials', body, as, headers })
    const thing = (name: string) => ({ service: 'vault', action: 'read', resource: `acme/${name}` })
    assert.equal((await ask({ machineKey: attacker.machineKey }, thing('theirs'))).status, 201)
    for (let n = 0; n < 15; n += 1) {
      assert.equal((await ask({ machineKey: attacker.machineKey }, thing(`other-${n}`))).status, 422)
      assert.equal((await ask({ machineKey: attacker.machineKey }, { nonsense: n })).status, 400)
    }
    assert.equal((await ask({ machineKey: victim.machineKey }, thing('own'))).status, 201)
  })

  test('one entry a minute tells of a flood that nobody proved', async () => {
    const before = (await running.entries()).length
    await Promise.all(
      Array.from({ length: 400 }, () => running.machine({ path: `/v1/${randomBytes(4).toString('hex')}` })),
    )
    await until(async () => {
      const entries = (await running.entries()).slice(before).filter(({ rule }) => rule === 'not_found')
      return total(entries) === 400 && entries.length < 100
    }, 'the flood is a number')
  })
})

/** What names the victim, or is near to it, and does not prove it. */
async function impostures(running: Running): Promise<Readonly<Record<string, Shown>>> {
  const life = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 }
  const stranger = await createAuthority({ commonName: 'Wire CA', ...life })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const seconds = Math.floor(Date.now() / 1000)
  const claims = {
    iss: running.issuers.machine.issuer,
    aud: 'sallyport',
    sub: 'system:serviceaccount:agent-7',
    iat: seconds,
    exp: seconds + 300,
  }
  const { 'agent-7': victim } = running.machines
  const issue = async (authority: Authority, uri: string) => ({
    certificate: await authority.issue({ purpose: 'client', uris: [uri], ...life }),
  })
  const own = await createAuthority({ commonName: 'Wire CA', ...life, from: running.authority.own })
  const [head = ''] = victim.bearer.split('.')
  return {
    'a stranger’s certificate with its SPIFFE ID': await issue(stranger, spiffeId('agent-7')),
    'a neighbour of its trust domain': await issue(own, `${spiffeId('agent-7')}0`),
    'its SPIFFE ID in another trust domain': await issue(
      own,
      'spiffe://other.test/tenant/acme/agent/agent-7',
    ),
    'a token in its name': {
      bearer: signCompact({ alg: 'ES256', typ: 'JWT', kid: 'stranger' }, claims, privateKey),
    },
    'a token in its name, by the name of the right key': {
      bearer: signCompact(JSON.parse(Buffer.from(head, 'base64url').toString()), claims, privateKey),
    },
    'its token with another signature': { bearer: `${victim.bearer.slice(0, -86)}${'A'.repeat(86)}` },
    'a key': { machineKey: createMachineKey(randomBytes).key.reveal() },
    'a key that begins like its own': { machineKey: nextTo(victim.machineKey) },
  }
}

/** A key with a right checksum that differs from this one in the last random character alone. */
function nextTo(key: string): string {
  const places = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const bytes = Array.from(key.slice(3, 33), (character) => places.indexOf(character))
  const changed = bytes.map((byte, at) => (at === 29 ? (byte + 1) % 62 : byte))
  const made = createMachineKey(() => Buffer.from(changed)).key.reveal()
  assert.equal(made.slice(0, 32), key.slice(0, 32))
  assert.notEqual(made, key)
  return made
}

async function refusals(running: Running): Promise<number> {
  return total((await running.entries()).filter(({ event }) => event === 'identity_refused'))
}

/** How many requests these entries tell of. */
export function total(entries: readonly Entry[]): number {
  return entries.reduce((sum, { detail }) => sum + Number(detail?.['repeated'] ?? 1), 0)
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds()) return
    await pause(100)
  }
  assert.fail(what)
}
