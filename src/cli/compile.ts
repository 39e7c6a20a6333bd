import { chmodSync, writeFileSync } from 'node:fs'
import { type CompileTarget, compileContract } from '../compiler/index.ts'
import { type Contract, lintContract, requireContract } from '../contract/index.ts'
import { Failure } from '../primitives/index.ts'
import { secretKindOf } from '../references/index.ts'
import { readContractFile } from './contract-file.ts'
import { exitCodes } from './exit-code.ts'
import { contractFileByDefault } from './guard-file.ts'
import { pathWord } from './path-word.ts'
import { type Terminal, writeWhole } from './terminal.ts'

export type CompileCommandOptions = {
  readonly target: CompileTarget
  readonly contract?: string
  readonly scope?: string
  readonly mode?: string
  readonly out?: string
}

/** `sallyport compile --target T`: the text goes to stdout, or to a file. */
export function compileCommand(io: Terminal, options: CompileCommandOptions): number {
  const contract = requireContract(readContractFile(options.contract ?? contractFileByDefault))
  refuseContradictions(contract)
  const text = compileContract(contract, options.target, options)
  if (options.out === undefined) writeWhole(text)
  else write(options.out, text, options.target)
  if (options.out !== undefined)
    io.say(`${options.out}: ${options.target} of ${contract.name}, ${contract.digest}`)
  return exitCodes.ok[0]
}

/** What contradicts itself compiles to guards that nothing can satisfy, or that anything can. */
function refuseContradictions(contract: Contract): void {
  const errors = lintContract(contract, { secretKindOf }).filter(({ level }) => level === 'error')
  if (errors.length === 0) return
  const lines = errors.map(({ message, place }) => `${contract.file}:${place.line}: ${message}`)
  throw new Failure('contract_invalid', lines.join('\n'), {
    next: `sallyport contract lint ${pathWord(contract.file)}`,
  })
}

function write(file: string, text: string, target: CompileTarget): void {
  try {
    writeFileSync(file, text)
    if (target === 'sh') chmodSync(file, 0o755)
  } catch (cause) {
    throw new Failure('option_invalid', `${file} cannot be written.`, { cause })
  }
}
