/** Writes what the contracts of this repository compile to: into `contracts/compiled/`, and beside the example in Node. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type CompileTarget, compileContract, compileTargets } from '../src/compiler/index.ts'
import { type Contract, requireContract } from '../src/contract/index.ts'

const root = join(import.meta.dirname, '..')

const contracts = ['agenticverz', 'ficecal']

const files: Readonly<Record<CompileTarget, string>> = {
  js: 'guard.js',
  ts: 'guard.ts',
  sh: 'guard.sh',
  python: 'guard.py',
  'json-schema': 'environment.schema.json',
  'env-example': 'env.example',
  markdown: 'environment.md',
  'agents-md': 'AGENTS.md',
}

/** Compiles the contracts; with `check` writes nothing and throws an `Error` that names the files that differ. */
export function buildGuards(options: { readonly check: boolean }): void {
  const wanted = Object.entries(compiledFiles())
  const stale = wanted.filter(([file, text]) => committed(file) !== text)
  if (options.check && stale.length > 0)
    throw new Error(`${stale.map(([file]) => file).join(', ')}: not what the contract compiles to`)
  for (const [file, text] of stale) if (!options.check) write(file, text)
}

/** Path from the root to text. */
function compiledFiles(): Readonly<Record<string, string>> {
  const all = contracts.flatMap((name) => {
    const contract = contractAt(`contracts/${name}.yaml`)
    return compileTargets.map(
      (target) => [`contracts/compiled/${name}/${files[target]}`, compileContract(contract, target)] as const,
    )
  })
  const example = 'examples/node-service/'
  const ofExample = (target: CompileTarget) => compileContract(contractAt(`${example}sallyport.yaml`), target)
  return {
    ...Object.fromEntries(all),
    [`${example}guard.ts`]: ofExample('ts'),
    [`${example}.env.example`]: ofExample('env-example'),
  }
}

function contractAt(file: string): Contract {
  return requireContract({ file, text: readFileSync(join(root, file), 'utf8') })
}

function committed(file: string): string | undefined {
  return existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text)
}

if (import.meta.main) buildGuards({ check: process.argv.includes('--check') })
