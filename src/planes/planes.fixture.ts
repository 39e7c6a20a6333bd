import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { requireContract } from '../contract/index.ts'
import { createPlaneMap, type PlaneMap } from './index.ts'

const file = 'contracts/agenticverz.yaml'
const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8')

/** The contract of seed 003. */
export const contract = requireContract({ file, text })

export const modes = ['LOCAL', 'TEST', 'PREPROD', 'PROD'] as const
export type ModeName = (typeof modes)[number]

/** `sandbox` is the value of its variable. */
export function mapIn(mode: string, sandbox?: string): PlaneMap {
  return createPlaneMap({ contract, mode, variables: { CUSTOMER_SANDBOX_ENABLED: sandbox } })
}

/** The contract with one passage replaced. */
export function contractWith(from: string, to: string) {
  if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`)
  return requireContract({ file, text: text.replace(from, to) })
}
