import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { provenTokenLimits } from '../src/catalog/proven-tokens.ts'
import { sha256Hex } from '../src/primitives/index.ts'
import { freePort } from '../src/testing/free-port.ts'
import type { Bench, Comparison, Scale, Skipped } from './harness.ts'
import type { AuthFloorOrder } from './rig/auth-floor.ts'
import { createContenders } from './rig/contenders.ts'
import { startIssuer } from './rig/issuer.ts'
import { requestText } from './rig/load.ts'
import { cores, type Pinned, startPinned, unpinnable } from './rig/pinned.ts'

const root = join(import.meta.dirname, '..')
const nginx = '/usr/sbin/nginx'
const connections = 64
const seconds: Readonly<Record<Scale, number>> = { full: 1.5, short: 0.5 }

type Server = { readonly process: Pinned; readonly port: number }

/** What a proxy waits for at each request, against servers that do the least that could do, and through nginx. */
export const forwardAuth: Bench = {
  name: 'forward-auth',
  title: 'verdicts a second of one core, against bare verification and static answers',
  rounds: { full: 5, short: 1 },
  open: async (scale, world) => {
    const skipped = unpinnable()
    if (skipped !== undefined) return [{ row: 'all', skipped }]
    const key = `aos_${randomBytes(24).toString('base64url')}`
    const issuer = await startIssuer()
    world.defer(() => issuer.stop())
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
    world.defer(() => rmSync(folder, { recursive: true, force: true }))
    const gate = await startGate(folder, { issuer: issuer.url, key })
    const verify = await startFloor({ kind: 'verify', publicKeyPem: issuer.publicKeyPem })
    const fixed = await startFloor({ kind: 'static' })
    for (const { process } of [gate, verify, fixed]) world.defer(() => process.stop())
    const withToken = { authorization: `Bearer ${issuer.token('user_1')}` }
    const withKey = { 'x-aos-key': key }
    // The issuer's keys are fetched at the first token, which is not what is measured.
    await requireAdmitted(gate.port, withToken)
    const { rate, perCpuSecond } = createContenders({ connections, seconds: seconds[scale] })
    const asked = (headers: Readonly<Record<string, string>>, path: string) => ({
      requests: [requestText({ method: 'GET', path, headers })],
    })
    const [human, machine] = ['/api/v1/accounts/7', '/api/v1/runs/7']
    const tokens = asked(withToken, `/envoy${human}`)
    // More than are remembered, in turn: each is verified as at first sight.
    const strangers = Array.from({ length: provenTokenLimits.tokensMax + connections * 8 }, (_, at) =>
      requestText({
        method: 'GET',
        path: `/envoy${human}`,
        headers: { authorization: `Bearer ${issuer.token(`user_${at}`)}` },
      }),
    )
    const keys = asked(withKey, `/envoy${machine}`)
    const direct: readonly Comparison[] = [
      {
        row: 'token of a person (ES256)',
        subject: rate('sallyport', gate, tokens),
        against: rate('verify once in node:http', verify, tokens),
        goal: 0.8,
        wants: 'at least',
        unit: 'requests/s',
      },
      {
        row: 'tokens never seen before (ES256)',
        subject: rate('sallyport', gate, { requests: strangers }),
        against: rate('verify once in node:http', verify, { requests: strangers }),
        goal: 0.8,
        wants: 'at least',
        unit: 'requests/s',
      },
      {
        row: 'machine key',
        // Who sends the requests takes more of a core than a static answer does.
        subject: perCpuSecond('sallyport', gate, keys),
        against: perCpuSecond('static answer of node:http', fixed, keys),
        goal: 0.6,
        wants: 'at least',
        unit: 'requests a second of CPU',
      },
    ]
    if (!existsSync(nginx)) return [...direct, { row: 'through nginx', skipped: `there is no ${nginx}` }]
    const [guarded, unguarded] = [await startNginx(gate.port, world), await startNginx(fixed.port, world)]
    const against = 'nginx with a static auth_request answer'
    return [
      ...direct,
      ...[
        { row: 'machine key through nginx', ask: asked(withKey, machine) },
        { row: 'token through nginx', ask: asked(withToken, human) },
      ].map(({ row, ask }): Comparison | Skipped => ({
        row,
        subject: rate('nginx with sallyport', guarded, ask),
        against: rate(against, unguarded, ask),
        goal: 0.8,
        wants: 'at least',
        unit: 'requests/s',
      })),
    ]
  },
}

async function requireAdmitted(port: number, headers: Readonly<Record<string, string>>): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${port}/envoy/api/v1/accounts/7`, { headers })
  if (status !== 200) throw new Error(`The endpoint answers ${status}.`)
}

async function startFloor(order: AuthFloorOrder): Promise<Server> {
  const program = join(import.meta.dirname, 'rig/auth-floor.ts')
  const floor = startPinned([process.execPath, program, JSON.stringify(order)], { core: cores.server })
  return { process: floor, port: Number(await floor.line()) }
}

/** `sallyport planes serve` with the contract of seed 003. */
async function startGate(folder: string, trusted: { issuer: string; key: string }): Promise<Server> {
  const trust = join(folder, 'planes.json')
  const { issuer, key } = trusted
  const clerk = { issuer, audience: 'sallyport', algorithms: ['ES256'], jwksUri: `${issuer}/jwks` }
  const digest = `sha256:${sha256Hex(key)}`
  writeFileSync(trust, JSON.stringify({ issuers: { clerk }, keys: { machine: { 'ci-runner': digest } } }))
  const words = ['planes', 'serve', '--contract', join(root, 'contracts/agenticverz.yaml'), '--trust', trust]
  const gate = startPinned(
    [process.execPath, join(root, 'src/cli/main.ts'), ...words, '--listen', '127.0.0.1:0', '--json'],
    { core: cores.server, env: { AOS_MODE: 'prod', DB_AUTHORITY: 'neon' } },
  )
  const { url }: { url: string } = JSON.parse(await gate.line())
  return { process: gate, port: Number(new URL(url).port) }
}

/** The example's configuration, one worker, on the core of the endpoint; the back end answers from the same nginx. */
async function startNginx(planes: number, world: AsyncDisposableStack): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-nginx-'))
  const [port, backend] = [await freePort(), await freePort()]
  const text = readFileSync(join(root, 'examples/fastapi-backend/nginx.conf'), 'utf8')
    .replaceAll('8080', String(port))
    .replaceAll('8000', String(backend))
    .replaceAll('7423', String(planes))
    .replace(
      /\}\s*$/,
      `server { listen 127.0.0.1:${backend}; keepalive_requests 1000000; location / { return 200 ok; } } }`,
    )
    .replace('access_log off;', 'access_log off; keepalive_requests 1000000;')
  writeFileSync(join(folder, 'nginx.conf'), text)
  const global = `daemon off; pid ${folder}/pid; worker_processes 1;`
  const proxy = startPinned([nginx, '-p', folder, '-c', 'nginx.conf', '-e', 'stderr', '-g', global], {
    core: cores.server,
  })
  world.defer(async () => {
    await proxy.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  for (let looks = 0; looks < 100 && proxy.exitCode() === null; looks += 1) {
    const ready = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    )
    if (ready) return { process: proxy, port }
    await pause(50)
  }
  throw new Error('nginx did not start.')
}
