import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { sha256Hex } from '../src/primitives/index.ts'

const root = resolve(import.meta.dirname, '..')
const fixtures = 'src/adapters/policy/opa-wasm/fixtures'

/** One Rego file that is compiled, where to, and what can be asked of it; the one that ships has a manifest. */
type Policy = {
  readonly rego: string
  readonly wasm: string
  readonly entrypoints: readonly string[]
  readonly manifest?: string
}

const policies: readonly Policy[] = [
  {
    rego: 'policies/sallyport.rego',
    wasm: 'policies/bundle/policy.wasm',
    entrypoints: ['sallyport/decision'],
    manifest: 'policies/bundle/manifest.json',
  },
  {
    rego: `${fixtures}/custom.rego`,
    wasm: `${fixtures}/custom.wasm`,
    entrypoints: [
      'decision',
      'undefined',
      'text',
      'bare_boolean',
      'partial',
      'allow_without_boolean',
      'too_much',
      'conflict',
      'sometimes',
    ].map((name) => `custom/${name}`),
  },
]

/**
 * Compiles the policies to WebAssembly with a real `opa` (`.peers/bin/opa`). With `check` nothing is written, and an `Error` names the
 * files that are not what their source gives. The same source and the same `opa` give the same bytes.
 */
export function buildPolicy(options: { readonly check: boolean }): void {
  const stale = policies.flatMap(compile).filter(({ path, bytes }) => !isCommitted(path, bytes))
  if (options.check && stale.length > 0) {
    const names = stale.map(({ path }) => path).join(', ')
    throw new Error(`Not what opa ${opaVersion()} makes of the Rego: ${names}. Run: npm run generate`)
  }
  if (options.check) return
  for (const { path, bytes } of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), bytes)
  }
}

type Built = { readonly path: string; readonly bytes: Buffer }

function compile(policy: Policy): readonly Built[] {
  const temporary = mkdtempSync(join(tmpdir(), 'sallyport-policy-'))
  try {
    const archive = join(temporary, 'bundle.tar.gz')
    const entrypoints = policy.entrypoints.flatMap((name) => ['--entrypoint', name])
    const words = ['build', '--target', 'wasm', ...entrypoints, '--output', archive, basename(policy.rego)]
    // Run beside the source and with its bare name: the compiled policy holds the path of its source.
    opa(words, dirname(policy.rego))
    const bytes = fileOfTar(gunzipSync(readFileSync(archive)), '/policy.wasm')
    const manifest = policy.manifest ? [{ path: policy.manifest, bytes: manifestOf(policy, bytes) }] : []
    return [{ path: policy.wasm, bytes }, ...manifest]
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

function manifestOf(policy: Policy, wasm: Buffer): Buffer {
  const facts = {
    entrypoint: policy.entrypoints[0],
    opa: opaVersion(),
    rego: `sha256:${sha256Hex(readFileSync(join(root, policy.rego)))}`,
    wasm: `sha256:${sha256Hex(wasm)}`,
  }
  return Buffer.from(`${JSON.stringify(facts, undefined, 2)}\n`)
}

function opaVersion(): string | undefined {
  return /^Version: (\S+)/m.exec(opa(['version'], '.'))?.[1]
}

function opa(words: readonly string[], folder: string): string {
  const program = resolve(root, process.env['SALLYPORT_PEERS'] ?? '.peers', 'bin/opa')
  return execFileSync(program, words, { cwd: join(root, folder), encoding: 'utf8', timeout: 120_000 })
}

/** One file of a POSIX ustar archive: headers of 512 bytes, the name first, the size in octal at 124, contents padded to 512. */
function fileOfTar(archive: Buffer, wanted: string): Buffer {
  for (let start = 0; start + 512 <= archive.length; ) {
    const name = archive.toString('utf8', start, start + 100).replace(/\0.*$/s, '')
    const size = Number.parseInt(archive.toString('latin1', start + 124, start + 136), 8) || 0
    if (name === wanted) return archive.subarray(start + 512, start + 512 + size)
    start += 512 + Math.ceil(size / 512) * 512
  }
  throw new Error(`opa built an archive without ${wanted}`)
}

function isCommitted(path: string, bytes: Buffer): boolean {
  const file = join(root, path)
  return existsSync(file) && readFileSync(file).equals(bytes)
}

if (import.meta.main) buildPolicy({ check: process.argv.includes('--check') })
