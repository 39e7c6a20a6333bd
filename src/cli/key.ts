import { createMachineKey, systemRandom } from '../catalog/index.ts'
import type { Terminal } from './terminal.ts'

/** `sallyport key new`: the key is shown once; what goes into the contract is its hash. */
export function newKey(io: Terminal): number {
  const { key, digest } = createMachineKey(systemRandom)
  if (io.json) io.data({ key: key.reveal(), proof: { key: digest } })
  else {
    io.out(key.reveal())
    io.say(`Give it to its machine; it is not shown again. In the contract, under proofs:`)
    io.say(`  - key: ${digest}`)
  }
  return 0
}
