import type { Contract } from '../contract/index.ts'
import { printable } from './command-line.ts'
import type { Denied } from './decision.ts'
import type { CredentialRequest } from './request.ts'

/** A request by a reference of the contract (seed 001 §3) in place of service, action and resource; attacker-controlled. */
export type ReferenceRequest = Pick<CredentialRequest, 'durationSeconds' | 'purpose'> & {
  readonly credentialRef: string
}

/**
 * The request that a reference stands for by the contract; what decides it is what decides that request. An unknown reference stands for
 * nothing: its three words are empty, and `decide` denies it.
 */
export function resolveReference(contract: Contract, asked: ReferenceRequest): CredentialRequest {
  const { credentialRef, ...rest } = asked
  const target = contract.environment?.references?.resolves.get(credentialRef)
  return { ...(target ?? nothing), ...rest, reference: credentialRef }
}

const nothing = { service: '', action: '', resource: '' }

/** Denies a request by a reference that the contract does not resolve to exactly these words. */
export function denyUnknownReference(contract: Contract, request: CredentialRequest): Denied | undefined {
  const { reference, service, action, resource } = request
  if (reference === undefined) return undefined
  const references = contract.environment?.references
  const target = references?.resolves.get(reference)
  if (target?.service === service && target.action === action && target.resource === resource)
    return undefined
  return {
    kind: 'denied',
    rule: 'reference_unknown',
    reason: `The contract resolves no reference ${referenceWords(contract, reference)}.`,
    file: contract.file,
    place: references?.place ?? contract.placeOf(['metadata']),
    next: 'add it to `references.resolves` of the contract, or ask by service, action and resource',
    policy: 'contract',
  }
}

/** Which reference a request came by, for its entry. */
export function referenceDetail(contract: Contract, { reference }: CredentialRequest) {
  return reference === undefined ? {} : { credential_ref: referenceWords(contract, reference) }
}

/** A reference as it may be told and logged: what is not of the contract's pattern may be a secret in the wrong place. */
function referenceWords(contract: Contract, reference: string): string {
  const pattern = contract.environment?.references?.pattern
  const isReference = pattern !== undefined && new RegExp(pattern, 'u').test(reference)
  return isReference ? printable(reference) : 'of that form'
}
