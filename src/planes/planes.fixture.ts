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

/** The contract with one passage replaced, or several in turn. */
export function contractWith(from: string, to: string, ...further: readonly (readonly [string, string])[]) {
  const changed = [[from, to] as const, ...further].reduce((before, [passage, other]) => {
    if (!before.includes(passage)) throw new Error(`${file} does not hold ${passage}`)
    return before.replace(passage, other)
  }, text)
  return requireContract({ file, text: changed })
}

/** A contract of these paths alone: PROD closes the gates, LOCAL has them. */
export function contractOf(paths: {
  readonly machine?: readonly string[]
  readonly human?: readonly string[]
  readonly gates?: readonly string[]
}) {
  const { machine, human, gates = [] } = paths
  const auth = { machine: 'allowed', human: 'allowed' }
  const gate = {
    reason: 'internals',
    modes: ['LOCAL'],
    otherwise: { status: 404, body: { error: 'not_found' } },
    endpoints: Object.fromEntries(gates.map((path) => [path, 'Gated'])),
  }
  return requireContract({
    file: 'sallyport.yaml',
    text: JSON.stringify({
      contract: 'environment/v1',
      metadata: { name: 'paths', onMismatch: 'fail-stop' },
      discriminators: ['AOS_MODE'],
      modes: {
        LOCAL: { class: 'development', match: { AOS_MODE: 'local' }, auth },
        PROD: { class: 'production', match: { AOS_MODE: 'prod' }, auth },
      },
      planes: {
        machine: {
          scheme: { type: 'apiKey', in: 'header', name: 'X-AOS-Key' },
          ...(machine && { endpoints: machine }),
        },
        human: {
          scheme: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          ...(human && { endpoints: human }),
        },
      },
      ...(gates.length > 0 && { gates: { 'PIN-1': gate } }),
      variables: [
        { group: 'core', owner: 'P', vars: { AOS_MODE: { enum: ['local', 'prod'], required: 'always' } } },
      ],
    }),
  })
}
