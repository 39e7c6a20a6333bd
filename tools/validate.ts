/** Holds every contract, every request beside them and every example file of variables against their rules (`npm run validate`). */
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { checkExample } from '../src/compiler/index.ts'
import { type Contract, lintContract, requireContract } from '../src/contract/index.ts'
import { checkAdapterRequestText, secretKindOf } from '../src/references/index.ts'

const root = join(import.meta.dirname, '..')

export type Validated = { readonly file: string; readonly problems: readonly string[] }

/**
 * Every contract below `contracts/` and `examples/`, `contracts/requests/<adapter>.<MODE>.json`, and example files of variables: those in
 * `contracts/compiled/<contract>/`, and in examples beside the contract or below it.
 */
export function validateAll(folder = root): readonly Validated[] {
  const files = (pattern: string) =>
    globSync(pattern, { cwd: folder, exclude: (name) => /(^|\/)node_modules(\/|$)/.test(name) }).sort()
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  const contracts = ['contracts/*.{yaml,yml}', 'examples/**/*.{yaml,yml}']
    .flatMap(files)
    .filter((file) => isContract(file, read(file)))
    .map((file) => contractOf(file, read(file)))
  const valid = contracts.flatMap(({ contract }) => contract ?? [])
  const requests = files('contracts/requests/*').map((file) => ({
    file,
    problems: requestProblems(file, read(file), valid),
  }))
  const examples = ['contracts/compiled/*/env.example', 'examples/**/{,*}.env{,.*}.example']
    .flatMap(files)
    .map((file) => ({ file, problems: exampleProblems(file, read(file), valid) }))
  return [...contracts.map(({ file, problems }) => ({ file, problems })), ...requests, ...examples]
}

/** In `contracts/` each is meant to be one; in an example also other things are written in YAML. */
function isContract(file: string, text: string): boolean {
  return /^contracts\/|(^|\/)sallyport\.ya?ml$/.test(file) || /^contract:/m.test(text)
}

function exampleProblems(file: string, text: string, contracts: readonly Contract[]): readonly string[] {
  const compiled = /^contracts\/compiled\/([^/]+)\//.exec(file)?.[1]
  const contract = contracts.find((one) =>
    compiled === undefined
      ? one.file.startsWith('examples/') && file.startsWith(`${dirname(one.file)}/`)
      : one.file === `contracts/${compiled}.yaml`,
  )
  if (!contract?.environment) return ['there is no valid contract of which it is the example']
  return checkExample(contract, text).map(({ line, message, next }) => `line ${line}: ${message} ${next}`)
}

function contractOf(file: string, text: string): Validated & { readonly contract?: Contract } {
  try {
    const contract = requireContract({ file, text })
    const errors = lintContract(contract, { secretKindOf }).filter(({ level }) => level === 'error')
    return { file, contract, problems: errors.map(({ code, message }) => `${message} (${code})`) }
  } catch (thrown) {
    return { file, problems: [thrown instanceof Error ? thrown.message : String(thrown)] }
  }
}

function requestProblems(file: string, text: string, contracts: readonly Contract[]): readonly string[] {
  const [adapter = '', mode = '', kind] = basename(file).split('.')
  const contract = contracts.find(({ environment }) => environment?.requestAdapters.has(adapter))
  if (!contract?.modes.has(mode) || kind !== 'json')
    return [`no contract has the adapter ${adapter} and the mode ${mode} of its name`]
  const checked = checkAdapterRequestText({ contract, adapter, mode, text })
  return checked.kind === 'accepted' ? [] : checked.problems.map(({ path, message }) => `${path}: ${message}`)
}

if (import.meta.main) {
  const validated = validateAll()
  for (const { file, problems } of validated)
    console.log(
      [`${problems.length === 0 ? 'ok' : 'no'}  ${file}`, ...problems.map((line) => `    ${line}`)].join(
        '\n',
      ),
    )
  const failed = validated.filter(({ problems }) => problems.length > 0).length
  console.log(`${validated.length} files, ${failed} not valid.`)
  process.exitCode = failed === 0 ? 0 : 1
}
