/** Whose something is. */
export type Owner = { readonly tenant: string; readonly agent: string }

/** Things of many owners in memory, by name, the oldest first. */
export interface Shelf<Thing> {
  get(name: string): Thing | undefined
  /**
   * Where there is no room, the oldest goes of the agent that has most, in the tenant that has most: nobody's things are pushed out by
   * the many of somebody else.
   */
  put(name: string, owner: Owner, thing: Thing): void
  delete(name: string): void
  entries(): Iterable<readonly [string, Thing]>
}

/** With room for so many, at least one. */
export function createShelf<Thing>(room: number): Shelf<Thing> {
  const things = new Map<string, { readonly owner: Owner; readonly thing: Thing }>()
  const tenants = new Map<string, { number: number; readonly agents: Map<string, { number: number }> }>()

  const add = ({ tenant, agent }: Owner) => {
    const held = tenants.get(tenant) ?? { number: 0, agents: new Map<string, { number: number }>() }
    const own = held.agents.get(agent) ?? { number: 0 }
    tenants.set(tenant, held)
    held.agents.set(agent, own)
    held.number += 1
    own.number += 1
  }
  const subtract = ({ tenant, agent }: Owner) => {
    const held = tenants.get(tenant)
    const own = held?.agents.get(agent)
    if (!held || !own) return
    held.number -= 1
    own.number -= 1
    if (own.number === 0) held.agents.delete(agent)
    if (held.number === 0) tenants.delete(tenant)
  }
  const remove = (name: string) => {
    const held = things.get(name)
    if (!held) return
    things.delete(name)
    subtract(held.owner)
  }
  const makeRoom = () => {
    const tenant = whoHasMost(tenants)
    const agent = whoHasMost(tenants.get(tenant)?.agents ?? new Map())
    for (const [name, { owner }] of things)
      if (owner.tenant === tenant && owner.agent === agent) return remove(name)
  }
  return {
    get: (name) => things.get(name)?.thing,
    put(name, owner, thing) {
      remove(name)
      if (things.size >= room) makeRoom()
      things.set(name, { owner, thing })
      add(owner)
    },
    delete: remove,
    *entries() {
      for (const [name, { thing }] of things) yield [name, thing]
    },
  }
}

function whoHasMost(owners: ReadonlyMap<string, { readonly number: number }>): string {
  let [name, most] = ['', 0]
  for (const [each, { number }] of owners) if (number > most) [name, most] = [each, number]
  return name
}
