import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unconfinable } from '../src/cli/confinement.ts'
import { query } from '../src/cli/migrate.fixture.ts'
import { setScene, tuples } from '../src/server/forward-auth/scene.fixture.ts'
import { startPostgres } from '../src/testing/index.ts'

const root = join(import.meta.dirname, '..')

/** What a service is started, migrated and guarded with, from the installed package in `app`: no file of this checkout but the contracts is read. */
export async function checkEnvironmentCommands(app: string, env: NodeJS.ProcessEnv): Promise<void> {
  copyFileSync(join(root, 'examples/migrations/sallyport.yaml'), join(app, 'sallyport.yaml'))
  copyFileSync(join(root, 'contracts/agenticverz.yaml'), join(app, 'agenticverz.yaml'))
  const local = {
    ...env,
    APP_MODE: 'local',
    DB_ROLE: 'staging',
    DATABASE_URL: 'postgresql://a:b@127.0.0.1/c',
  }
  const sallyport = (words: readonly string[], more: NodeJS.ProcessEnv = local) => {
    const { status, stdout, stderr } = spawnSync('npx', ['--no-install', 'sallyport', ...words], {
      ...{ cwd: app, env: more, encoding: 'utf8' as const, timeout: 60_000 },
    })
    return { code: status, out: stdout, err: stderr }
  }
  assert.match(sallyport(['check']).out, /^ok mode LOCAL/)
  assert.equal(sallyport(['check'], { ...local, DATABASE_URL: '' }).code, 78)
  assert.deepEqual(sallyport(['run', '--', 'sh', '-c', 'echo $APP_MODE; exit 5']), {
    ...{ code: 5, out: 'local\n', err: '' },
  })
  await checkMigrate(sallyport, local)
  await checkPlanes(app, env)
}

type Sallyport = (
  words: readonly string[],
  env: NodeJS.ProcessEnv,
) => { readonly code: number | null; readonly out: string; readonly err: string }

/** The process in between is the installed program, too. */
async function checkMigrate(sallyport: Sallyport, env: NodeJS.ProcessEnv): Promise<void> {
  const server = await startPostgres()
  const why = server.kind === 'unavailable' ? server.reason : unconfinable()
  if (server.kind === 'unavailable' || why !== undefined) {
    if (server.kind === 'running') await server.stop()
    if (env['CI'] === 'true') throw new Error(`migrate of the package was not tried: ${why}`)
    console.log(`migrate of the package: skipped (${why})`)
    return
  }
  try {
    const own = { ...env, DATABASE_URL: server.url, PAYMENT_API_KEY: 'not for a migration' }
    const tool = ['migrate', '--', 'sh', '-c', 'echo "$DB_ROLE$PAYMENT_API_KEY"; exit 41']
    assert.match(sallyport(tool, own).err, /database is empty: runs, tenants/)
    await query(server.url, 'create table tenants (id int); create table runs (id int)')
    const { code, out, err } = sallyport(tool, own)
    assert.deepEqual([code, out], [41, 'staging\n'], err)
    assert.deepEqual(await query(server.url, 'select role, holder from sallyport.migration'), [
      { role: 'staging', holder: null },
    ])
  } finally {
    await server.stop()
  }
}

async function checkPlanes(app: string, env: NodeJS.ProcessEnv): Promise<void> {
  await using done = new AsyncDisposableStack()
  const scene = await setScene()
  done.defer(() => scene.close())
  const words = ['--contract', 'agenticverz.yaml', '--trust', scene.trustFile, '--listen', '127.0.0.1:0']
  const program = join(app, 'node_modules/.bin/sallyport')
  const child = spawn(program, ['planes', 'serve', ...words, '--json'], {
    ...{ cwd: app, env: { ...env, ...tuples.PROD }, stdio: ['ignore', 'pipe', 'ignore'] as const },
    timeout: 60_000,
  })
  const [line] = await once(child.stdout, 'data')
  const { url }: { url: string } = JSON.parse(String(line))
  const answer = async (headers: Readonly<Record<string, string>>) =>
    (await fetch(`${url}/envoy/api/v1/runs/7`, { headers })).status
  assert.equal(await answer({ 'x-aos-key': scene.machineKey }), 200)
  assert.equal(await answer({}), 401)
  const token = join(app, 'human')
  writeFileSync(token, await scene.issuer.token('user_1'), { mode: 0o600 })
  writeFileSync(join(app, 'machine'), scene.machineKey, { mode: 0o600 })
  const probed = spawn(
    program,
    [
      ...['planes', 'probe', `${url}/envoy`, '--contract', 'agenticverz.yaml', '--mode', 'PROD'],
      ...['--credential', 'human=human', '--credential', 'machine=machine', '--without', 'sandbox'],
    ],
    { cwd: app, env, stdio: 'ignore', timeout: 60_000 },
  )
  assert.deepEqual(await once(probed, 'exit'), [0, null])
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
}
