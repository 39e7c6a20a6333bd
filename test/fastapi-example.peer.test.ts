import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { unconfinable } from '../src/cli/confinement.ts'
import { query } from '../src/cli/migrate.fixture.ts'
import { runProgram, startProgram } from '../src/cli/program.fixture.ts'
import {
  example,
  freePorts,
  type Ports,
  programOf,
  type Running,
  startFastapi,
  startProxy,
} from '../src/server/forward-auth/proxies.fixture.ts'
import { ask, type Scene, setScene, tuples } from '../src/server/forward-auth/scene.fixture.ts'
import { startPostgres } from '../src/testing/index.ts'

const contract = ['--contract', join(example, '../../contracts/agenticverz.yaml')]
const postgres = await startPostgres()
const missing = (['nginx', 'uvicorn', 'alembic', 'python'] as const).find((name) => !programOf(name))
const skip =
  (postgres.kind === 'unavailable' ? postgres.reason : unconfinable()) ??
  (missing === undefined ? false : `no ${missing} here`)

/** The steps of the example's README, in its order; each stands on those before it. */
describe('the example: FastAPI, Alembic and nginx', { skip, timeout: 180_000 }, () => {
  const url = postgres.kind === 'running' ? postgres.url : ''
  const venv = { PATH: `${dirname(programOf('alembic') ?? '')}:${process.env['PATH']}` }
  const database = { ...venv, ...tuples.PREPROD, DB_ROLE: 'staging', DATABASE_URL: url }
  const upgrade = ['alembic', '-c', join(example, 'alembic.ini'), 'upgrade', 'head']
  const migrate = (env: Readonly<Record<string, string>>) =>
    runProgram(['migrate', ...contract, '--', 'env', 'PYTHONDONTWRITEBYTECODE=1', ...upgrade], env)
  let scene: Scene
  let folder: string

  before(async () => {
    scene = await setScene()
    folder = mkdtempSync(join(tmpdir(), 'sallyport-fastapi-'))
    const credentials = { human: await scene.issuer.token('user_1'), machine: scene.machineKey }
    for (const [plane, value] of Object.entries(credentials)) writeFileSync(join(folder, plane), value)
  })
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await scene.close()
    if (postgres.kind === 'running') await postgres.stop()
  })

  test('an empty database is told what it lacks, and Alembic is not started', async () => {
    const { code, err } = await migrate(database)
    assert.equal(code, 78)
    assert.match(err, /is empty: runs, tenants .*create_all\(\).*PIN-542/s)
  })

  test('Alembic migrates through sallyport, as the role of the database allows', async () => {
    const env = { ...process.env, ...database, PYTHONDONTWRITEBYTECODE: '1' }
    execFileSync(programOf('python') ?? '', ['models.py'], { cwd: example, env })
    const secret = { ...database, ANTHROPIC_API_KEY: 'not-for-a-migration' }
    assert.equal((await migrate({ ...secret, DB_ROLE: 'replica' })).code, 78)
    const { code, err } = await migrate(secret)
    assert.equal(code, 0, err)
    assert.match(err, /DB_ROLE=staging decides, DB_AUTHORITY=neon informs; .* stamped staging/)
    assert.deepEqual(await query(url, 'select version_num from alembic_version'), [{ version_num: '0001' }])
    const confirmed = { CUSTOMER_SANDBOX_ENABLED: 'false', CONFIRM_PROD_MIGRATIONS: 'true' }
    const refused = await migrate({ ...database, ...tuples.PROD, ...confirmed, DB_ROLE: 'prod' })
    assert.equal(refused.code, 78)
    assert.match(refused.err, /This database is staging since/)
    await query(url, `insert into tenants values (1, 'acme'); insert into runs values (7, 1)`)
  })

  for (const [mode, debug] of [
    ['PREPROD', 200],
    ['PROD', 404],
  ] as const)
    test(`in ${mode} each plane has its endpoints, the debug endpoint answers ${debug}, and no plane is crossed`, async () => {
      await using served = await serve(scene, mode, url)
      const human = ['Authorization', `Bearer ${await scene.issuer.token('user_1')}`]
      const machine = ['X-AOS-Key', scene.machineKey]
      const answer = async (path: string, headers: readonly string[] = []) => {
        const { status, body } = await ask(served.url, path, headers)
        return status < 300 ? body : `${status} ${body}`
      }
      assert.equal(await answer('/api/v1/accounts/7', human), '{"account":"7"}')
      assert.equal(await answer('/api/v1/runs/7', machine), '{"run":"7","state":"queued"}')
      assert.equal(await answer('/api/v1/accounts/7', machine), '403 {"error":"plane_crossed"}')
      assert.equal(await answer('/api/v1/runs/7', human), '403 {"error":"plane_crossed"}')
      assert.equal(await answer('/openapi.json', human), '404 {"error":"not_found"}')
      const gated = await answer('/__debug/openapi_nocache')
      if (debug === 404) assert.equal(gated, '404 {"error":"not_found"}')
      else assert.match(gated, /"openapi":"3/)
      const { code, out, err } = await probe(served.url, mode)
      assert.equal(code, 0, out + err)
    })

  test('an nginx that forgets to ask for some paths is found by the probe', async () => {
    const unasked = 'location /api/v1/accounts/ { proxy_pass http://backend; }'
    const forget = (text: string) => text.replace('location / {', `${unasked}\n    location / {`)
    await using served = await serve(scene, 'PROD', url, forget)
    const { code, out } = await probe(served.url, 'PROD')
    assert.equal(code, 1, out)
    assert.match(out, /security bug: Machine key accepted on human endpoint \/api\/v1\/accounts\/\*/)
    assert.match(out, /machine-keys-on-human-endpoints: Privilege escalation/)
    assert.doesNotMatch(out, /accepted on machine endpoint/)
  })

  function probe(service: string, mode: string) {
    const credentials = ['human', 'machine'].map((plane) => `--credential=${plane}=${join(folder, plane)}`)
    const words = ['--mode', mode, ...credentials, '--without', 'sandbox']
    return runProgram(['planes', 'probe', service, ...contract, ...words])
  }
})

/** `planes serve`, the service and nginx, as processes of their own. */
async function serve(
  scene: Scene,
  mode: keyof typeof tuples,
  databaseUrl: string,
  change?: (text: string) => string,
): Promise<{ readonly url: string } & AsyncDisposable> {
  await using starting = new AsyncDisposableStack()
  const ports: Ports = await freePorts()
  const words = ['--trust', scene.trustFile, '--listen', `127.0.0.1:${ports.planes}`]
  const planes = startProgram(['planes', 'serve', ...contract, ...words], tuples[mode])
  starting.defer(async () => {
    planes.process.kill('SIGTERM')
    await planes.ended
  })
  await planes.shows('listening')
  const defer = (one: Running) => starting.defer(() => one.stop())
  defer(await startFastapi(ports.backend, databaseUrl))
  const proxy = await startProxy('nginx', ports, change)
  defer(proxy)
  const all = starting.move()
  return { url: proxy.url, [Symbol.asyncDispose]: () => all.disposeAsync() }
}
