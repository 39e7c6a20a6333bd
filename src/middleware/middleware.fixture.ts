import assert from 'node:assert/strict'
import type { Gatekeeper } from '../planes/index.ts'
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
