import { isDeepStrictEqual } from 'node:util'
import type { Caller, Lease, LeaseFilter, LeaseState, LedgerChange } from './index.ts'
import { leaseMoves } from './lease.ts'

/** What must be true of every lease, told from what was asked, what is durable and what was answered; it never looks into the broker. */
export type LifeModel = {
  /** A change that was written by that process, whether it still lives or not. */
  written(change: LedgerChange, process: number): void
  /** Somebody asks for an end: of these leases and no others may it be said that they were revoked, until the answer is there. */
  asked(caller: Caller, which: LeaseFilter & { readonly id?: string }): { answered(): void }
  answered(answer: {
    readonly caller: Caller
    readonly lease: Lease
    /** As they were asked for. */
    readonly seconds: number
    readonly replayed: boolean
    readonly key?: string
  }): void
  /** Somebody was refused what a grant allows. */
  denied(): void
  /** A write failed: a lease may be found that nobody mints any more. */
  troubled(): void
  /** A process begins, and gets its number; the one before is dead, and with it whoever was asking. */
  started(): number
  /** A turn of the reconciler that began then is over, and nothing failed in it. */
  turned(began: number): void
  /** Whether the caller reaches this lease; a word of the model alone. */
  reaches(caller: Caller, owner: { readonly tenant: string; readonly agent: string }): boolean
  /** Every lease as it was written last. */
  leases(): readonly Lease[]
  /** In words; it must stay empty. */
  readonly wrong: readonly string[]
  /** Begins anew, when all leases are over. */
  forget(): void
}

type Known = {
  readonly lease: Lease
  readonly lived: boolean
  /** Who opened it, and how many writes had failed then. */
  readonly process: number
  readonly troubles: number
  readonly answered: boolean
}

export function createLifeModel(now: () => number, first: readonly LeaseState[]): LifeModel {
  const known = new Map<string, Known>()
  const keys = new Map<string, string>()
  const revocable = new Set<string>()
  const asks = new Set<(lease: Lease) => boolean>()
  const wrong: string[] = []
  let troubles = 0
  let current = 0
  const demand = (holds: boolean, words: string) => void (holds || wrong.push(words))

  const demandMove = (lease: Lease, before: Lease | undefined) => {
    const allowed = before === undefined ? first : leaseMoves[before.state]
    demand(allowed.includes(lease.state), `${before?.state} became ${lease.state}`)
    demand(before === undefined || isDeepStrictEqual(fixedOf(lease), fixedOf(before)), 'the owner changed')
  }
  const demandReason = ({ lease, lived, ...birth }: Known) => {
    switch (lease.endReason) {
      case 'expired':
        return demand(lived && now() >= lease.expiresAt, 'it expired before its time')
      case 'revoked':
        return demand(revocable.has(lease.id), 'it was revoked, and nobody who may had asked')
      case 'orphaned':
        return demand(!lived && isLeft(birth), 'it is an orphan, and its process mints it')
      case 'mint_failed':
        return demand(!lived, 'it lived, and its mint failed')
      case undefined:
        return demand(
          lease.state === 'intended' || lease.state === 'live',
          `it is ${lease.state} for no reason`,
        )
    }
  }
  const isLeft = (birth: Pick<Known, 'process' | 'troubles'>) =>
    birth.process !== current || birth.troubles < troubles
  const demandKey = ({ tenant, agent, idempotencyKeyDigest: key, id }: Lease) => {
    if (key === undefined) return
    const name = JSON.stringify([tenant, agent, key])
    const holder = known.get(keys.get(name) ?? '')?.lease
    const free = holder === undefined || holder.id === id || holder.idempotencyKeyDigest === undefined
    demand(free, 'one key has two leases')
    keys.set(name, id)
  }

  return {
    wrong,
    leases: () => [...known.values()].map(({ lease }) => lease),
    denied() {
      wrong.push('what a grant allows was denied')
    },
    troubled() {
      troubles += 1
    },
    started() {
      asks.clear()
      current += 1
      return current
    },
    turned(began) {
      for (const { lease, process } of known.values()) {
        const isOver = lease.expiresAt <= began
        demand(lease.state !== 'live' || !isOver, 'a turn left a lease alive whose time is over')
        demand(lease.state !== 'intended' || process === current, 'a turn left an orphan of a dead process')
      }
    },
    written({ entry, lease }, process) {
      demand((lease !== undefined) === entry.event in stateAfter, `${entry.event} with or without a lease`)
      if (!lease) return
      const before = known.get(lease.id)
      const says =
        entry.lease_id === lease.id && entry.tenant === lease.tenant && entry.agent_id === lease.agent
      demand(
        says && stateAfter[entry.event]?.includes(lease.state) === true,
        `${entry.event}: ${lease.state}`,
      )
      demandMove(lease, before?.lease)
      const birth = before ?? { process, troubles, answered: false }
      const after: Known = { ...birth, lease, lived: before?.lived === true || lease.state === 'live' }
      demandKey(lease)
      known.set(lease.id, after)
      if (!before && [...asks].some((matches) => matches(lease))) revocable.add(lease.id)
      demandReason(after)
    },
    asked(caller, which) {
      const matches = (lease: Lease) => reaches(caller, lease) && fits(lease, which)
      for (const { lease } of known.values()) if (matches(lease)) revocable.add(lease.id)
      asks.add(matches)
      return { answered: () => void asks.delete(matches) }
    },
    answered({ caller, lease, seconds, replayed, key }) {
      const one = known.get(lease.id)
      demand(one?.lease.state === 'live', `a credential left whose lease is ${one?.lease.state}`)
      demand(lease.tenant === caller.tenant && lease.agent === caller.agent, 'a credential went to another')
      demand(lease.expiresAt - lease.createdAt === seconds * 1000, 'a credential is for another request')
      demand(!replayed || key !== undefined, 'an answer was repeated without a key')
      demand(replayed || one?.answered !== true, 'one lease was answered twice as if it were new')
      if (one) known.set(lease.id, { ...one, answered: true })
    },
    reaches,
    forget() {
      for (const kept of [known, keys, revocable, asks]) kept.clear()
    },
  }
}

/** Which states the lease of an entry may be in. */
const stateAfter: Readonly<Record<string, readonly LeaseState[]>> = {
  credential_intended: ['intended'],
  credential_issued: ['live'],
  credential_failed: ['failed', 'ending'],
  lease_ending: ['ending'],
  lease_end_failed: ['ending'],
  lease_ended: ['ended'],
}

function fixedOf({ tenant, agent, service, action, resource, grant, requestId, createdAt, provider }: Lease) {
  return { tenant, agent, service, action, resource, grant, requestId, createdAt, provider }
}

function reaches(caller: Caller, owner: { readonly tenant: string; readonly agent: string }): boolean {
  if (caller.roles.includes('platform')) return true
  if (caller.tenant !== owner.tenant) return false
  return caller.roles.includes('operator') || caller.agent === owner.agent
}

function fits(lease: Lease, which: LeaseFilter & { readonly id?: string }): boolean {
  const { tenant, agent, service, mode, id } = which
  const same = (wanted: string | undefined, is: string) => wanted === undefined || wanted === is
  return (
    same(tenant, lease.tenant) &&
    same(agent, lease.agent) &&
    same(service, lease.service) &&
    same(mode, lease.mode) &&
    same(id, lease.id)
  )
}
