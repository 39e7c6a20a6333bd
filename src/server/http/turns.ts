import { createAsked } from './asked.ts'

/** Every bound of who begins when, by name. Requests begin together, once in a turn of the event loop: whatever begins in one waits for all the rest of it. */
export const turnLimits = {
  /** Requests that begin in one turn: many, since they share one commit. */
  startsPerTurn: 64,
  /** … of all together who proved nothing yet, in every turn: they leave most of it to those who did. */
  startsPerTurnUnproven: 32,
  /** … and of each, in a short turn: who asks seldom beside a tenant that floods does not have to sit out a long one. */
  startsPerShortTurn: 48,
  startsPerShortTurnEach: 2,
  /** … and of all together who proved nothing yet. */
  startsPerShortTurnUnproven: 8,
  /** Turns that are short after each request of somebody who asks seldom. */
  shortTurns: 256,
  /** A connection whose request was refused is heard again after so many milliseconds: refusing a flood takes a core as well. */
  unheardMs: 50,
  /** … and later while turns are short. */
  unheardInShortTurnsMs: 100,
  /** … and of these connections so many in a turn, and so many more for each request that began in the one before. */
  heardPerTurn: 1,
  heardPerStart: 1,
  /** Who asks seldom: less than the busiest one by this factor, over so many turns and as many before. */
  seldomFactor: 4,
  seldomTurns: 128,
  /** Requests that wait for a later turn, of one tenant and of all who proved who they are. */
  waitingEachMax: 64,
  waitingMax: 512,
  /** … of one address and of all, on connections that proved nothing yet. Each such connection waits with one. */
  waitingUnprovenEachMax: 512,
  waitingUnprovenMax: 1_024,
} as const

export type TurnLimits = { readonly [Name in keyof typeof turnLimits]: number }

/** Whose request it is: sources of a group take turns with each other, and groups with groups. */
export type Source = { readonly group: string; readonly name: string }

/** The group of all who proved nothing yet. Every other one is of callers that were proven. */
export const unproven = 'unproven'

/** Gives whether it did begin: who went away meanwhile does not count. */
type Begin = () => boolean

/** Lets so many requests begin in a turn and so many wait. */
export interface Turns {
  /** Begins it in the next turn that has a place for it, or says why it cannot even wait: too many of this source do, or of all. */
  enter(source: Source, begin: Begin): 'taken' | 'full of its own' | 'full'
  /**
   * A connection was accepted. Node accepts one in each turn of the event loop: whoever comes late would wait for as many long turns as others came before, so
   * while connections come, as many are let in before anything begins as may begin with what they bring.
   */
  accepted(): void
  /** Whether somebody who asks seldom stands beside others who flood. */
  areShort(): boolean
  /** How many began in the last turn. */
  begun(): number
}

type Group = {
  readonly name: string
  /** What waits, by source. Whose turn it is stands first. */
  readonly queues: Map<string, Begin[]>
  waiting: number
  started: number
}

/** `nextTurn` calls back once in the event loop's next turn. */
export function createTurns(limits: TurnLimits, nextTurn: (callback: () => void) => unknown): Turns {
  // Those that wait. Whose turn it is stands first.
  const groups = new Map<string, Group>()
  const asked = createAsked(limits)
  let waitingProven = 0
  let shortTurnsLeft = 0
  let turning = false
  let started = 0
  let [comes, putOff] = [false, 0]

  const startsOf = (group: string) => {
    const [short, whole] =
      group === unproven
        ? [limits.startsPerShortTurnUnproven, limits.startsPerTurnUnproven]
        : [limits.startsPerShortTurnEach, limits.startsPerTurn]
    return shortTurnsLeft > 0 ? short : whole
  }
  const awaitTurn = () => {
    if (turning) return
    turning = true
    nextTurn(turn)
  }
  const turn = () => {
    turning = false
    const waits = comes && putOff < startsOf(unproven)
    putOff = waits ? putOff + 1 : 0
    comes = false
    if (!waits) startSome()
    if (groups.size > 0) awaitTurn()
  }
  const startSome = () => {
    const startsMax = shortTurnsLeft > 0 ? limits.startsPerShortTurn : limits.startsPerTurn
    asked.turn()
    for (const group of groups.values()) group.started = 0
    started = 0
    for (let next = nextGroup(); next && started < startsMax; next = nextGroup())
      if (startFirst(next)) started += 1
    if (shortTurnsLeft > 0) shortTurnsLeft -= 1
  }
  const nextGroup = () => {
    for (const group of groups.values()) if (group.started < startsOf(group.name)) return group
    return undefined
  }
  const startFirst = (group: Group): boolean => {
    const begin = takeFirst(group)
    if (group.name !== unproven) waitingProven -= 1
    // Set anew, it stands last.
    groups.delete(group.name)
    if (group.waiting > 0) groups.set(group.name, group)
    if (!begin?.()) return false
    group.started += 1
    return true
  }
  /** Whether others would make a turn long. */
  const othersWait = (name: string) => {
    for (const other of groups.values())
      if (other.name !== name && other.waiting > limits.startsPerShortTurnEach) return true
    return false
  }
  /** Why it cannot even wait. */
  const refusal = (group: Group, name: string) => {
    const own = group.queues.get(name)?.length ?? 0
    if (group.name === unproven) {
      if (own >= limits.waitingUnprovenEachMax) return 'full of its own'
      return group.waiting >= limits.waitingUnprovenMax ? 'full' : undefined
    }
    if (own >= limits.waitingEachMax) return 'full of its own'
    // Who has less than an equal part may wait all the same: at most as many again.
    const groupsNow = groups.has(group.name) ? groups.size : groups.size + 1
    return waitingProven >= limits.waitingMax && group.waiting >= limits.waitingMax / groupsNow
      ? 'full'
      : undefined
  }

  return {
    enter({ group: groupName, name }, begin) {
      asked.count(groupName)
      if (groupName !== unproven && othersWait(groupName) && asked.seldom(groupName))
        shortTurnsLeft = limits.shortTurns
      const group = groups.get(groupName) ?? { name: groupName, queues: new Map(), waiting: 0, started: 0 }
      const refused = refusal(group, name)
      if (refused) return refused
      groups.set(groupName, group)
      wait({ group, name, begin })
      if (groupName !== unproven) waitingProven += 1
      awaitTurn()
      return 'taken'
    },
    accepted() {
      comes = true
    },
    areShort: () => shortTurnsLeft > 0,
    begun: () => started,
  }
}

function wait({ group, name, begin }: { group: Group; name: string; begin: Begin }): void {
  const queue = group.queues.get(name) ?? []
  queue.push(begin)
  group.queues.set(name, queue)
  group.waiting += 1
}

/** What the source whose turn it is has waiting longest; the turn then goes to the next source of the group. */
function takeFirst(group: Group): Begin | undefined {
  for (const [name, queue] of group.queues) {
    const begin = queue.shift()
    group.waiting -= 1
    // Set anew, it stands last.
    group.queues.delete(name)
    if (queue.length > 0) group.queues.set(name, queue)
    return begin
  }
  return undefined
}
