import { readContract } from '../catalog/index.ts'
import { policyData } from '../contract/index.ts'
import type { Terminal } from './terminal.ts'

/** `sallyport policy-data`: for `opa run --server`, whose data must be that of the contract. */
export async function printPolicyData(io: Terminal, contractFile: string): Promise<number> {
  io.data(policyData(await readContract(contractFile)))
  return 0
}
