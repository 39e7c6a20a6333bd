import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { type Finding, type Guard, isGuard, staleFinding } from '../guard/index.ts'
import { Failure, sha256Hex } from '../primitives/index.ts'

export type GuardSource = {
  /** The contract; absent is `sallyport.yaml`, or for a compiled guard the one beside it. */
  readonly contract?: string
  /** A guard that was compiled to JavaScript: nothing of YAML is read. */
  readonly compiled?: string
}

export type OpenedGuard = {
  readonly guard: Guard
  /** The contract as it was named, for messages. */
  readonly file: string
  readonly stale: readonly Finding[]
}

export const contractFileByDefault = 'sallyport.yaml'

/** Reads a contract or loads its compiled guard. Throws `contract_unreadable`, `contract_invalid` and `option_invalid`. */
export async function openGuard({ contract, compiled }: GuardSource): Promise<OpenedGuard> {
  if (compiled !== undefined) return openCompiled(compiled, contract)
  const file = contract ?? contractFileByDefault
  if (contract === undefined && !existsSync(file))
    throw new Failure('option_invalid', `There is no contract: no ${file} here, and none is named.`, {
      next: 'name it with --contract FILE, or its compiled guard with --compiled FILE',
    })
  // Loaded for a contract in YAML alone: a compiled guard does not wait for it.
  return (await import('./guard-interpreter.ts')).interpretContract(file)
}

/** The file is code that whoever runs this named, as they named the command. */
function openCompiled(compiled: string, contract: string | undefined): OpenedGuard {
  const path = resolve(compiled)
  const guard = load(path, compiled)
  const file = contract ?? join(dirname(compiled), guard.contract.file)
  if (contract === undefined && !existsSync(file)) return { guard, file: guard.contract.file, stale: [] }
  const digest = `sha256:${sha256Hex(readBytes(file))}`
  return { guard, file, stale: digest === guard.contract.digest ? [] : [staleFinding(guard.contract, file)] }
}

function load(path: string, named: string): Guard {
  const module: unknown = loadModule(path, named)
  if (isGuard(module)) return module
  throw new Failure('option_invalid', `${named} is no compiled guard.`, {
    next: 'sallyport compile --target js --out FILE',
  })
}

function loadModule(path: string, named: string): unknown {
  try {
    return createRequire(path)(path)
  } catch (cause) {
    throw new Failure('option_invalid', `The compiled guard ${named} cannot be loaded.`, {
      cause,
      next: 'sallyport compile --target js --out FILE',
    })
  }
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new Failure('contract_unreadable', `The contract ${file} cannot be read.`, { cause })
  }
}
