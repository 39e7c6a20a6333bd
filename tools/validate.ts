/** Holds every contract, every request beside them and every example against their rules (`npm run validate`). */
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Contract, lintContract, requireContract } from '../src/contract/index.ts'
import { checkAdapterRequestText } from '../src/references/index.ts'

const root = join(import.meta.dirname, '..')

export type Validated = { readonly file: string; readonly problems: readonly string[] }

/** `contracts/*.yaml`, the `sallyport.yaml` of examples, and `contracts/requests/<adapter>.<MODE>.json`. */
export function validateAll(folder = root): readonly Validated[] {
  const files = (pattern: string) =>
    globSync(pattern, { cwd: folder, exclude: (name) => /(^|\/)node_modules(\/|$)/.test(name) }).sort()
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  const contracts = ['contracts/*.yaml', 'examples/**/sallyport.yaml']
    .flatMap(files)
    .map((file) => contractOf(file, read(file)))
  const valid = contracts.flatMap(({ contract }) => contract ?? [])
  const requests = files('contracts/requests/*').map((file) => ({
    file,
    problems: requestProblems(file, read(file), valid),
  }))
  return [...contracts.map(({ file, problems }) => ({ file, problems })), ...requests]
}

function contractOf(file: string, text: string): Validated & { readonly contract?: Contract } {
  try {
    const contract = requireContract({ file, text })
    const errors = lintContract(contract).filter(({ level }) => level === 'error')
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
