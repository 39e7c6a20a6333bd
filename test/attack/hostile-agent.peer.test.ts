import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  accessSync,
  chmodSync,
  chownSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '../../client/src/index.ts'
import { type Entry, parseEntry } from '../../src/audit/index.ts'
import { createAuthority } from '../../src/catalog/index.ts'
import { contractText } from '../end-to-end/contract.ts'
import { type agents, root, spiffeId } from '../end-to-end/site.ts'
import type { Attempt, Briefing } from './hostile-agent.fixture.ts'
import { debuggerCalls } from './system-calls.ts'

/** Users that exist nowhere: the broker's, the hostile agent's, and a victim's. */
const users = { broker: 61_101, hostile: 61_102, victim: 61_103 } as const
type User = keyof typeof users

const skip =
  process.getuid?.() !== 0 ? 'needs root, to run the broker and the agent as different users' : unreadable()

/** Another user has to be able to run what is tested. */
function unreadable(): string | false {
  for (let path = root; path !== '/'; path = join(path, '..'))
    if ((statSync(path).mode & 0o001) === 0) return `other users may not enter ${path}`
  accessSync(join(root, 'src/cli/main.ts'))
  return false
}

describe('a hostile agent with a shell and an own user', { skip, timeout: 300_000 }, () => {
  let stage: Stage
  let attempts: readonly Attempt[]
  let entries: readonly Entry[]
  const running: ChildProcess[] = []
  before(async () => {
    stage = await setStage(running)
    attempts = await stage.letLoose()
    entries = await stage.entriesAfterStop()
  })
  // Also when the stage could not be set: a broker that runs on would hold the test's process up.
  after(async () => {
    for (const { pid } of running) endGroup(pid)
    await pause(200)
    stage?.remove()
  })

  test('got no secret of the broker, of the platform or of another agent', () => {
    assert.ok(attempts.length > 250, `${attempts.length} attempts`)
    for (const [name, secret] of stage.secrets())
      for (const attempt of attempts)
        assert.equal(attempt.saw.includes(secret), false, `${attempt.category}, ${attempt.name}: saw ${name}`)
  })

  test('was let into no process, no port and no dump', () => {
    const got = attempts.filter(({ saw }) => /\bGOT\b/.test(saw))
    assert.deepEqual(
      got.map(({ category, name, saw }) => `${category}, ${name}: ${saw.slice(0, 80)}`),
      [],
    )
    const asked = attempts.filter(({ category }) => category === 'core dumps' || category === 'ports')
    assert.ok(asked.length >= 40 && asked.every(({ saw }) => saw !== ''), 'each was answered')
    const ports = asked.filter(({ category }) => category === 'ports')
    assert.ok(ports.length > 0 && ports.every(({ saw }) => saw.includes('EADDRINUSE')))
  })

  test('while the broker’s own user, and root, see all of it: that user is the boundary', () => {
    const saw = stage.asBroker()
    for (const name of ['the administrator’s secret', 'the TLS key'])
      assert.ok(saw.includes(stage.secrets().get(name) ?? '?'), name)
    // The same commands work for root, so that it is the kernel that kept the agent out and not a mistake in them.
    for (const [name, answer] of stage.asRoot()) assert.match(answer, /GOT/, name)
  })

  test('widened no grant: what it got is its own', () => {
    for (const { category, name, got } of attempts) {
      if (!got) continue
      assert.equal(category, 'revoke against mint', `${name} got ${JSON.stringify(got)}`)
      assert.deepEqual(got.actions, ['vault:read'])
      assert.match(String(got.resource), /^globex\/[0-9]+$/)
    }
    assert.equal(
      attempts.filter(({ name }) => name === 'ALIVE').length,
      0,
      'no token outlived its revocation',
    )
    assert.equal(stage.victimLives(), true, 'the victim, its lease and the broker went on')
  })

  test('its own child was given one credential, no further descriptor and nothing that lay about', () => {
    const saw = attempts.find(({ category }) => category === 'own child')?.saw ?? ''
    assert.match(saw, /SALLYPORT_ACCESS_TOKEN=/)
    assert.doesNotMatch(saw, /ambient|SALLYPORT_CERT|PRIVATE KEY/)
    const before = attempts.find(({ category }) => category === 'inherited descriptors')?.saw ?? ''
    const descriptors = (text: string) =>
      [...text.matchAll(/ ([0-9]+) -> (?!\/proc\/)/g)].map((match) => match[1])
    // What the agent itself was started with is all that there can be beside the three.
    const known = new Set(['0', '1', '2', ...descriptors(before)])
    assert.deepEqual(
      descriptors(saw).filter((one) => !known.has(one ?? '')),
      [],
      saw,
    )
  })

  test('each attempt that reached the broker is an entry', () => {
    const known = new Set(entries.map(({ request_id }) => request_id))
    const traces = new Set(attempts.flatMap(({ trace }) => trace ?? []))
    const missing = attempts.filter(({ trace }) => trace && !known.has(trace))
    // An entry with a number carries the trace of the last that it counts; the others of it have none of their own.
    const counted = entries
      .filter(({ request_id, detail }) => traces.has(request_id) && detail?.['repeated'] !== undefined)
      .reduce((sum, { detail }) => sum + Number(detail?.['repeated']) - 1, 0)
    assert.equal(missing.length, counted, 'who has no entry of its own is counted in one')
    const told = entries.filter(
      ({ event, rule }) => event === 'request_refused' && /^request_(?:invalid|too_large)$/.test(rule ?? ''),
    )
    const brokenTold = told
      // One that breaks in its body may have begun as a request already: it is told as that besides.
      .filter(({ agent_id, scope }) => agent_id === '' && scope === '')
      .reduce((sum, { detail }) => sum + Number(detail?.['repeated'] ?? 1), 0)
    assert.equal(brokenTold, brokenOnes(attempts).length, 'what was no HTTP is told too')
  })

  test('the table', () => {
    const known = new Set(entries.map(({ request_id }) => request_id))
    const rows = Object.entries(Object.groupBy(attempts, ({ category }) => category)).map(
      ([category, of = []]) => ({
        category,
        attempts: of.length,
        'reached the broker': of.filter(({ trace, broken }) => trace !== undefined || broken).length,
        'with an entry of its own': of.filter(({ trace }) => trace !== undefined && known.has(trace)).length,
        'secrets seen': of.filter(({ saw }) =>
          [...stage.secrets().values()].some((secret) => saw.includes(secret)),
        ).length,
        widened: of.filter(({ got }) => got && !/^globex\/[0-9]+$/.test(String(got.resource))).length,
      }),
    )
    console.table(rows)
  })
})

function brokenOnes(attempts: readonly Attempt[]): readonly Attempt[] {
  return attempts.filter(({ broken }) => broken)
}

type Stage = {
  letLoose(): Promise<readonly Attempt[]>
  entriesAfterStop(): Promise<readonly Entry[]>
  /** By what they are. */
  secrets(): ReadonlyMap<string, string>
  victimLives(): boolean
  /** What the same commands show to the broker’s own user. */
  asBroker(): string
  /** What a debugger's calls answer root, by their names. */
  asRoot(): ReadonlyMap<string, string>
  remove(): void
}

async function setStage(running: ChildProcess[]): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-hostile-'))
  chmodSync(folder, 0o755)
  const place = (user: User, name: string) => join(folder, user, name)
  for (const user of ['broker', 'hostile', 'victim'] as const) {
    mkdirSync(join(folder, user), { mode: 0o700 })
    chownSync(join(folder, user), users[user], users[user])
  }
  const write = (user: User, name: string, content: string) => {
    writeFileSync(place(user, name), content, { mode: 0o600 })
    chownSync(place(user, name), users[user], users[user])
  }
  const since = join(folder, 'since')
  writeFileSync(since, '')
  const adminSecret = randomUUID()
  const life = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 }
  const authority = await createAuthority({ commonName: 'Stage CA', ...life })
  const server = await authority.issue({ purpose: 'server', addresses: ['127.0.0.1'], ...life })
  const ca = authority.own.certPem
  write('broker', 'server.pem', server.certPem)
  write('broker', 'server.key', server.keyPem)
  write('broker', 'ca.pem', ca)
  write('broker', 'sallyport.yaml', contract())
  write('broker', 'admin-secret', adminSecret)
  const keyOf = async (agent: (typeof agents)[number]) =>
    authority.issue({ purpose: 'client', uris: [spiffeId(agent)], ...life })
  const [victim, hostile, warden] = await Promise.all([keyOf('agent-7'), keyOf('robot'), keyOf('warden')])
  for (const [user, pem] of [
    ['victim', victim],
    ['hostile', hostile],
  ] as const) {
    write(user, 'own.pem', pem.certPem)
    write(user, 'own.key', pem.keyPem)
    write(user, 'ca.pem', ca)
  }

  const start = (user: User, words: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const child = spawn(process.execPath, words, {
      uid: users[user],
      gid: users[user],
      cwd: join(folder, user),
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: join(folder, user),
        TMPDIR: tmpdir(),
        NO_COLOR: '1',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    running.push(child)
    return child
  }
  const serve = async () => {
    const child = start(
      'broker',
      [
        join(root, 'src/cli/main.ts'),
        ...[
          'serve',
          '--json',
          '--contract',
          place('broker', 'sallyport.yaml'),
          '--data',
          place('broker', 'data'),
        ],
        ...[
          '--machine',
          '127.0.0.1:0',
          '--human',
          '127.0.0.1:0',
          '--tls-cert',
          place('broker', 'server.pem'),
        ],
        ...['--tls-key', place('broker', 'server.key'), '--client-ca', place('broker', 'ca.pem')],
      ],
      { AOS_MODE: 'test', STAGE_ADMIN: adminSecret },
    )
    const told = text(child.stderr)
    const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
    if (value === undefined) throw new Error(`The broker did not start: ${await told}`)
    const { machine, human } = JSON.parse(value)
    return { child, machineUrl: String(machine), humanUrl: String(human) }
  }
  const broker = await serve()
  const runWords = (user: User, rest: readonly string[]) => [
    join(root, 'src/cli/main.ts'),
    ...['run', '--url', broker.machineUrl, '--ca', place(user, 'ca.pem')],
    ...['--cert', place(user, 'own.pem'), '--cert-key', place(user, 'own.key'), ...rest],
  ]
  const client = (pem: { certPem: string; keyPem: string }, url = broker.machineUrl) =>
    createClient({ url, ca, identity: { kind: 'certificate', certificate: pem.certPem, key: pem.keyPem } })

  const idempotencyKey = randomBytes(16).toString('hex')
  const asking = client(victim)
  const leaked = await asking.request(
    { service: 'vault', action: 'read', resource: 'acme/secret' },
    { idempotencyKey },
  )
  if (leaked.kind !== 'issued') throw new Error('The victim got nothing.')
  const victimRun = start(
    'victim',
    runWords('victim', [
      ...['--service', 'vault', '--action', 'read', '--resource', 'acme/held'],
      '--',
      'sh',
      '-c',
      'echo "$SALLYPORT_ACCESS_TOKEN"; exec sleep 600',
    ]),
  )
  const victimToken = String(
    (await createInterface({ input: victimRun.stdout })[Symbol.asyncIterator]().next()).value,
  )
  const victimChild = Number(
    readFileSync(`/proc/${victimRun.pid}/task/${victimRun.pid}/children`, 'utf8').trim().split(' ')[0],
  )

  // What of a leak was given to the hostile agent is no secret any more; all the rest is.
  const secrets = new Map([
    ['the administrator’s secret', adminSecret],
    ['the TLS key', lineOf(server.keyPem)],
    ['the CA’s key', lineOf(authority.own.keyPem)],
    ['the victim’s key', lineOf(victim.keyPem)],
    ['the warden’s key', lineOf(warden.keyPem)],
    ['the victim’s token', victimToken.split('.')[2] ?? ''],
  ])
  for (const path of globSync(`${place('broker', 'data')}/keys/*`)) {
    const long = readFileSync(path, 'utf8').match(/"d": ?"([^"]+)"|\+([A-Za-z0-9+/=]{40,})\s*$/)
    secrets.set(path, long?.[1] ?? long?.[2] ?? readFileSync(path, 'utf8').slice(-40).trim())
  }
  for (const [name, secret] of secrets) assert.ok(secret.length >= 32, `${name} is a secret`)

  let lives = false
  const look = `cat /proc/${broker.child.pid}/environ ${place('broker', 'server.key')}`
  const own = { uid: users.broker, gid: users.broker, encoding: 'utf8' } as const
  const seenByBroker = spawnSync('sh', ['-c', look], own).stdout
  const seenByRoot = new Map(
    Object.entries(debuggerCalls(broker.child.pid ?? 0)).map(([name, command]) => [
      name,
      spawnSync('sh', ['-c', command], { encoding: 'utf8' }).stdout,
    ]),
  )
  return {
    secrets: () => secrets,
    victimLives: () => lives,
    asBroker: () => seenByBroker,
    asRoot: () => seenByRoot,
    async letLoose() {
      const briefing: Briefing = {
        machineUrl: broker.machineUrl,
        humanUrl: broker.humanUrl,
        brokerPid: broker.child.pid ?? 0,
        victimPids: [victimRun.pid ?? 0, victimChild],
        brokerFolder: join(folder, 'broker'),
        certificate: place('hostile', 'own.pem'),
        key: place('hostile', 'own.key'),
        ca,
        leaked: {
          leaseId: leaked.lease_id,
          idempotencyKey,
          token: String(leaked.credential['access_token']),
        },
        since,
        run: [
          process.execPath,
          ...runWords('hostile', ['--service', 'vault', '--action', 'read', '--resource', 'globex/child']),
        ],
      }
      write('hostile', 'briefing.json', JSON.stringify(briefing))
      const child = start('hostile', [
        join(import.meta.dirname, 'hostile-agent.fixture.ts'),
        place('hostile', 'briefing.json'),
      ])
      const told = text(child.stderr)
      const attempts: Attempt[] = []
      for await (const line of createInterface({ input: child.stdout })) attempts.push(JSON.parse(line))
      if (child.exitCode === null) await once(child, 'exit')
      assert.equal(child.exitCode, 0, await told)
      lives = alive(victimRun) && alive(broker.child)
      return attempts
    },
    async entriesAfterStop() {
      const seen = await asking.introspect(String(leaked.credential['access_token']))
      assert.equal(seen.active, true, 'nobody ended the victim’s lease')
      broker.child.kill('SIGTERM')
      await once(broker.child, 'exit')
      const again = await serve()
      const reader = client(warden, again.machineUrl)
      const lines: Buffer[] = []
      for await (const chunk of await reader.exportLog()) lines.push(Buffer.from(chunk))
      reader.close()
      asking.close()
      return Buffer.concat(lines)
        .toString('utf8')
        .split('\n')
        .flatMap((line) => parseEntry(Buffer.from(line)) ?? [])
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A line of the middle of a PEM text, which stands in no other. */
function lineOf(pem: string): string {
  return pem.split('\n')[1] ?? ''
}

/** A process and its children, each of which leads a group of its own. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It is over.
  }
}

function alive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}

function contract(): string {
  return contractText({
    providers: `tokens:
  kind: jwt
  config: { issuer: "https://sallyport.example.test", audience: "https://vault.example.test" }
admin:
  kind: env
  config: { values: { ADMIN: { env: STAGE_ADMIN } } }`,
    services: `vault:
  provider: tokens
  actions:
    read: { resource: "{thing+}", means: { scope: "vault:read" } }
admin:
  provider: admin
  actions:
    read: { resource: "{thing}", means: { variable: ADMIN } }`,
    grants: `- id: globex-reads-its-vault
  tenant: globex
  agents: ["*"]
  service: vault
  actions: [read]
  resources: ["globex/**"]
  modes: [TEST]
  maxDuration: 30m
- id: acme-reads-its-vault
  tenant: acme
  agents: ["*"]
  service: vault
  actions: [read]
  resources: ["acme/**"]
  modes: [TEST]
  maxDuration: 30m`,
  })
}
