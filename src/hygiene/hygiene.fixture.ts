import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { requireContract } from '../contract/index.ts'

const file = 'contracts/agenticverz.yaml'

/** The contract that the samples are about. */
export const contract = requireContract({
  file,
  text: readFileSync(join(import.meta.dirname, '../..', file), 'utf8'),
})
