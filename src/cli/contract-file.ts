import { readFileSync } from 'node:fs'
import type { ContractSource } from '../contract/index.ts'
import { Failure } from '../primitives/index.ts'

/** The text of a contract, without the rest of a broker. Throws `contract_unreadable`. */
export function readContractFile(file: string): ContractSource {
  try {
    return { file, text: readFileSync(file, 'utf8') }
  } catch (cause) {
    throw new Failure('contract_unreadable', `The contract ${file} cannot be read.`, {
      cause,
      next: 'name a file that is there',
    })
  }
}
