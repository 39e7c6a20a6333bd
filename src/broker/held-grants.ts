import type { Contract, Grant, Place } from '../contract/index.ts'
import type { Caller } from './ports/index.ts'

type Index = {
  readonly byTenant: ReadonlyMap<string, readonly Grant[]>
  readonly byId: ReadonlyMap<string, Grant>
}

// A contract never changes, so one index serves it for ever: a decision takes no longer with every other tenant's grants.
const indexes = new WeakMap<Contract, Index>()

/** The grants of the caller's tenant that name this agent, in the order of the contract; of any plane and mode. */
export function heldGrants(contract: Contract, caller: Caller): readonly Grant[] {
  const own = indexOf(contract).byTenant.get(caller.tenant) ?? []
  return own.filter((grant) => grant.agents.includes('*') || grant.agents.includes(caller.agent))
}

/** The grant that policy named; `undefined` for a rule that only a user's own bundle knows. */
export function grantById(contract: Contract, id: string): Grant | undefined {
  return indexOf(contract).byId.get(id)
}

/** Where the list of grants stands, for a denial that no grant is near to. */
export function grantsPlace(contract: Contract): Place {
  return contract.placeOf(['grants'])
}

function indexOf(contract: Contract): Index {
  const known = indexes.get(contract)
  if (known) return known
  const index = {
    byTenant: Map.groupBy(contract.grants, (grant) => grant.tenant),
    byId: new Map(contract.grants.map((grant) => [grant.id, grant])),
  }
  indexes.set(contract, index)
  return index
}
