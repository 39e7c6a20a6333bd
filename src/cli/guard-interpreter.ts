import { guardRules } from '../compiler/index.ts'
import { requireContract } from '../contract/index.ts'
import { guardOf } from '../guard/index.ts'
import { readContractFile } from './contract-file.ts'
import type { OpenedGuard } from './guard-file.ts'

/** The guard of a contract that is read as it stands. Throws `contract_unreadable` and `contract_invalid`. */
export function interpretContract(file: string): OpenedGuard {
  return { guard: guardOf(guardRules(requireContract(readContractFile(file)))), file, stale: [] }
}
