import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkEnvironmentCommands } from './published-environment.ts'

const root = join(import.meta.dirname, '..')
const sources = ['src/cli/main.ts', 'src/testing/index.ts', 'client/src/index.ts']

/** What is missing before anything can be published; `false` when nothing is. */
export const unpublishable =
  sources
    .filter((path) => !existsSync(join(root, path)))
    .map((path) => `${path} is not there yet`)
    .join(', ') || false

/**
 * Packs Sallyport and its client, installs both in an empty folder where nothing can be downloaded, and uses them with the `node` of
 * `nodeFolder`: the program, its demo, its commands for an environment, the suites for authors of adapters, the client, the types.
 */
export async function checkPublished(options: { nodeFolder: string; nodeMajor: number }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-published-'))
  try {
    const app = join(folder, 'app')
    mkdirSync(app)
    const env = offlineEnvironment(folder, options.nodeFolder)
    const run = runner(app, env)
    writeFileSync(join(app, 'package.json'), '{"name":"app","private":true,"type":"module"}')
    run('npm', 'install', '--offline', '--ignore-scripts', ...pack(folder))
    checkUse(run, app, options.nodeMajor)
    checkTypes(run, app)
    await checkEnvironmentCommands(app, env)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function checkUse(run: Run, app: string, nodeMajor: number): void {
  assert.match(run('node', '--version'), new RegExp(`^v${nodeMajor}\\.`))
  const packages = readdirSync(join(app, 'node_modules')).filter((name) => !name.startsWith('.'))
  assert.deepEqual(packages.sort(), ['@sallyport', 'sallyport'], 'the tarballs bring no dependency')
  assert.match(run('npx', '--no-install', 'sallyport', '--version'), /\b0\.1\.0\b/)
  run('npx', '--no-install', 'sallyport', 'demo')
  for (const name of Object.keys(doors)) {
    const exports = run(
      'node',
      '--input-type=module',
      '--eval',
      `console.log(Object.keys(await import('${name}')).length)`,
    )
    assert.ok(Number(exports) > 0, `${name} exports nothing`)
  }
}

const doors = {
  '@sallyport/client': 'createClient',
  'sallyport/broker': 'runBroker',
  'sallyport/contract': 'enforce',
  'sallyport/planes': 'openPlanes',
  'sallyport/testing': 'providerConformance',
}

/** Strict TypeScript as it is by default, which reads declarations of packages too; of other packages it has those of Node alone. */
function checkTypes(run: Run, app: string): void {
  const uses = Object.entries(doors).flatMap(([door, name]) => [
    `import { ${name} } from '${door}'`,
    '// @ts-expect-error: it is no number, and would be anything if its declaration were not there.',
    `export const ${name}Number: number = ${name}`,
  ])
  writeFileSync(join(app, 'uses.ts'), uses.join('\n'))
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext']
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  run(join(root, 'node_modules/.bin/tsc'), ...options, ...types, 'uses.ts')
}

/** The paths of both tarballs. */
function pack(folder: string): readonly string[] {
  const run = (cwd: string) =>
    runner(cwd, process.env)('npm', 'pack', '--silent', '--pack-destination', folder)
      .trim()
      .split('\n')
      .at(-1)
  return [run(root), run(join(root, 'client'))].map((tarball) => join(folder, tarball ?? ''))
}

/** An empty cache and a registry that nobody answers for: what is not in the tarballs cannot come. */
function offlineEnvironment(folder: string, nodeFolder: string): NodeJS.ProcessEnv {
  return {
    PATH: `${nodeFolder}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    TMPDIR: tmpdir(),
    NO_COLOR: '1',
    npm_config_cache: join(folder, 'cache'),
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_update_notifier: 'false',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  }
}

type Run = (program: string, ...words: readonly string[]) => string

function runner(cwd: string, env: NodeJS.ProcessEnv): Run {
  return (program, ...words) =>
    execFileSync(program, words, { cwd, env, encoding: 'utf8', timeout: 120_000, stdio: 'pipe' })
}
