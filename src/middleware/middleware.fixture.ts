import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../cli/program.fixture.ts'
import type { Gatekeeper } from '../planes/index.ts'
import { contractWith } from '../planes/planes.fixture.ts'
import { ask, type Scene } from '../server/forward-auth/scene.fixture.ts'

/** A service with the middleware before one handler that answers `{caller, headers}`, for every path. */
export type Service = { readonly url: string; readonly handled: () => number; close(): Promise<unknown> }

/** What every middleware must do; each test runs it with its own framework. */
export async function holdsThePlanes(
  scene: Scene,
  start: (gatekeeper: Gatekeeper) => Promise<Service>,
): Promise<void> {
  const service = await start((await scene.open('PROD')).gatekeeper)
  try {
    const human = ['Authorization', `Bearer ${await scene.issuer.token('user_1')}`]
    const machine = ['X-AOS-Key', scene.machineKey]
    const forged = ['X-Sallyport-Subject', 'somebody-else', 'X-Sallyport-Tenant', 'theirs']
    const send = (path: string, headers: readonly string[]) => ask(service.url, path, headers)

    const person = await send('/api/v1/accounts/7?x=1', [...human, ...forged])
    assert.equal(person.status, 200, person.body)
    const subject = `${scene.issuer.issuer}#user_1`
    assert.deepEqual(JSON.parse(person.body).caller, { plane: 'human', subject })
    assert.equal((await send('/api/v1/runs/7', machine)).status, 200)
    const handled = service.handled()
    assert.equal(handled, 2)
    for (const [path, headers, status, error] of [
      ['/api/v1/accounts/7', [], 401, 'identity_missing'],
      ['/api/v1/accounts/7', machine, 403, 'plane_crossed'],
      ['/api/v1/runs/7', human, 403, 'plane_crossed'],
      ['/api/v1/runs/7', [...human, ...machine], 403, 'plane_crossed'],
      ['/api/v1/runs/7', ['X-AOS-Key', `${scene.machineKey}x`], 401, 'machine_key_invalid'],
      ['/__debug/openapi_nocache', human, 404, 'not_found'],
      ['/nowhere', machine, 404, 'not_found'],
    ] as const) {
      const reply = await send(path, headers)
      assert.deepEqual([path, reply.status, reply.body], [path, status, JSON.stringify({ error })])
    }
    for (const path of [
      '/api/v1/runs/../accounts/7',
      '/api/v1/%61ccounts/7',
      '/api/v1//accounts/7',
      '/api/v1/runs/%2e%2e/accounts/7',
    ])
      assert.notEqual((await send(path, machine)).status, 200, path)
    assert.notEqual((await send('/api/v1/runs/7', [...machine, ...machine])).status, 200)
    assert.equal(service.handled(), handled)
  } finally {
    await service.close()
  }
}

/** Gates on paths of the machine plane; a service has one handler for each, and for nothing else. */
const gated = contractWith(
  '"/api/v1/telemetry/*"]',
  '"/api/v1/telemetry/*", "/__debug", "/__debug/*"]',
  ['      /__debug/openapi_inspect:', '      /__debug/7!purge: Purges\n      /__debug/openapi_inspect:'],
  ['      /__debug/openapi_inspect:', '      "/__debug/table/*": Tables\n      /__debug/openapi_inspect:'],
)
export const gatedRoutes = ['/__debug/openapi_nocache', '/__debug/7!purge', '/__debug/table/*'] as const

/** `reached` are spellings that this framework takes to a handler; none of them passes a closed gate, and in a mode that has it all do. */
export async function keepsGatesClosed(
  scene: Scene,
  start: (gatekeeper: Gatekeeper) => Promise<Service>,
  reached: readonly string[],
): Promise<void> {
  const key = ['X-AOS-Key', scene.machineKey]
  const closed = await start((await scene.open('PROD', undefined, gated)).gatekeeper)
  const open = await start((await scene.open('TEST', undefined, gated)).gatekeeper)
  try {
    for (const path of ['/__debug/openapi_nocache', '/__debug/7!purge', '/__debug/table/users', ...reached]) {
      const refused = await ask(closed.url, path, key)
      assert.deepEqual([path, refused.status, refused.body], [path, 404, '{"error":"not_found"}'])
      assert.deepEqual([path, (await ask(open.url, path, key)).status], [path, 200])
    }
    assert.deepEqual([closed.handled(), open.handled()], [0, 3 + reached.length])
  } finally {
    await Promise.all([closed.close(), open.close()])
  }
}

/** Whether somebody's own handler, which stands before the middleware, answers a request: the crossing that the probe must find. */
export type Planted = (path: string | undefined, machineKey: unknown) => boolean

/** `planes probe` of a service with the middleware: without a crossing it finds none, and with one that one alone, by its name. */
export async function probeTellsCrossings(
  scene: Scene,
  start: (gatekeeper: Gatekeeper, planted: Planted) => Promise<Pick<Service, 'url' | 'close'>>,
): Promise<void> {
  const { gatekeeper } = await scene.open('PROD')
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-middleware-'))
  const { machineKey: machine, sandboxKey: sandbox } = scene
  const credentials = { human: await scene.issuer.token('user_1'), machine, sandbox }
  const words = Object.entries(credentials).flatMap(([plane, credential]) => {
    writeFileSync(join(folder, plane), credential, { mode: 0o600 })
    return ['--credential', `${plane}=${join(folder, plane)}`]
  })
  const probed = async (planted: Planted) => {
    const { url, close } = await start(gatekeeper, planted)
    const { code, out, err } = await runProgram([
      ...['planes', 'probe', url, '--mode', 'PROD', '--format', 'json', ...words],
      ...['--contract', join(import.meta.dirname, '../../contracts/agenticverz.yaml')],
    ])
    await close()
    assert.equal(err, '')
    const { findings } = JSON.parse(out)
    return [code, findings.map(({ severity, message }: Record<string, string>) => `${severity}: ${message}`)]
  }
  try {
    assert.deepEqual(await probed(() => false), [0, []])
    const crossing = 'security-bug: Machine key accepted on human endpoint /api/v1/accounts/*'
    const takesKeys: Planted = (path, key) =>
      path?.startsWith('/api/v1/accounts/') === true && key === machine
    assert.deepEqual(await probed(takesKeys), [1, [crossing]])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
