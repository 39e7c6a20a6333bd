import { Failure } from '../primitives/index.ts'
import type { Contract } from './contract.ts'
import type { Environment } from './environment.ts'
import { aboutShape, environmentSections, modeRulesShape } from './environment-shape.ts'

/** The sections without which a broker's part is not whole. */
export const brokerNeeds = ['tenants', 'identities', 'providers', 'services', 'grants'] as const

/** Keys that only a broker reads. `issuers` and `planes` are of both parts. */
const brokerKeys = [...brokerNeeds, 'alerts', 'defaults'] as const

/** Whether the file has the broker's part, whole or not. */
export function hasBroker(written: unknown): boolean {
  return hasKey([written], brokerKeys)
}

type Mapping = Readonly<Record<string, unknown>>

/** Whether the file says more than a broker needs to know. */
export function hasEnvironment(written: {
  readonly metadata: unknown
  readonly modes: Mapping
  readonly planes?: Mapping | undefined
}): boolean {
  return (
    hasKey([written], Object.keys(environmentSections)) ||
    hasKey([written.metadata], Object.keys(aboutShape)) ||
    hasKey(Object.values(written.modes), Object.keys(modeRulesShape)) ||
    Object.values(written.planes ?? {}).some((plane) => keysOf(plane).some((key) => key !== 'scheme'))
  )
}

function hasKey(mappings: readonly unknown[], keys: readonly string[]): boolean {
  return mappings.some((mapping) => keysOf(mapping).some((key) => keys.includes(key)))
}

function keysOf(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}

/** The part that needs no broker. Throws `contract_invalid` for a contract without it. */
export function requireEnvironment(contract: Contract): Environment {
  if (contract.environment) return contract.environment
  throw new Failure(
    'contract_invalid',
    `The contract ${contract.file} says nothing of a program's environment.`,
    {
      next: 'add `variables`, or name another contract with --contract FILE',
    },
  )
}

/** Throws `contract_invalid` for a contract from which no broker can be built. */
export function requireBrokerPart(contract: Contract): void {
  if (contract.tenants.size > 0) return
  throw new Failure(
    'contract_invalid',
    `The contract ${contract.file} has no broker's part: it grants nothing.`,
    {
      next: `add ${brokerNeeds.map((key) => `\`${key}\``).join(', ')}, or name another contract with --contract FILE`,
    },
  )
}
