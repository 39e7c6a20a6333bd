/** Bundles what is published: `dist/` of Sallyport and of its client. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { build as bundle, type Metafile, type Plugin } from 'esbuild'
import { copyDeclarations } from './declarations.ts'
import { writeLicences } from './licences.ts'

const root = join(import.meta.dirname, '..')

/** Packages in CommonJS expect these names; a bundle in ES modules has to give them. */
const commonJs = `import { createRequire as createRequireOfBundle } from 'node:module'
const require = createRequireOfBundle(import.meta.url)
const __filename = import.meta.filename
const __dirname = import.meta.dirname`

/** Optional parts of packages, asked for inside a `try`. They stay outside and are not there. */
const absent = ['pg-native', 'pg-cloudflare']

/**
 * What is published, with every dependency inside. `source` is relative to the root, `target` too or absolute. A library is one file; a
 * program has beside it `<name>-*.js`, the parts that its commands load when they are called. A starter is one small file in CommonJS, which
 * Node starts sooner than a module, and loads `sallyport.js` when it is needed.
 */
export type Entry = {
  readonly source: string
  readonly target: string
  readonly kind: 'program' | 'library' | 'starter'
}

const entries: readonly Entry[] = [
  { source: 'src/cli/main.ts', target: 'dist/sallyport.js', kind: 'program' },
  { source: 'src/cli/start.ts', target: 'dist/start.cjs', kind: 'starter' },
  { source: 'src/testing/index.ts', target: 'dist/testing.js', kind: 'library' },
  { source: 'src/contract-door/index.ts', target: 'dist/contract.js', kind: 'library' },
  { source: 'src/broker-door/index.ts', target: 'dist/broker.js', kind: 'library' },
  { source: 'src/planes-door/index.ts', target: 'dist/planes.js', kind: 'library' },
  { source: 'client/src/index.ts', target: 'client/dist/index.js', kind: 'library' },
]

async function buildAll(): Promise<void> {
  for (const folder of ['dist', 'client/dist']) rmSync(join(root, folder), { recursive: true, force: true })
  const inputs = new Set<string>()
  for (const entry of entries) {
    const { inputs: read, outputs } = await buildEntry(entry)
    const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0)
    for (const input of Object.keys(read)) inputs.add(input)
    console.log(`${entry.target}: ${Math.ceil(bytes / 1024)} KiB from ${Object.keys(read).length} files`)
  }
  const packages = writeLicences({ root, inputs, target: join(root, 'dist/THIRD-PARTY-LICENSES.txt') })
  console.log(`dist/THIRD-PARTY-LICENSES.txt: ${packages.length} packages`)
}

/** Bundles one entry, and the types of a library. Throws when the source is not there. */
export async function buildEntry(entry: Entry): Promise<Metafile> {
  const source = join(root, entry.source)
  if (!existsSync(source)) throw new Error(`${entry.source} is not there, so ${entry.target} cannot be built`)
  const target = resolve(root, entry.target)
  const isStarter = entry.kind === 'starter'
  const { metafile } = await bundle({
    entryPoints: { [basename(target, extname(target))]: source },
    outdir: dirname(target),
    outExtension: { '.js': extname(target) },
    splitting: entry.kind === 'program',
    chunkNames: `${basename(target, '.js')}-[hash]`,
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: isStarter ? 'cjs' : 'esm',
    target: 'node24',
    external: absent,
    // The client has no package inside, so it needs no names of CommonJS; neither does what is CommonJS.
    banner: { js: isStarter || entry.source.startsWith('client/') ? '' : commonJs },
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    plugins: [...(isStarter ? [mainBeside] : []), withoutSideEffects],
  })
  refuseLazyCommonJs(metafile)
  if (isStarter) writeFileSync(target, compiledAtOnce(readFileSync(target, 'utf8')))
  if (entry.kind !== 'library') makeExecutable(target)
  else writeTypes(source, target)
  return metafile
}

/**
 * No file of ours does anything by being imported, so what a file does not use of a room's door is not loaded with it: a quick command
 * stays quick although a door names slow things as well.
 */
const withoutSideEffects: Plugin = {
  name: 'without-side-effects',
  setup({ onResolve }) {
    onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, resolveDir }) => {
      const resolved = resolve(resolveDir, path)
      return resolved.startsWith(join(root, 'src/')) ? { path: resolved, sideEffects: false } : undefined
    })
  },
}

/** A starter finds the whole program beside itself. */
const mainBeside: Plugin = {
  name: 'main-beside',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/main\.ts$/ }, () => ({ path: './sallyport.js', external: true }))
  },
}

/** In a program of several parts `import()` of CommonJS gives a default alone: such a package stands as a plain import in a file that is loaded lazily. */
function refuseLazyCommonJs({ inputs }: Metafile): void {
  for (const [path, { imports }] of Object.entries(inputs))
    for (const { kind, path: target } of imports)
      if (kind === 'dynamic-import' && inputs[target]?.format === 'cjs')
        throw new Error(`${path} loads ${target} by import(), which is CommonJS`)
}

/**
 * V8 looks for the end of a function, and reads it again when it is called; one in parentheses it compiles at once. A starter calls nearly all of
 * its functions at every start, and is a millisecond long.
 */
function compiledAtOnce(text: string): string {
  return text.replace(/^function (\w+)(\(.*?^\})$/gms, 'var $1 = (function $1$2);')
}

function makeExecutable(target: string): void {
  const text = readFileSync(target, 'utf8')
  if (!text.startsWith('#!')) writeFileSync(target, `#!/usr/bin/env node\n${text}`)
  chmodSync(target, 0o755)
}

/** Declarations that the entry reaches go to `types/` beside the bundle, each where it stands in the source; one file beside the bundle names the first. */
function writeTypes(source: string, target: string): void {
  const rootDir = dirname(source).endsWith('client/src') ? dirname(source) : join(root, 'src')
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-types-'))
  const compilerOptions = {
    noEmit: false,
    emitDeclarationOnly: true,
    declaration: true,
    rootDir,
    outDir: join(folder, 'types'),
    typeRoots: [join(root, 'node_modules/@types')],
  }
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, files: [source], include: [] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const compiler = join(root, 'node_modules/.bin/tsc')
  const { status, stdout } = spawnSync(compiler, ['-p', folder], { encoding: 'utf8', timeout: 120_000 })
  const first = relative(rootDir, source).replace(/\.ts$/, '')
  if (status === 0)
    copyDeclarations({
      from: join(folder, 'types'),
      to: join(dirname(target), 'types'),
      first: `${first}.d.ts`,
    })
  rmSync(folder, { recursive: true })
  if (status !== 0) throw new Error(`The types of ${source} cannot be written:\n${stdout}`)
  const beside = join(dirname(target), `${basename(target, '.js')}.d.ts`)
  writeFileSync(beside, `export * from './types/${first}.js'\n`)
}

// Last, because what stands above it must be there when it runs.
if (import.meta.main) await buildAll()
